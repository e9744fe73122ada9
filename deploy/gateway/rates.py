"""How many requests a caller may make, as the configuration of Envoy's `local_ratelimit`.

A caller has a bucket of tokens, and each request takes one. Who is calling is what the gateway knows for sure:

- the subject of a token that it verified (tokens.py), on mobile and partner;
- else the address. An API key is not verified here, so its id is no caller by itself: it has a bucket for each
  address that uses it, and the address counts as well. Whoever invents ids pays from the bucket of the address.

The bucket that fills slowest is asked first, and who is refused takes nothing from the others.

The buckets are this process's own: replicas share none, and neither do the plain and the TLS listener. They protect what
stands behind from a caller who takes too much. What a partner has paid for is counted by partner-bff, for all replicas.
"""

import re
from dataclasses import dataclass

import tokens

KEY_METADATA = ("triptych", "key_id")
NOBODY = "nobody"  # stands for the subject of who has no verified token
# The buckets of each kind that are remembered, at some 700 bytes; beyond, who was silent longest gets a new one.
REMEMBERED = 10_000
RETRY_AFTER = (
    "%CEL(response.code_details in ['local_rate_limited', 'request_rate_limited'] && 'x-ratelimit-reset' in response.headers"
    " ? response.headers['x-ratelimit-reset'] : response.headers['retry-after'])%"
)
SIGN_IN = r"/web/auth/(login|callback)(\?.*)?"


class BadRate(ValueError):
    """A rate that cannot be."""


@dataclass(frozen=True)
class Rate:
    """A bucket: how many requests a second for ever, and how many at once."""

    per_second: float
    burst: int

    def bucket(self):
        """As Envoy's `TokenBucket`; a rate below one is one token in a longer time."""
        if self.per_second >= 1:
            return {"max_tokens": self.burst, "tokens_per_fill": round(self.per_second), "fill_interval": "1s"}
        return {"max_tokens": self.burst, "tokens_per_fill": 1, "fill_interval": f"{1 / self.per_second:.3f}s"}


DEFAULTS = {
    # One person's app asks for a few screens a second, and one partner's program for no more than its plan.
    "subject": Rate(100, 200),
    # The same for the same partner by the other credential.
    "key": Rate(100, 200),
    # Behind one address can be an office: some hundred people who open the web app within seconds, at ten files each.
    "address": Rate(500, 2000),
    # Each is a sign-in at the provider. The same office in the morning: a hundred people at once, twice each.
    "sign-in": Rate(10, 200),
}


def parse(arguments):
    """The rates that `--rate` asks for, {kind: Rate}; None for `off`."""
    rates = dict(DEFAULTS)
    for argument in arguments:
        if argument == "off":
            return None
        match = re.fullmatch(r"([a-z-]+)=([0-9]{1,6}(?:\.[0-9]{1,3})?):([0-9]{1,7})", argument)
        if not match or match[1] not in DEFAULTS or not float(match[2]) or not int(match[3]):
            kinds = ", ".join(DEFAULTS)
            raise BadRate(f"{argument!r} is not a rate: it must be off or KIND=PER_SECOND:BURST, KIND one of {kinds}")
        rates[match[1]] = Rate(float(match[2]), int(match[3]))
    return rates


def key_ids():
    """The configuration of `header_to_metadata`: of `tpk_<id>_<secret>` the id alone; of anything else nothing."""
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.header_to_metadata.v3.Config",
        "request_rules": [
            {
                "header": "x-api-key",
                "on_header_present": {
                    "metadata_namespace": KEY_METADATA[0],
                    "key": KEY_METADATA[1],
                    # It matches every value: what did not match would be kept whole, with its secret.
                    "regex_value_rewrite": {
                        "pattern": {"regex": r"(?s)(?:tpk_([0-9A-Za-z-]{1,64})_.*|.*)"},
                        "substitution": r"\1",
                    },
                },
            }
        ],
    }


def filter_config(rates):
    """The configuration of `local_ratelimit`: its descriptors say what has a bucket."""
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "edge",
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",  # not for the client: RETRY_AFTER is made of them
        "filter_enabled": always("enabled"),
        "filter_enforced": always("enforced"),
        "always_consume_default_token_bucket": False,
        "max_dynamic_descriptors": REMEMBERED,
        "rate_limits": actions(),
        # An entry without a value is any value, each with a bucket of its own.
        "descriptors": [
            descriptor(rates["subject"], ("issuer", ""), ("subject", "")),
            descriptor(rates["address"], ("subject", NOBODY), ("masked_remote_address", "")),
            descriptor(rates["key"], ("subject", NOBODY), ("key", ""), ("masked_remote_address", "")),
            descriptor(rates["sign-in"], ("path", "sign-in"), ("masked_remote_address", "")),
        ],
    }


def actions():
    """What is known of a request, as Envoy's `rate_limits`. An action that finds nothing takes its whole line away."""
    subject = metadata("subject", (*tokens.METADATA, "sub"))
    nobody = metadata("subject", (*tokens.METADATA, "sub"), default=NOBODY)
    key = metadata("key", KEY_METADATA)
    address = {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}
    sign_in_path = {"name": ":path", "string_match": {"safe_regex": {"regex": SIGN_IN}}}
    sign_in = {"header_value_match": {"descriptor_key": "path", "descriptor_value": "sign-in", "headers": [sign_in_path]}}
    return [
        {"actions": [metadata("issuer", (*tokens.METADATA, "iss")), subject]},
        {"actions": [nobody, address]},
        {"actions": [nobody, key, address]},
        {"actions": [sign_in, address]},
    ]


def metadata(key, path, default=""):
    """The action that takes a value from where another filter put it."""
    namespace, *names = path
    where = {"key": namespace, "path": [{"key": name} for name in names]}
    return {"metadata": {"descriptor_key": key, "metadata_key": where, "default_value": default, "source": "DYNAMIC"}}


def descriptor(rate, *entries):
    return {"entries": [{"key": key, "value": value} for key, value in entries], "token_bucket": rate.bucket()}


def always(name):
    return {"runtime_key": f"rates.{name}", "default_value": {"numerator": 100, "denominator": "HUNDRED"}}
