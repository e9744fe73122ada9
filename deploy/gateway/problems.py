"""The gateway's own errors as problem details (RFC 9457): the same form that the BFFs answer with.

Types, titles and statuses are a part of the list in crates/problem/src/kinds.rs; test_gateway.py compares the two.
"""

from itertools import product

# A problem is (slug, title, status, seconds for Retry-After or None).
INVALID = ("invalid-request", "The request is not valid", 400, None)
OVERLOADED = ("overloaded", "There is too much to do right now", 503, 1)
UNAVAILABLE = ("unavailable", "A service behind this one is not available", 503, 1)

# What Envoy answers by itself, the first match wins: (status that Envoy chose, its response flags, the problem). [] is
# any flag, None any or none.
OWN_ERRORS = [
    (404, None, ("not-found", "There is nothing here", 404, None)),
    (405, None, ("method-not-allowed", "The resource does not have this method", 405, None)),
    (408, None, ("request-timeout", "The request did not arrive in time", 408, None)),
    (413, None, ("body-too-large", "The body is too large", 413, None)),
    # Until rates.RETRY_AFTER says it better.
    (429, None, ("too-many-requests", "There were too many requests", 429, 1)),
    (431, None, ("headers-too-large", "The headers are too many or too large", 431, None)),
    (501, None, INVALID),  # a transfer coding that nobody knows
    (502, None, ("bad-upstream", "A service behind this one gave an unusable answer", 502, None)),
    (503, ["UO", "OM"], OVERLOADED),  # the circuit breaker of a cluster is full; the overload manager refuses
    (503, [], UNAVAILABLE),
    (503, None, OVERLOADED),  # for the overload manager's own refusal Envoy has no flag
    (504, None, ("deadline-exceeded", "The answer was not ready in time", 504, None)),
    # Among these 403 for an upgrade and 426 for HTTP/1.0: the list of problems has no closer one.
    ("4xx", None, INVALID),
    ("5xx", None, ("internal", "Something went wrong on our side", 500, None)),
]


def mappers():
    """The `mappers` of a `local_reply_config`: each of OWN_ERRORS, for partners and for others, with and without an id."""
    callers = product(("request_id", "requestId"), (True, False))
    return [mapper(*error, name, has_id) for name, has_id in callers for error in OWN_ERRORS]


def mapper(status, flags, problem, request_id_name, has_id):
    """One mapper. A request that is refused before Envoy gave it an id gets one here, for the answer and the access log."""
    slug, title, public_status, retry_after = problem
    headers = {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "strict-transport-security": "%METADATA(LISTENER:triptych:hsts)%",  # empty, so absent, on the plain listener
    }
    if retry_after:
        headers["retry-after"] = str(retry_after)
    if not has_id:
        headers["x-request-id"] = "%UNIQUE_ID%"
    return {
        "filter": conditions(status, flags, only_partners=request_id_name == "request_id", has_id=has_id),
        "status_code": public_status,
        "headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in headers.items()
        ],
        "body_format_override": {
            "content_type": "application/problem+json",
            "omit_empty_values": True,  # what could not be parsed has no path
            # As JSON, not as text: it escapes what a client put into its path.
            "json_format": {
                "type": f"urn:triptych:problem:{slug}",
                "title": title,
                "status": public_status,
                "instance": "%PATH(NQ:ORIG_OR_PATH)%",
                request_id_name: "%REQ(X-REQUEST-ID)%" if has_id else "%RESP(X-REQUEST-ID)%",
            },
        },
    }


def conditions(status, flags, only_partners, has_id):
    has_id_filter = {"name": "x-request-id", "present_match": True, "invert_match": not has_id}
    filters = [*status_filters(status), {"header_filter": {"header": has_id_filter}}]
    if flags is not None:
        filters.append({"response_flag_filter": {"flags": flags}})
    if only_partners:
        # Once a request is routed its path has lost the prefix, and the original path is kept beside it.
        filters.append({"or_filter": {"filters": [under_partner(":path"), under_partner("x-envoy-original-path")]}})
    return {"and_filter": {"filters": filters}}


def status_filters(status):
    if isinstance(status, int):
        return [compare("EQ", status)]
    floor = int(status[0]) * 100
    return [compare("GE", floor), compare("LE", floor + 99)]


def compare(operator, value):
    comparison = {"op": operator, "value": {"default_value": value, "runtime_key": f"own_errors.{value}"}}
    return {"status_code_filter": {"comparison": comparison}}


def under_partner(header):
    return {"header_filter": {"header": {"name": header, "string_match": {"prefix": "/partner/"}}}}
