-- Ends a lease that is still held. KEYS: lease. ARGV: token.
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
