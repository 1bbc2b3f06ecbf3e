-- Keeps a loaded value if the lease is still held, and ends the lease.
-- KEYS: value, lease. ARGV: token, envelope, ms to keep it, epoch of the lease, prefix of tags, tags…
if redis.pcall('GET', KEYS[2]) ~= ARGV[1] then return 0 end
for i = 6, #ARGV do
    local invalidated = tonumber(redis.pcall('GET', ARGV[5] .. ARGV[i]))
    if invalidated and invalidated > tonumber(ARGV[4]) then
        redis.call('UNLINK', KEYS[2])
        return 0
    end
end
if tonumber(ARGV[3]) <= 0 then
    redis.call('UNLINK', KEYS[1], KEYS[2])
    return 1
end
-- The first write: only there does Redis look at whether there is memory left.
local kept = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('UNLINK', KEYS[2])
if kept.err then return kept end
carried(6, ARGV[5], ARGV[3])
return 1
