"""The network policies allow what is needed, and nothing else."""

import re
import unittest

from rendered import BFFS, environment_of, matches, name_of, of_kind, one, pods

HERE = {"kubernetes.io/metadata.name": "triptych-local"}
URL = re.compile(r'^(?:[a-z]+\.)?(?:provider_)?url = "http://([a-z0-9.-]+):([0-9]+)"', re.MULTILINE)
DNS = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]


def settings_of(overlay, bff):
    [settings] = [each for each in of_kind(overlay, "ConfigMap") if name_of(each).startswith(f"{bff}-settings")]
    return settings["data"]["settings.toml"]


def peers(rules, side):
    """(peer, ports) of each rule. A rule without peers or ports would allow all of them."""
    for rule in rules:
        assert rule[side] and rule["ports"], f"a rule that allows everything: {rule}"
        for peer in rule[side]:
            yield peer, rule["ports"]


def flows_between_pods(overlay, direction, side):
    """{(whose policy, the other's name, port)} of the peers that are pods of this overlay."""
    found = set()
    for policy in of_kind(overlay, "NetworkPolicy"):
        for peer, ports in peers(policy["spec"].get(direction, []), side):
            if "podSelector" in peer and matches(peer.get("namespaceSelector", {}), HERE):
                for name, (labels, _) in pods(overlay).items():
                    if matches(peer["podSelector"], labels):
                        found |= {(name_of(policy), name, port["port"]) for port in ports}
    return found


class Local(unittest.TestCase):
    def test_what_one_may_call_the_other_may_be_called_by(self):
        out = flows_between_pods("local", "egress", "to")
        into = {(caller, called, port) for called, caller, port in flows_between_pods("local", "ingress", "from")}
        self.assertEqual(out, into)
        self.assertEqual({caller for caller, _, _ in out}, set(BFFS))

    def test_each_address_in_the_settings_may_be_called(self):
        out = flows_between_pods("local", "egress", "to")
        for bff in BFFS:
            addresses = URL.findall(settings_of("local", bff))
            self.assertGreaterEqual(len(addresses), 4)
            for host, number in addresses:
                [port] = [port for port in one("local", "Service", host)["spec"]["ports"] if port["port"] == int(number)]
                self.assertIn((bff, host, port["targetPort"]), out)


class EveryPolicy(unittest.TestCase):
    def test_it_is_about_both_directions_and_names_ports_that_its_pods_have(self):
        for overlay in ("local", *(f"production/{bff}" for bff in BFFS), *(f"production/{bff}-canary" for bff in BFFS)):
            for policy in of_kind(overlay, "NetworkPolicy"):
                self.assertEqual(policy["spec"]["policyTypes"], ["Ingress", "Egress"])
                [own] = [ports for labels, ports in pods(overlay).values() if matches(policy["spec"]["podSelector"], labels)]
                named = {port["port"] for _, ports in peers(policy["spec"]["ingress"], "from") for port in ports}
                self.assertTrue(named)
                self.assertLessEqual(named, set(own))

    def test_every_pod_of_the_overlay_has_one(self):
        for overlay in ("local", *(f"production/{bff}" for bff in BFFS)):
            self.assertEqual({name_of(each) for each in of_kind(overlay, "NetworkPolicy")}, set(pods(overlay)))

    def test_what_has_none_speaks_to_nobody(self):
        [policy] = of_kind("production/namespace", "NetworkPolicy")
        self.assertEqual(policy["spec"], {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


class Production(unittest.TestCase):
    def test_only_the_gateway_comes_in_at_one_port_and_prometheus_at_the_other(self):
        for bff in BFFS:
            gateway, prometheus = peers(one(f"production/{bff}", "NetworkPolicy", bff)["spec"]["ingress"], "from")
            self.assertEqual(gateway[1], [{"port": "http"}])
            self.assertIn("envoy-gateway-system", str(gateway[0]["namespaceSelector"]))
            [expression] = gateway[0]["podSelector"]["matchExpressions"]
            [owner] = of_kind("production/gateway", "Gateway")
            self.assertEqual((expression["key"], expression["values"]), ("gateway.envoyproxy.io/owning-gateway-name", [name_of(owner)]))
            self.assertEqual(prometheus[1], [{"port": "admin"}])

    def test_domain_services_are_those_of_the_settings(self):
        for bff in BFFS:
            wanted = set(URL.findall(settings_of(f"production/{bff}", bff)))
            allowed = set()
            for peer, ports in self.egress(bff):
                selector = peer.get("namespaceSelector", {}).get("matchExpressions", [{}])[0]
                if selector.get("values") == ["shop"]:
                    [names] = peer["podSelector"]["matchExpressions"]
                    allowed |= {(f"{name}.shop.svc.cluster.local", str(port["port"])) for name in names["values"] for port in ports}
            self.assertEqual(allowed, wanted)

    def test_the_rest_is_names_redis_the_provider_and_the_collector(self):
        for bff in BFFS:
            [deployment] = of_kind(f"production/{bff}", "Deployment")
            collector = int(environment_of(deployment)["OTEL_EXPORTER_OTLP_ENDPOINT"].rsplit(":", 1)[1])
            rest = [ports for peer, ports in self.egress(bff) if "shop" not in str(peer)]
            self.assertEqual(rest, [DNS, [{"port": 6380}], [{"port": 443}], [{"port": collector}]])

    def egress(self, bff):
        return list(peers(one(f"production/{bff}", "NetworkPolicy", bff)["spec"]["egress"], "to"))
