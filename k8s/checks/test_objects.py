"""What must hold within an overlay, and between overlays."""

import re
import unittest

import yaml
from python_env import ROOT
from rendered import (
    BFFS, container_of, environment_of, matches, name_of, objects, of_kind, one, overlays, pods, pods_of,
    ports_of, seconds,
)

CANARIES = [f"production/{bff}-canary" for bff in BFFS]
ALONE = [f"production/{bff}" for bff in BFFS]
WITH_PODS = [overlay for overlay in overlays() if of_kind(overlay, "Deployment")]
CLUSTER_WIDE = {"Namespace", "GatewayClass"}


class Independence(unittest.TestCase):
    def test_an_overlay_of_a_service_has_its_objects_and_no_others(self):
        for overlay in ALONE + CANARIES:
            service = overlay.removeprefix("production/")
            for each in objects(overlay):
                with self.subTest(overlay=overlay, kind=each["kind"], name=name_of(each)):
                    self.assertNotIn(each["kind"], CLUSTER_WIDE)
                    self.assertEqual(each["metadata"]["namespace"], "triptych")
                    self.assertEqual(each["metadata"]["labels"]["app.kubernetes.io/name"], service.removesuffix("-canary"))
                    self.assertTrue(name_of(each).startswith(service.removesuffix("-canary")))

    def test_no_object_is_in_two_overlays_of_production(self):
        owners = {}
        for overlay in (overlay for overlay in overlays() if overlay.startswith("production/")):
            for each in objects(overlay):
                key = (each["kind"], name_of(each))
                # A canary has the settings of the other, under a name of its own, and nothing else of it.
                self.assertNotIn(key, owners, f"{key} is in {overlay}, too")
                owners[key] = overlay
        self.assertGreater(len(owners), 50)

    def test_production_has_no_secrets_and_a_canary_no_route(self):
        for overlay in ALONE + CANARIES:
            self.assertEqual(of_kind(overlay, "Secret"), [])
        for overlay in CANARIES:
            for kind in ("HTTPRoute", "SecurityPolicy", "BackendTrafficPolicy"):
                self.assertEqual(of_kind(overlay, kind), [])


class Selectors(unittest.TestCase):
    def test_each_selector_finds_the_pods_of_its_own_deployment_and_no_others(self):
        paths = {
            "Service": lambda each: {"matchLabels": each["spec"]["selector"]},
            "PodDisruptionBudget": lambda each: each["spec"]["selector"],
            "NetworkPolicy": lambda each: each["spec"]["podSelector"],
            "Deployment": lambda each: each["spec"]["selector"],
        }
        for overlay in WITH_PODS:
            for kind, selector in paths.items():
                for each in of_kind(overlay, kind):
                    with self.subTest(overlay=overlay, kind=kind, name=name_of(each)):
                        found = [name for name, (labels, _) in pods(overlay).items() if matches(selector(each), labels)]
                        self.assertEqual(found, [name_of(each).replace("-admin", "")])

    def test_pods_are_spread_among_their_own(self):
        for overlay in ALONE:
            [deployment] = of_kind(overlay, "Deployment")
            constraints = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
            self.assertEqual(len(constraints), 2)
            for constraint in constraints:
                self.assertEqual(constraint["labelSelector"], deployment["spec"]["selector"])

    def test_a_canary_is_not_found_by_what_belongs_to_the_others(self):
        for stable, canary in zip(ALONE, CANARIES):
            [(labels, _)] = pods(canary).values()
            for each in of_kind(stable, "Service"):
                self.assertFalse(matches({"matchLabels": each["spec"]["selector"]}, labels))
            for kind, field in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector"), ("Deployment", "selector")):
                [each] = of_kind(stable, kind)
                self.assertFalse(matches(each["spec"][field], labels))

    def test_prometheus_asks_at_the_admin_port(self):
        for overlay in ALONE + CANARIES:
            [monitor] = of_kind(overlay, "ServiceMonitor")
            [service] = [each for each in of_kind(overlay, "Service") if matches(monitor["spec"]["selector"], each["metadata"]["labels"])]
            [port] = service["spec"]["ports"]
            self.assertEqual([port["name"]], [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]])
            self.assertEqual(port["targetPort"], "admin")
            self.assertEqual(service["metadata"]["labels"][monitor["spec"]["jobLabel"]], overlay.split("/")[1].removesuffix("-canary"))


