-- What the scripts share. A value is a hash: n is its version, v the value, and t:TAG is there for each tag.
-- A tag's index is a sorted set of the keys of values, by the millisecond at which they end.

-- Greater than every version before it in this slot, also after a restart that lost the last one: it is the
-- time in microseconds, or one more than the last. Returns the time in milliseconds, too.
local function next_version(counter)
  local time = redis.call('TIME')
  local micros = time[1] * 1000000 + time[2]
  local last = tonumber(redis.call('GET', counter) or '0')
  local version = string.format('%.0f', math.max(micros, last + 1))
  redis.call('SET', counter, version)
  return version, math.floor(micros / 1000)
end

-- Whether the key holds what the condition wants: anything, nothing, or a version.
local function holds(key, condition)
  if condition == 'any' then return true end
  local version = redis.call('HGET', key, 'n')
  if condition == 'absent' then return not version end
  return version == condition
end

-- Deletes the value and takes it out of its tags' indexes. Says whether there was one.
local function remove(key, indexes)
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if string.sub(field, 1, 2) == 't:' then
      redis.call('ZREM', indexes .. string.sub(field, 3), key)
    end
  end
  return redis.call('DEL', key)
end

-- Enters the value into a tag's index, which ends with the last of its values. Those that ended are swept out.
local function enter(index, key, now, ttl)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. string.format('%.0f', now))
  redis.call('ZADD', index, now + ttl, key)
  if redis.call('PTTL', index) < ttl then redis.call('PEXPIRE', index, ttl) end
end
