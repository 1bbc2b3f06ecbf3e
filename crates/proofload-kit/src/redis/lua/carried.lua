-- Remembers each tag from ARGV[from] on for as long as an entry that carries it is kept. So it is known of
-- every tag in use whether it was invalidated: one that is not known (Redis dropped it, being short of
-- memory) may have been, and what carries it is dead.
local function carried(from, prefix, keep_ms)
    for i = from, #ARGV do
        local tag = prefix .. ARGV[i]
        if not tonumber(redis.pcall('GET', tag)) then
            redis.call('SET', tag, '0', 'PX', keep_ms)
        elseif redis.call('PTTL', tag) < tonumber(keep_ms) then
            redis.call('PEXPIRE', tag, keep_ms)
        end
    end
end

