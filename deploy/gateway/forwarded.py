"""Which X-Forwarded-… headers of a request are removed: all, but for the two that a proxy before this one says."""

PREFIX = "x-forwarded-"
KEPT = ("for", "proto")


def matcher(hops):
    """What is removed, as Envoy's `StringMatcher`."""
    if not hops:
        return {"prefix": PREFIX}
    return {"safe_regex": {"regex": PREFIX + all_but(KEPT)}}


def all_but(names):
    """An expression for every text but these: Envoy's have no "not". None of them begins with another."""
    prefixes = {name[:length] for name in names for length in range(len(name) + 1)}
    others = [name + ".+" for name in names]
    for prefix in sorted(prefixes - set(names)):
        next_letters = {longer[len(prefix)] for longer in prefixes if longer.startswith(prefix) and longer != prefix}
        others.append(f"{prefix}(?:[^{''.join(sorted(next_letters))}].*)?")
    return "(?:" + "|".join(others) + ")"
