-- Answers with a fresh value, or takes the lease of the key, or tells how long another holds it.
-- KEYS: value, lease, epoch, fence. ARGV: lease in ms, now in ms, most bytes of a value, prefix of tags,
-- times and epoch of an entry that the caller cannot use.
-- Whatever stands under these keys may have been written by somebody else: it is read with care
-- and, where it is not ours, counts as nothing.

-- The header is described in envelope.rs.
local function usable(value)
    if string.sub(value, 1, 4) ~= 'PLK\1' or string.sub(value, 6, 37) == ARGV[5] then return false end
    local ok, _, fresh, _, epoch, tags, at = pcall(struct.unpack, '>I8I8I8I8B', value, 6)
    if not ok or fresh <= tonumber(ARGV[2]) then return false end
    for _ = 1, tags do
        local tag
        ok, tag, at = pcall(struct.unpack, '>I2c0', value, at)
        if not ok then return false end
        local invalidated = tonumber(redis.pcall('GET', ARGV[4] .. tag))
        -- Not known: see carried.lua.
        if not invalidated or invalidated > epoch then return false end
    end
    return true
end

local size = redis.pcall('STRLEN', KEYS[1])
if type(size) == 'number' and size > 0 and size <= tonumber(ARGV[3]) then
    local value = redis.call('GET', KEYS[1])
    if usable(value) then return {0, value} end
end

if type(redis.pcall('GET', KEYS[2])) == 'string' then
    local remaining = redis.call('PTTL', KEYS[2])
    if remaining > 0 then return {2, remaining} end
end

-- Counters start at the clock, in microseconds: they grow even when Redis lost them.
local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local epoch = tonumber(redis.pcall('GET', KEYS[3]))
if not epoch then
    epoch = clock
    redis.call('SET', KEYS[3], string.format('%.0f', epoch))
end
local token = math.max(clock, (tonumber(redis.pcall('GET', KEYS[4])) or 0) + 1)
redis.call('SET', KEYS[4], string.format('%.0f', token))
redis.call('SET', KEYS[2], string.format('%.0f', token), 'PX', ARGV[1])
return {1, token, epoch}
