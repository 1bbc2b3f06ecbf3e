-- Invalidates a tag: whatever carries it and was begun before this epoch is dead.
-- KEYS: tag, epoch. ARGV: least ms to remember it, channel, message.
local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local epoch = math.max(clock, (tonumber(redis.pcall('GET', KEYS[2])) or 0) + 1)
-- It is remembered for as long as the last entry that carries it, and for loads that run.
local remember = math.max(tonumber(ARGV[1]), redis.call('PTTL', KEYS[1]))
redis.call('SET', KEYS[2], string.format('%.0f', epoch))
redis.call('SET', KEYS[1], string.format('%.0f', epoch), 'PX', string.format('%.0f', remember))
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
