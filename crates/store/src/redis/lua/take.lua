-- KEYS: the moment, in microseconds, at which all are back. ARGV: until one is back, until all are.
-- Returns whether there was one, and how long it takes until all are back.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, whole = tonumber(ARGV[1]), tonumber(ARGV[2])
-- Never more than a whole quota: the clock may have gone back, and the quota have been another one.
local used = math.min(whole, math.max(0, tonumber(redis.call('GET', KEYS[1]) or '0') - now))
if used + interval > whole then return {0, used} end
used = used + interval
redis.call('SET', KEYS[1], string.format('%.0f', now + used), 'PX', math.ceil(used / 1000))
return {1, used}
