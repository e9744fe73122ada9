-- KEYS: the value, the counter. ARGV: the beginning of the indexes' names, condition, time to live, value, tags.
if not holds(KEYS[1], ARGV[2]) then return false end
-- This comes before anything is lost: a Redis without room refuses a script's first write, and only that.
local version, now = next_version(KEYS[2])
remove(KEYS[1], ARGV[1])
local ttl = tonumber(ARGV[3])
if ttl == 0 then return version end
redis.call('HSET', KEYS[1], 'n', version, 'v', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ttl)
for i = 5, #ARGV do
  redis.call('HSET', KEYS[1], 't:' .. ARGV[i], '')
  enter(ARGV[1] .. ARGV[i], KEYS[1], now, ttl)
end
return version
