-- Removes a value, takes its lease away, and tells the other processes.
-- KEYS: value, lease. ARGV: channel, message.
local removed = redis.call('UNLINK', KEYS[1])
redis.call('UNLINK', KEYS[2])
redis.call('PUBLISH', ARGV[1], ARGV[2])
return removed
