-- Prolongs a lease that is still held. KEYS: lease. ARGV: token, ms.
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
