-- KEYS: the lease, the counter. ARGV: time to live.
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local token = next_version(KEYS[2])
redis.call('SET', KEYS[1], token)
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return token
