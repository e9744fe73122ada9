"""The BFFs themselves check the settings that they would get, with secrets that are as long as real ones."""

import os
import subprocess
import tempfile
import unittest
from base64 import b64decode, b64encode
from pathlib import Path

from rendered import BFFS, container_of, environment_of, name_of, of_kind, one, seconds

MOUNT = "/etc/triptych"
KEYS = '''
[[key]]
id = "acme01"
partner = "acme"
sha256 = "1b4042f3bae42f790b7d845f052d9a9e634bd9e768848f48290521bbc0a825c8"
scopes = ["orders:read"]
created_at = 2026-11-01T00:00:00Z
'''
MADE_UP = {"store-url": "rediss://triptych:hush@10.20.0.5:6380/0", "session-key": b64encode(bytes(32)).decode()}
OVERLAYS = {f"production/{bff}{track}": bff for bff in BFFS for track in ("", "-canary")}


def contents(overlay, volume):
    """{file name: text} of a volume; None for a secret that only the cluster has."""
    if "configMap" in volume:
        return one(overlay, "ConfigMap", volume["configMap"]["name"])["data"]
    for secret in of_kind(overlay, "Secret"):
        if name_of(secret) == volume["secret"]["secretName"]:
            return {key: b64decode(value).decode() for key, value in secret["data"].items()}
    return None


class Deployed:
    """A Deployment's files in a folder of their own, and its environment."""

    def __init__(self, overlay, bff, folder):
        [deployment] = [each for each in of_kind(overlay, "Deployment") if name_of(each).removesuffix("-canary") == bff]
        self.deployment = deployment
        own = {name: value for name, value in environment_of(deployment).items() if name.startswith("BFF__")}
        self.environment = {name: value.replace(MOUNT, folder) for name, value in own.items()}
        self.arguments = [argument.replace(MOUNT, folder) for argument in container_of(deployment)["args"]]
        volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
        for mount in container_of(deployment)["volumeMounts"]:
            place = Path(mount["mountPath"].replace(MOUNT, folder))
            place.mkdir()
            files = contents(overlay, volumes[mount["name"]])
            for name, text in (self.made_up(place) if files is None else files).items():
                (place / name).write_text(text.replace(MOUNT, folder), encoding="utf-8")

    def made_up(self, place):
        wanted = [Path(value).name for name, value in self.environment.items() if name.endswith("_FILE") and Path(value).parent == place]
        if place.name == "keys":
            return {"partner-keys.toml": KEYS}
        return {name: MADE_UP.get(name, "0123456789abcdef0123456789abcdef") for name in wanted}

    def check(self, bff):
        serve, *rest = self.arguments
        assert serve == "serve"
        return subprocess.run(
            [f"{os.environ['TRIPTYCH_BIN_DIR']}/{bff}", "check", *rest],
            env=self.environment, capture_output=True, text=True, check=False, timeout=30,
        )


class Settings(unittest.TestCase):
    def checked(self, overlay, bff):
        with tempfile.TemporaryDirectory() as folder:
            deployed = Deployed(overlay, bff, folder)
            done = deployed.check(bff)
            self.assertEqual(done.returncode, 0, f"{overlay}: {bff} check: {done.stderr}")
            return deployed, done.stdout

    def test_every_bff_takes_its_settings(self):
        for overlay, bff in [*OVERLAYS.items(), *(("local", bff) for bff in BFFS)]:
            with self.subTest(overlay=overlay, bff=bff):
                deployed, shown = self.checked(overlay, bff)
                for key in ("lame_duck", "drain_timeout"):
                    self.assertIn(f'{key} = "{deployed.environment["BFF__SERVER__" + key.upper()]}"', shown)
                self.assertIn('client_secret = "[redacted]"', shown)
                self.assertIn('url = "redis', shown, "more than one replica needs a store that all of them see")

    def test_a_route_waits_a_second_longer_than_its_bff(self):
        for overlay, bff in OVERLAYS.items():
            if overlay.endswith("-canary"):
                continue
            _, shown = self.checked(overlay, bff)
            [deadline] = [line.split('"')[1] for line in shown.splitlines() if line.startswith("deadline = ")]
            timeout = one(overlay, "HTTPRoute", bff)["spec"]["rules"][0]["timeouts"]["request"]
            self.assertEqual(seconds(timeout), seconds(deadline) + 1)

    def test_a_missing_secret_stops_a_bff(self):
        """Without it, the test above would say nothing of the secrets."""
        with tempfile.TemporaryDirectory() as folder:
            deployed = Deployed("production/web-bff", "web-bff", folder)
            (Path(folder) / "secrets/session-key").unlink()
            self.assertEqual(deployed.check("web-bff").returncode, 78)
