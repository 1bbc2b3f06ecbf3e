-- Keeps a value whoever loads it, ends a running lease, and tells the other processes.
-- KEYS: value, lease, epoch. ARGV: envelope up to its epoch, envelope after it, ms to keep it, channel,
-- message, prefix of tags, tags…
local kept = {}
if tonumber(ARGV[3]) > 0 then
    local time = redis.call('TIME')
    local epoch = tonumber(redis.pcall('GET', KEYS[3])) or time[1] * 1000000 + time[2]
    local envelope = ARGV[1] .. struct.pack('>I8', epoch) .. ARGV[2]
    -- The first write: only there does Redis look at whether there is memory left.
    kept = redis.pcall('SET', KEYS[1], envelope, 'PX', ARGV[3])
else
    redis.call('UNLINK', KEYS[1])
end
-- What was there is old, whether or not there is memory for the new.
if kept.err then redis.call('UNLINK', KEYS[1]) end
redis.call('UNLINK', KEYS[2])
redis.call('PUBLISH', ARGV[4], ARGV[5])
if kept.err then return kept end
if tonumber(ARGV[3]) > 0 then carried(7, ARGV[6], ARGV[3]) end
return 1
