"""Tests of scripts/publishing, over a small repository of the same form. Run by scripts/test."""

import re
import tempfile
import unittest
from pathlib import Path

from releasing import release
from releasing.publishing import NOTHING, images
from releasing.sample import Sample
from releasing.services import NAMES, Failure, find
from releasing.versions import Version

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github/workflows/publish.yml"


class Publishing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.sample = Sample(folder.name)
        self.before = self.sample.commit("HEAD")

    def test_a_push_publishes_what_it_touches(self):
        self.sample.write("crates/identity/src/lib.rs", "// changed\n")
        self.sample.commit_all("Change")
        self.sample.write("deploy/web-app/app.css", "/* changed */\n")
        self.sample.commit_all("Change more")
        version = f"main-{self.sample.commit('HEAD')[:12]}"
        programs = [{"service": name, "version": version, "dockerfile": "deploy/Dockerfile"} for name in ("web-bff", "partner-bff")]
        gateway = {"service": "gateway", "version": version, "dockerfile": "deploy/gateway/Dockerfile"}
        self.assertEqual(images(self.sample, "refs/heads/main", self.before), [*programs, gateway])

    def test_a_push_that_touches_none(self):
        self.sample.write("README.md", "Changed\n")
        self.sample.commit_all("Change")
        self.assertEqual(images(self.sample, "refs/heads/main", self.before), [])

    def test_the_first_push_publishes_all(self):
        self.assertEqual([one["service"] for one in images(self.sample, "refs/heads/main", NOTHING)], list(NAMES))

    def test_a_push_after_what_is_gone_is_no_guess(self):
        with self.assertRaisesRegex(Failure, "git knows no revision"):
            images(self.sample, "refs/heads/main", "1" * 40)

    def test_a_tag_publishes_one(self):
        release.plan(self.sample, find("web-bff"), Version.parse("1.0.0-rc.1"), "2027-01-31").make(self.sample)
        expected = [{"service": "web-bff", "version": "1.0.0-rc.1", "dockerfile": "deploy/Dockerfile"}]
        self.assertEqual(images(self.sample, "refs/tags/web-bff-v1.0.0-rc.1", NOTHING), expected)

    def test_a_tag_that_is_none_of_ours(self):
        for tag, reason in (
            ("web-bff-v9.9.9", "on a commit where web-bff is 0.1.0"),
            ("store-v0.1.0", "no service 'store'"),
            ("v0.1.0", "names no release"),
            ("web-bff-v", "names no release"),
        ):
            with self.subTest(tag), self.assertRaisesRegex(Failure, reason):
                images(self.sample, f"refs/tags/{tag}", NOTHING)

    def test_other_refs(self):
        with self.assertRaisesRegex(Failure, "neither a branch nor a tag"):
            images(self.sample, "refs/pull/1/merge", NOTHING)

    def test_the_workflow_uses_what_is_said(self):
        text = WORKFLOW.read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r"matrix\.image\.(\w+)", text)), {"service", "version", "dockerfile"})
        self.assertIn("scripts/publishing", text)


if __name__ == "__main__":
    unittest.main()
