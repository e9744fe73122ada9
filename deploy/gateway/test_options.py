"""Envoy itself checks the configuration for every combination of options."""

import itertools
import re
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import forwarded
from running_gateway import ROOT
from test_tls import certificate, pair_of

TLS = ([], ["--tls-listen", "127.0.0.1:8443"], ["--tls-listen", "127.0.0.1:8443", "--http3"])
# Each of them on or off.
SWITCHES = {
    "otlp": ["--otlp", "collector:4317", "--trace-sampling", "0.1"],
    "trusted": ["--trust-traces-of", "10.0.0.0/8", "--trust-traces-of", "fd00::/8", "--hops", "2"],
    "rates": ["--rate-service", "ratelimit:8081"],
}
# Of these nothing else depends: they take turns.
REPLICAS = ([], ["--web", "web-bff:8081/9081", "--mobile", "[::1]:1/2,127.0.0.1:3/4", "--partner", "a:1,b:2"])
# A kernel's limit for one argument.
ARGUMENT_BYTES = 128 * 1024


def combinations():
    """The arguments of every combination."""
    choices = itertools.product(TLS, *(([], arguments) for arguments in SWITCHES.values()))
    for chosen, replicas in zip(choices, itertools.cycle(REPLICAS)):
        yield sum(chosen, replicas)


class Options(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.pair = pair_of(certificate(self.folder))

    def run_with(self, arguments):
        pair = self.pair if "--tls-listen" in arguments else []
        command = [ROOT / "scripts/gateway", *arguments, *pair]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def test_envoy_accepts_every_combination(self):
        every = list(combinations())
        with ThreadPoolExecutor(2) as pool:
            for arguments, done in zip(every, pool.map(lambda arguments: self.run_with([*arguments, "--validate"]), every)):
                with self.subTest(arguments):
                    self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_everything_at_once_fits_an_argument(self):
        file = self.folder / "envoy.yaml"
        everything = sum(SWITCHES.values(), [*TLS[-1], *REPLICAS[-1]])
        self.assertEqual(self.run_with([*everything, "--render-only", file]).returncode, 0)
        self.assertLess(file.stat().st_size, ARGUMENT_BYTES)
        self.assertIn(str(self.folder / "certificate.json"), file.read_text(encoding="utf-8"))
        self.assertIn("certificate.pem", (self.folder / "certificate.json").read_text(encoding="utf-8"))

    def test_options_that_need_others_say_so(self):
        for arguments, message in [
            (["--http3"], "--http3 needs --tls-listen"),
            (["--web", "a:1/2,b:1"], "has an admin port for some replicas and not for others"),
            (["--trust-traces-of", "a"], "is not a network"),
            (["--hops", "-1"], "--hops"),
        ]:
            failed = self.run_with([*arguments, "--validate"])
            self.assertIn(message, failed.stderr)
            self.assertNotEqual(failed.returncode, 0)


class Forwarded(unittest.TestCase):
    def test_all_but_two_headers_are_removed(self):
        self.assertEqual(forwarded.matcher(0), {"prefix": "x-forwarded-"})
        pattern = re.compile(forwarded.matcher(1)["safe_regex"]["regex"])
        for kept in ["x-forwarded-for", "x-forwarded-proto", "x-other", "forwarded"]:
            self.assertIsNone(pattern.fullmatch(kept), kept)
        for name in ["", "f", "fo", "fox", "fort", "forX", "host", "user", "p", "port", "prot", "protocol", "prefix", "email", "client-cert"]:
            self.assertIsNotNone(pattern.fullmatch(f"x-forwarded-{name}"), name)


if __name__ == "__main__":
    unittest.main()
