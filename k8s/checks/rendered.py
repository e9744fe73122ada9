"""The overlays as kustomize renders them. scripts/manifests renders them once, into the folder that TRIPTYCH_MANIFESTS names."""

import os
from functools import cache
from pathlib import Path

import yaml

OVERLAYS = Path(__file__).resolve().parent.parent / "overlays"
BFFS = ("web-bff", "mobile-bff", "partner-bff")
CUSTOM_GROUPS = ("gateway.networking.k8s.io", "gateway.envoyproxy.io", "monitoring.coreos.com")


def overlays():
    """Every folder that can be applied, such as "production/web-bff"."""
    return sorted(str(file.parent.relative_to(OVERLAYS)) for file in OVERLAYS.rglob("kustomization.yaml"))


def file_of(overlay):
    return Path(os.environ["TRIPTYCH_MANIFESTS"]) / (overlay.replace("/", "-") + ".yaml")


@cache
def objects(overlay):
    """The objects of an overlay. Nobody changes them."""
    return [each for each in yaml.safe_load_all(file_of(overlay).read_text(encoding="utf-8")) if each]


def of_kind(overlay, kind):
    return [each for each in objects(overlay) if each["kind"] == kind]


def name_of(each):
    return each["metadata"]["name"]


def one(overlay, kind, name):
    [found] = [each for each in of_kind(overlay, kind) if name_of(each) == name]
    return found


def is_custom(each):
    return each["apiVersion"].split("/")[0] in CUSTOM_GROUPS


def matches(selector, labels):
    """Whether a selector of Kubernetes finds an object with these labels."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", f"{expression['operator']} is not read here"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


def pods(overlay):
    """{name: (labels, {port name: number})} of the Deployments."""
    return {name_of(each): (each["spec"]["template"]["metadata"]["labels"], ports_of(each)) for each in of_kind(overlay, "Deployment")}


def container_of(deployment):
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    return container


def pods_of(overlay, service):
    """{port name: number} of the pods of a Service."""
    [ports] = [ports for labels, ports in pods(overlay).values() if matches({"matchLabels": service["spec"]["selector"]}, labels)]
    return ports


def ports_of(deployment):
    return {port["name"]: port["containerPort"] for port in container_of(deployment)["ports"]}


def environment_of(deployment):
    return {variable["name"]: variable.get("value") for variable in container_of(deployment)["env"]}


def seconds(text):
    """1.5 from "1s 500ms"."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
    total = 0.0
    for part in text.split():
        unit = next(unit for unit in units if part.endswith(unit) and part.removesuffix(unit).isdigit())
        total += int(part.removesuffix(unit)) * units[unit]
    return total
