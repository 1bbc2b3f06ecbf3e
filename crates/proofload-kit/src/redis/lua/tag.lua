-- Invalidates a tag: whatever carries it and was begun before this epoch is dead.
-- KEYS: tag, epoch, longest. ARGV: now in ms, least ms to remember it, channel, message.
local time = redis.call('TIME')
local clock = time[1] * 1000000 + time[2]
local epoch = math.max(clock, (tonumber(redis.pcall('GET', KEYS[2])) or 0) + 1)
local longest = (tonumber(redis.pcall('GET', KEYS[3])) or 0) - tonumber(ARGV[1])
local remember = math.max(tonumber(ARGV[2]), longest + tonumber(ARGV[2]))
redis.call('SET', KEYS[2], string.format('%.0f', epoch))
redis.call('SET', KEYS[1], string.format('%.0f', epoch), 'PX', string.format('%.0f', remember))
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
