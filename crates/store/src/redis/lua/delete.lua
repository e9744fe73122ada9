-- KEYS: the value. ARGV: the beginning of the indexes' names, condition.
if not holds(KEYS[1], ARGV[2]) then return 0 end
return remove(KEYS[1], ARGV[1])
