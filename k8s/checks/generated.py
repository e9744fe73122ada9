"""The two manifests that are made of files elsewhere, so that there is one source of each: `scripts/manifests --write`."""

import json
import sys
from pathlib import Path

import yaml
from python_env import ROOT

sys.path.insert(0, str(ROOT / "deploy/gateway"))

import problems

PRODUCTION = ROOT / "k8s/overlays/production"
RULES = ROOT / "deploy/prometheus/rules"
# Only here does the gateway itself refuse a credential (components/tokens).
UNAUTHENTICATED = ("unauthenticated", "A valid credential is needed", 401, None)
HSTS = "max-age=31536000"


def manifests():
    """{path: content} of both."""
    return {PRODUCTION / "alerts/rules.yaml": prometheus_rule(RULES), PRODUCTION / "gateway/problems.yaml": problem_patch()}


def stale():
    """Those that are not what their sources say."""
    return [path for path, content in manifests().items() if not path.exists() or path.read_text(encoding="utf-8") != content]


def write():
    for path, content in manifests().items():
        path.write_text(content, encoding="utf-8")


def prometheus_rule(folder: Path):
    """The rules of all files, in the order of their names, as one object."""
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.yaml"))]
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "triptych"},
        "spec": {"groups": [group for file in files for group in file["groups"]]},
    }
    head = "# Made from deploy/prometheus/rules by `scripts/manifests --write`.\n"
    return head + yaml.safe_dump(rule, sort_keys=False, width=130, allow_unicode=True)


def problem_patch():
    """The gateway's own answers as problems (deploy/gateway/problems.py), put into what Envoy Gateway makes of the listener."""
    lines = "\n".join(f"            - {json.dumps(mapper)}" for mapper in mappers())
    return f"""\
# The gateway's own answers as problem details. Made from deploy/gateway/problems.py by `scripts/manifests --write`.
#
# Envoy Gateway has no policy for them, so this reaches into what it gives to Envoy. It must be allowed to: extensionApis
# with enableEnvoyPatchPolicy in its own configuration. Where it is not, its answers are plain text, and nothing else changes.
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata:
  name: triptych-problems
spec:
  targetRef: {{ group: gateway.networking.k8s.io, kind: Gateway, name: triptych }}
  type: JSONPatch
  jsonPatches:
    - type: type.googleapis.com/envoy.config.listener.v3.Listener
      name: triptych/triptych/https # namespace, Gateway, listener
      operation:
        op: add
        path: /filter_chains/0/filters/0/typed_config/local_reply_config
        value:
          mappers: # one on each line
{lines}
"""


def mappers():
    """As the gateway's own, with one more error, and with the one listener's word for how long TLS is insisted on."""
    own_errors = problems.OWN_ERRORS
    problems.OWN_ERRORS = [(401, None, UNAUTHENTICATED), *own_errors]
    try:
        made = problems.mappers()
    finally:
        problems.OWN_ERRORS = own_errors
    for mapper in made:
        for header in mapper["headers_to_add"]:
            if header["header"]["key"] == "strict-transport-security":
                header["header"]["value"] = HSTS
    return made