class Ports(unittest.TestCase):
    def test_probes_and_services_name_ports_that_containers_have(self):
        for overlay in WITH_PODS:
            for deployment in of_kind(overlay, "Deployment"):
                container, ports = container_of(deployment), ports_of(deployment)
                probes = [container[kind] for kind in ("startupProbe", "readinessProbe", "livenessProbe") if kind in container]
                self.assertTrue(probes)
                for probe in probes:
                    for action in ("httpGet", "tcpSocket"):
                        if action in probe:
                            self.assertIn(probe[action]["port"], ports)
            for service in of_kind(overlay, "Service"):
                for port in service["spec"]["ports"]:
                    self.assertEqual(pods_of(overlay, service)[port["targetPort"]], port["port"], f"{name_of(service)} {port['name']}")

    def test_a_bff_is_probed_where_it_says_how_it_is(self):
        for overlay in ALONE + CANARIES:
            [deployment] = of_kind(overlay, "Deployment")
            container = container_of(deployment)
            asked = {kind: container[kind]["httpGet"] for kind in ("startupProbe", "readinessProbe", "livenessProbe")}
            self.assertEqual({probe["port"] for probe in asked.values()}, {"admin"})
            self.assertEqual([probe["path"] for probe in asked.values()], ["/readyz", "/readyz", "/livez"])

    def test_a_bff_listens_where_its_ports_are(self):
        for overlay in ALONE + CANARIES:
            [deployment] = of_kind(overlay, "Deployment")
            environment, ports = environment_of(deployment), ports_of(deployment)
            self.assertEqual(environment["BFF__LISTEN"], f"0.0.0.0:{ports['http']}")
            self.assertEqual(environment["BFF__ADMIN__LISTEN"], f"0.0.0.0:{ports['admin']}")

    def test_routes_lead_to_the_public_port_and_never_to_the_admin_port(self):
        for overlay in [*ALONE, "local"]:
            services = {name_of(each): each for each in of_kind(overlay, "Service")}
            self.assertTrue(of_kind(overlay, "HTTPRoute"))
            for route in of_kind(overlay, "HTTPRoute"):
                for rule in route["spec"]["rules"]:
                    [backend] = rule["backendRefs"]
                    [port] = services[backend["name"]]["spec"]["ports"]
                    self.assertEqual((backend["port"], "http"), (port["port"], port["name"]))
                    self.assertEqual(port["appProtocol"], "kubernetes.io/h2c")

    def test_policies_of_the_gateway_are_about_routes_that_are_there(self):
        for overlay in [*ALONE, "local"]:
            routes = {name_of(each) for each in of_kind(overlay, "HTTPRoute")}
            targets = [target["name"] for each in of_kind(overlay, "BackendTrafficPolicy") for target in each["spec"]["targetRefs"]]
            self.assertEqual(sorted(targets), sorted(routes), "each route has one policy")
            for each in of_kind(overlay, "SecurityPolicy"):
                self.assertLessEqual({target["name"] for target in each["spec"]["targetRefs"]}, routes)


