-- KEYS: the index of the tag. ARGV: the beginning of the indexes' names, tag.
local gone = 0
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  -- A value that ended may have left its entry behind, and another have taken its place.
  if redis.call('HEXISTS', key, 't:' .. ARGV[2]) == 1 then gone = gone + remove(key, ARGV[1]) end
end
redis.call('DEL', KEYS[1])
return gone
