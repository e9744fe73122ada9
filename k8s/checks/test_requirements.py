"""All Python packages share one environment, so that each has one version."""

import re
import unittest

from python_env import ROOT

FILES = ("scripts/requirements.txt", "deploy/gateway/requirements.txt", "k8s/checks/requirements.txt")


def pinned(file):
    """{package: version} of a file of exact versions."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    pairs = (line.split()[0].split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {re.sub("[-_.]+", "-", name.lower()): version for name, version in pairs}


class Versions(unittest.TestCase):
    def test_no_file_undoes_another(self):
        versions = {}
        for file in FILES:
            for name, version in pinned(file).items():
                self.assertEqual(versions.setdefault(name, version), version, f"{name} in {file}")
        self.assertGreater(len(versions), 90)