class Life(unittest.TestCase):
    def test_a_pod_has_time_to_drain(self):
        for overlay in ALONE + CANARIES:
            [deployment] = of_kind(overlay, "Deployment")
            environment = environment_of(deployment)
            lame_duck, drain = (seconds(environment[f"BFF__SERVER__{name}"]) for name in ("LAME_DUCK", "DRAIN_TIMEOUT"))
            grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
            admin_drain = 1
            self.assertGreater(grace, lame_duck + drain + admin_drain)
            self.assertGreaterEqual(lame_duck, 5)
            self.assertNotIn("lifecycle", container_of(deployment), "SIGTERM must come at once")

    def test_requests_that_run_may_end_in_a_drain(self):
        for overlay in ALONE:
            [deployment] = of_kind(overlay, "Deployment")
            drain = seconds(environment_of(deployment)["BFF__SERVER__DRAIN_TIMEOUT"])
            for route in of_kind(overlay, "HTTPRoute"):
                for rule in route["spec"]["rules"]:
                    self.assertGreater(drain, seconds(rule["timeouts"]["request"]))

    def test_a_node_can_be_drained(self):
        for overlay in [*ALONE, *CANARIES, "local"]:
            budgets = {name_of(each): each["spec"]["minAvailable"] for each in of_kind(overlay, "PodDisruptionBudget")}
            scalers = of_kind(overlay, "HorizontalPodAutoscaler")
            self.assertEqual({name_of(each) for each in scalers}, set(budgets))
            for each in scalers:
                spec = each["spec"]
                self.assertGreaterEqual(spec["minReplicas"], budgets[name_of(each)] + 1)
                self.assertGreaterEqual(spec["maxReplicas"], spec["minReplicas"])
                scaled = one(overlay, "Deployment", spec["scaleTargetRef"]["name"])
                self.assertNotIn("replicas", scaled["spec"], "two would say how many there are")

    def test_an_autoscaler_looks_at_the_processor_and_at_what_is_in_flight(self):
        for overlay in ALONE:
            [scaler] = of_kind(overlay, "HorizontalPodAutoscaler")
            cpu, in_flight = scaler["spec"]["metrics"]
            self.assertEqual(cpu["resource"]["name"], "cpu")
            self.assertEqual(in_flight["pods"]["metric"]["name"], "http_server_active_requests")
            [deployment] = of_kind(overlay, "Deployment")
            self.assertIn("cpu", container_of(deployment)["resources"]["requests"])

    def test_the_adapter_makes_the_metric_that_the_autoscaler_asks_for(self):
        [rule] = yaml.safe_load((ROOT / "k8s/prometheus-adapter.yaml").read_text(encoding="utf-8"))["rules"]["custom"]
        self.assertEqual(rule["name"]["as"], "http_server_active_requests")
        self.assertTrue(rule["metricsQuery"].startswith("sum by (<<.GroupBy>>) (http_server_active_requests"))


class Confinement(unittest.TestCase):
    def test_pods_are_as_the_restricted_standard_wants_them(self):
        for overlay in WITH_PODS:
            for deployment in of_kind(overlay, "Deployment"):
                pod, container = deployment["spec"]["template"]["spec"], container_of(deployment)
                with self.subTest(overlay=overlay, name=name_of(deployment)):
                    self.assertIs(pod["automountServiceAccountToken"], False)
                    self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
                    self.assertGreater(pod["securityContext"]["runAsUser"], 10_000)
                    self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertEqual(
                        container["securityContext"],
                        {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
                    )
                    self.assertEqual(set(container["resources"]["limits"]), {"cpu", "memory"})

    def test_namespaces_enforce_it(self):
        for overlay in ("local", "production/namespace"):
            [namespace] = of_kind(overlay, "Namespace")
            self.assertEqual(namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "restricted")

    def test_images_have_a_name_and_a_version(self):
        for overlay in WITH_PODS:
            for deployment in of_kind(overlay, "Deployment"):
                image = container_of(deployment)["image"]
                self.assertRegex(image, r"^[a-z0-9.-]+/[a-z0-9/-]+:[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?$")
                if name_of(deployment).removesuffix("-canary") in BFFS:
                    self.assertEqual(re.split("[/:]", image)[-2], name_of(deployment).removesuffix("-canary"))

    def test_secrets_are_files(self):
        for overlay in ALONE + CANARIES:
            [deployment] = of_kind(overlay, "Deployment")
            container = container_of(deployment)
            mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
            files = [value for name, value in environment_of(deployment).items() if name.endswith("_FILE")]
            self.assertGreaterEqual(len(files), 3)
            for file in files:
                self.assertTrue(file.startswith(mounts["secrets"] + "/"), file)
            self.assertFalse([variable for variable in container["env"] if "secretKeyRef" in str(variable)])

    def test_the_page_for_operators_names_every_secret(self):
        page = (ROOT / "docs/kubernetes.md").read_text(encoding="utf-8")
        for overlay in ALONE:
            [deployment] = of_kind(overlay, "Deployment")
            secrets = [volume["secret"]["secretName"] for volume in deployment["spec"]["template"]["spec"]["volumes"] if "secret" in volume]
            keys = [value.rsplit("/", 1)[1] for name, value in environment_of(deployment).items() if name.endswith("_FILE")]
            for name in secrets + keys:
                self.assertIn(f"`{name}`", page)

    def test_a_gateway_is_of_a_class_that_comes_with_it(self):
        for overlay in ("local", "production/gateway"):
            [gateway], [kind] = of_kind(overlay, "Gateway"), of_kind(overlay, "GatewayClass")
            self.assertEqual(gateway["spec"]["gatewayClassName"], name_of(kind))
