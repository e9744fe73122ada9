"""The policies for Envoy Gateway say what deploy/gateway says: held against the configuration that scripts/gateway renders."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import generated
import yaml
from python_env import ROOT
from rendered import BFFS, of_kind, one, seconds

# Beyond what the standalone gateway removes: a name that only these policies use.
OURS = "x-triptych-subject"


def standalone():
    """deploy/gateway's configuration, as Envoy gets it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "envoy.yaml"
        subprocess.run([sys.executable, ROOT / "scripts/gateway", "--render-only", file], check=True)
        return yaml.safe_load(file.read_text(encoding="utf-8"))


def found(config, key):
    """The values of this key, wherever they are."""
    if isinstance(config, dict):
        yield from ([config[key]] if key in config else [])
        yield from (value for each in config.values() for value in found(each, key))
    elif isinstance(config, list):
        yield from (value for each in config for value in found(each, key))


def quantity(text):
    units = {"Ki": 1024, "Mi": 1024 * 1024}
    return int(text[:-2]) * units[text[-2:]]


class Equal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.envoy = standalone()
        cls.listener = cls.envoy["static_resources"]["listeners"][0]
        cls.clusters = {cluster["name"]: cluster for cluster in cls.envoy["static_resources"]["clusters"]}
        [cls.client] = [each["spec"] for each in of_kind("production/gateway", "ClientTrafficPolicy")]

    def first(self, key):
        return next(found(self.listener, key))

    def test_removed_headers(self):
        mutations = [each["typed_config"]["mutations"] for each in self.first("early_header_mutation_extensions")]
        [mutations] = mutations
        exact = {each["remove"] for each in mutations if "remove" in each}
        prefixes = {each["remove_on_match"]["key_matcher"]["prefix"] for each in mutations if "remove_on_match" in each}
        removed = self.client["headers"]["earlyRequestHeaders"]
        self.assertEqual(set(removed["remove"]), exact | {OURS})
        self.assertEqual({(each["type"], each["value"]) for each in removed["removeOnMatch"]}, {("Prefix", prefix) for prefix in prefixes})
        self.assertGreater(len(exact), 20)

    def test_limits_of_clients(self):
        http, http2 = self.client["timeout"]["http"], self.first("http2_protocol_options")
        self.assertEqual(seconds(http["requestReceivedTimeout"]), seconds(self.first("request_timeout")))
        self.assertEqual(seconds(http["idleTimeout"]), seconds(self.first("common_http_protocol_options")["idle_timeout"]))
        self.assertEqual(seconds(http["streamIdleTimeout"]), seconds(self.first("stream_idle_timeout")))
        self.assertEqual(self.client["http2"]["maxConcurrentStreams"], http2["max_concurrent_streams"])
        self.assertEqual(quantity(self.client["http2"]["initialStreamWindowSize"]), http2["initial_stream_window_size"])
        self.assertEqual(quantity(self.client["http2"]["initialConnectionWindowSize"]), http2["initial_connection_window_size"])
        self.assertEqual(quantity(self.client["connection"]["bufferLimit"]), self.listener["per_connection_buffer_limit_bytes"])
        [connections] = found(self.envoy, "max_active_downstream_connections")
        self.assertEqual(self.client["connection"]["connectionLimit"]["value"], connections)

    def test_spelling_of_paths_and_names(self):
        escaped = (self.first("path_with_escaped_slashes_action"), self.client["path"]["escapedSlashesAction"])
        self.assertEqual(escaped, ("REJECT_REQUEST", "RejectRequest"))
        self.assertEqual((self.first("merge_slashes"), self.client["path"]["disableMergeSlashes"]), (True, False))
        underscores = self.first("common_http_protocol_options")["headers_with_underscores_action"]
        self.assertEqual((underscores, self.client["headers"]["withUnderscoresAction"]), ("DROP_HEADER", "DropHeader"))

    def test_routes(self):
        routes = {route["name"]: route["route"] for route in self.first("routes") if "route" in route}
        for bff in BFFS:
            frontend = bff.removesuffix("-bff")
            [rule] = one(f"production/{bff}", "HTTPRoute", bff)["spec"]["rules"]
            self.assertEqual([match["path"] for match in rule["matches"]], [{"type": "PathPrefix", "value": f"/{frontend}"}])
            self.assertEqual(rule["timeouts"]["request"], routes[frontend]["timeout"])
        [events] = one("production/web-bff", "HTTPRoute", "web-bff-events")["spec"]["rules"]
        self.assertEqual(events["timeouts"]["request"], routes["web-events"]["timeout"])
        self.assertNotIn("retry", one("production/web-bff", "BackendTrafficPolicy", "web-bff-events")["spec"])

    def test_second_attempts_and_circuit_breakers(self):
        again = self.first("retry_policy")
        names = {"web-bff": "web-bff", "mobile-bff": "mobile-bff", "partner-bff": "partner-bff", "web-bff-events": "web-bff"}
        for name, bff in names.items():
            policy = one(f"production/{bff}", "BackendTrafficPolicy", name)["spec"]
            if "events" not in name:
                self.assertEqual(",".join(policy["retry"]["retryOn"]["triggers"]), again["retry_on"])
                self.assertEqual(policy["retry"]["numRetries"], again["num_retries"])
            cluster = self.clusters[name]
            threshold = cluster["circuit_breakers"]["thresholds"][0]
            self.assertEqual(
                policy["circuitBreaker"],
                {
                    "maxConnections": threshold["max_connections"],
                    "maxPendingRequests": threshold["max_pending_requests"],
                    "maxParallelRequests": threshold["max_requests"],
                    "maxParallelRetries": threshold["max_retries"],
                },
            )

    def test_which_replica_is_asked_and_which_is_left_alone(self):
        for bff in BFFS:
            for policy in of_kind(f"production/{bff}", "BackendTrafficPolicy"):
                name, spec = policy["metadata"]["name"], policy["spec"]
                cluster = self.clusters[name.removesuffix("-sign-in")]
                outliers, passive = cluster["outlier_detection"], spec["healthCheck"]["passive"]
                with self.subTest(policy=name):
                    self.assertEqual((cluster["lb_policy"], spec["loadBalancer"]["type"]), ("LEAST_REQUEST", "LeastRequest"))
                    slow_start = cluster["least_request_lb_config"]["slow_start_config"]["slow_start_window"]
                    self.assertEqual(spec["loadBalancer"]["slowStart"]["window"], slow_start)
                    panic = cluster["common_lb_config"]["healthy_panic_threshold"]["value"]
                    self.assertEqual(spec["healthCheck"]["panicThreshold"], panic)
                    self.assertEqual(passive["consecutiveLocalOriginFailures"], outliers["consecutive_local_origin_failure"])
                    self.assertEqual(passive["consecutive5XxErrors"], outliers["enforcing_consecutive_5xx"])
                    self.assertEqual(passive["interval"], outliers["interval"])
                    self.assertEqual(passive["baseEjectionTime"], outliers["base_ejection_time"])
                    self.assertEqual(passive["maxEjectionPercent"], outliers["max_ejection_percent"])
                    connect = float(cluster["connect_timeout"].removesuffix("s"))
                    self.assertEqual(seconds(spec["timeout"]["tcp"]["connectTimeout"]), connect)

    def test_tokens(self):
        provider = next(iter(self.first("providers").values()))
        for bff in ("mobile-bff", "partner-bff"):
            [ours] = one(f"production/{bff}", "SecurityPolicy", bff)["spec"]["jwt"]["providers"]
            self.assertEqual(ours["audiences"], [bff])
            self.assertIn(bff, provider["audiences"])
            spellings = {(header["name"], header["value_prefix"]) for header in provider["from_headers"]}
            self.assertEqual({(header["name"], header["valuePrefix"]) for header in ours["extractFrom"]["headers"]}, spellings)
            self.assertEqual(ours["claimToHeaders"], [{"claim": "sub", "header": OURS}])
            self.assertEqual(ours["remoteJWKS"]["cacheDuration"], provider["remote_jwks"]["cache_duration"])
            self.assertIn(OURS, str(one(f"production/{bff}", "HTTPRoute", bff)["spec"]["rules"][0]["filters"]))

    def test_buckets(self):
        """The same kinds, and each at least as large as what a caller may do at once, or for ever, there."""
        rates = {tuple(entry["key"] for entry in each["entries"]): each["token_bucket"] for each in self.first("descriptors")}
        address = rates["subject", "masked_remote_address"]
        self.assertEqual(self.limits("web-bff", "web-bff"), 2 * [(("address",), address["max_tokens"], "Second")])
        a_minute = rates["path", "masked_remote_address"]["tokens_per_fill"] * 60
        self.assertEqual(self.limits("web-bff", "web-bff-sign-in"), 2 * [(("address",), a_minute, "Minute")])
        nobody = 2 * [((f"no {OURS}", "address"), address["max_tokens"], "Second")]
        subject = [((OURS,), rates["issuer", "subject"]["tokens_per_fill"], "Second")]
        self.assertEqual(self.limits("mobile-bff", "mobile-bff"), nobody + subject)
        key = rates["subject", "key", "masked_remote_address"]["tokens_per_fill"]
        self.assertEqual(self.limits("partner-bff", "partner-bff"), nobody + subject + 2 * [(("x-api-key", "address"), key, "Second")])

    def limits(self, bff, policy):
        """[(what names the bucket, how many, in which time)] of each rule; addresses are those of IPv4, then those of IPv6."""
        found = []
        for rule in one(f"production/{bff}", "BackendTrafficPolicy", policy)["spec"]["rateLimit"]["local"]["rules"]:
            [selector] = rule["clientSelectors"]
            names = [("no " if header.get("invert") else "") + header["name"] for header in selector.get("headers", [])]
            names += ["address"] if selector.get("sourceCIDR", {}).get("type") == "Distinct" else []
            found.append((tuple(names), rule["limit"]["requests"], rule["limit"]["unit"]))
        return found

    def test_no_bff_gets_what_only_the_rates_need(self):
        self.assertEqual(of_kind("production/web-bff", "SecurityPolicy"), [])

    def test_problems_are_the_gateways_and_one_more(self):
        [patch] = of_kind("production/gateway", "EnvoyPatchPolicy")
        ours = patch["spec"]["jsonPatches"][0]["operation"]["value"]["mappers"]
        statuses = [mapper["status_code"] for mapper in ours]
        theirs = [mapper["status_code"] for mapper in self.first("local_reply_config")["mappers"]]
        self.assertEqual(len(statuses) - len(theirs), 4)
        self.assertEqual([status for status in statuses if status != 401], theirs)
        self.assertEqual(ours, generated.mappers())
