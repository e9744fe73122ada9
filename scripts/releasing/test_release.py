"""Tests of scripts/release, over a small repository of the same form. Run by scripts/test."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from releasing import changelog, release
from releasing.affected import affected
from releasing.sample import Sample
from releasing.services import NAMES, Failure, find, version_of
from releasing.versions import Version

ROOT = Path(__file__).resolve().parents[2]
DATE = "2027-01-31"
OVERLAY = "k8s/overlays/production/web-bff/kustomization.yaml"
KUSTOMIZATION = "resources:\n  - ../../../bases/web-bff\nimages:\n"

AFTERWARDS = """\
## Unreleased

### Repository

#### Added

- A script.

### web-bff

### mobile-bff

### gateway

#### Changed

- It is quicker.

## web-bff 0.2.0 - 2027-01-31

### Added

- A dashboard.
- Sessions.

### Fixed

- A crash.
"""


class Releases(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.sample = Sample(folder.name)

    def plan(self, name, version):
        return release.plan(self.sample, find(name), Version.parse(version), DATE)

    def make(self, name, version):
        planned = self.plan(name, version)
        planned.make(self.sample)
        return planned

    def refused(self, reason, name="web-bff", version="0.2.0"):
        before = self.sample.git("rev-parse", "HEAD"), self.sample.git("status", "--porcelain"), self.sample.git("tag")
        with self.assertRaisesRegex(Failure, reason) as failure:
            self.make(name, version)
        self.assertNotIn("\n", str(failure.exception))
        after = self.sample.git("rev-parse", "HEAD"), self.sample.git("status", "--porcelain"), self.sample.git("tag")
        self.assertEqual(before, after)

    def test_a_release_is_one_commit_and_a_tag(self):
        self.make("web-bff", "0.2.0")
        self.assertEqual(self.sample.git("rev-list", "--count", "HEAD"), "2")
        self.assertEqual(self.sample.git("rev-parse", "HEAD"), self.sample.git("rev-parse", "web-bff-v0.2.0^{commit}"))
        self.assertEqual(self.sample.git("cat-file", "-t", "web-bff-v0.2.0"), "tag")
        self.assertEqual(self.sample.git("status", "--porcelain"), "")
        subject, _, body = self.sample.git("log", "-1", "--format=%B").partition("\n\n")
        self.assertEqual(subject, "Release web-bff 0.2.0")
        self.assertEqual(body, "### Added\n\n- A dashboard.\n- Sessions.\n\n### Fixed\n\n- A crash.")

    def test_what_it_writes(self):
        self.make("web-bff", "0.2.0")
        self.assertEqual(self.sample.git("diff", "--name-only", "HEAD~1").split(), ["CHANGELOG.md", "Cargo.lock", "crates/web-bff/Cargo.toml"])
        self.assertEqual(self.sample.read("CHANGELOG.md").partition("What changes.\n\n")[2], AFTERWARDS)
        changed = [line for line in self.sample.git("diff", "-U0", "HEAD~1", "--", "*.toml", "*.lock").splitlines() if re.match(r"[+-]\w", line)]
        self.assertEqual(changed, ['-version = "0.1.0"', '+version = "0.2.0"'] * 2)
        self.assertEqual(version_of(find("mobile-bff"), self.sample.root), "0.1.0")

    def test_a_release_touches_the_service_alone(self):
        self.make("web-bff", "0.2.0")
        self.assertEqual(list(affected(self.sample, "HEAD~1")), ["web-bff"])

    def test_the_gateway_has_no_crate(self):
        self.make("gateway", "1.0.0")
        self.assertEqual(self.sample.read("deploy/gateway/VERSION"), "1.0.0\n")
        self.assertEqual(self.sample.git("diff", "--name-only", "HEAD~1").split(), ["CHANGELOG.md", "deploy/gateway/VERSION"])
        self.assertEqual(list(affected(self.sample, "HEAD~1")), ["gateway"])

    def test_the_overlay_follows(self):
        for image, expected in (
            ("  - { name: ghcr.io/triptych/web-bff, newTag: 0.1.0 }\n", "  - { name: ghcr.io/triptych/web-bff, newTag: 0.2.0 }\n"),
            ("  - name: web-bff\n    newTag: 0.1.0 # of the image\n", "  - name: web-bff\n    newTag: 0.2.0 # of the image\n"),
        ):
            with self.subTest(image):
                self.sample.write(OVERLAY, KUSTOMIZATION + image)
                self.sample.commit_all("Overlay")
                self.make("web-bff", "0.2.0")
                self.assertEqual(self.sample.read(OVERLAY), KUSTOMIZATION + expected)
                self.sample.do("tag", "--delete", "web-bff-v0.2.0")
                self.sample.do("reset", "--quiet", "--hard", "HEAD~2")

    def test_an_overlay_of_two_images_is_refused(self):
        self.sample.write(OVERLAY, KUSTOMIZATION + 2 * "  - { name: web-bff, newTag: 0.1.0 }\n")
        self.sample.commit_all("Overlay")
        self.refused("has 2 images with a newTag")

    def test_an_overlay_without_an_image_stays(self):
        self.sample.write(OVERLAY.replace("web-bff", "gateway"), "resources: [gateway.yaml]\n")
        self.sample.commit_all("Overlay")
        self.make("gateway", "1.0.0")

    def test_one_after_the_other(self):
        self.make("web-bff", "0.2.0-rc.1")
        self.sample.replace("CHANGELOG.md", "### web-bff\n", "### web-bff\n\n#### Fixed\n\n- Another crash.\n")
        self.sample.commit_all("Mend")
        self.make("web-bff", "0.2.0")
        titles = re.findall(r"^## .*", self.sample.read("CHANGELOG.md"), re.MULTILINE)
        self.assertEqual(titles, ["## Unreleased", f"## web-bff 0.2.0 - {DATE}", f"## web-bff 0.2.0-rc.1 - {DATE}"])

    def test_what_is_refused(self):
        self.refused("there is no service 'web'", name="web")
        self.refused("'v1.0.0' is no version", version="v1.0.0")
        self.refused("web-bff is 0.1.0 already: 0.1.0 is not higher", version="0.1.0")
        self.refused("0.1.0-rc.1 is not higher", version="0.1.0-rc.1")
        self.refused("says nothing of mobile-bff", name="mobile-bff")
        self.refused("says nothing of demo-shop", name="demo-shop")
        self.sample.write("note.txt", "not committed\n")
        self.refused("1 files are not committed")

    def test_only_on_main(self):
        self.sample.do("switch", "--quiet", "--create", "other")
        self.refused("releases are made on main, this is other")
        self.sample.do("switch", "--quiet", "--detach")
        self.refused("this is no branch")

    def test_a_tag_that_is_there(self):
        self.sample.do("tag", "web-bff-v0.2.0")
        self.refused("there is a tag web-bff-v0.2.0 already")

    def test_a_commit_that_is_refused_leaves_nothing(self):
        hook = self.sample.root / ".git/hooks/pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'not today' >&2\nexit 1\n", encoding="utf-8")
        hook.chmod(0o755)
        self.refused("git commit: not today")

    def test_a_tag_that_is_refused_leaves_nothing(self):
        # A folder of that name is where the tag's file would be.
        (self.sample.root / ".git/refs/tags/web-bff-v0.2.0/x").mkdir(parents=True)
        (self.sample.root / ".git/refs/tags/web-bff-v0.2.0/x/lock").touch()
        self.refused("git tag: ")

    def test_a_changelog_of_another_form_is_refused(self):
        for old, new, reason in (
            ("## Unreleased", "## Later", "no section '## Unreleased'"),
            ("### gateway", "### envoy", "a section 'envoy'"),
            ("### gateway", "### web-bff", "web-bff twice"),
            ("#### Fixed", "#### Mended", "'Mended' in web-bff"),
            ("### Repository", "Much.\n\n### Repository", "in no section: 'Much.'"),
        ):
            with self.subTest(reason):
                self.sample.replace("CHANGELOG.md", old, new)
                self.sample.commit_all(reason)
                self.refused(reason)
                self.sample.do("reset", "--quiet", "--hard", "HEAD~1")

    def test_a_dry_run_shows_everything(self):
        planned = self.plan("web-bff", "0.2.0")
        shown = planned.diff(self.sample.root)
        self.assertEqual(self.sample.git("status", "--porcelain"), "")
        planned.make(self.sample)
        told = [line for line in shown.splitlines() if re.match(r"[+-][^+-]", line)]
        done = [line for line in self.sample.git("diff", "HEAD~1").splitlines() if re.match(r"[+-][^+-]", line)]
        self.assertEqual(sorted(told), sorted(done))


class Versions(unittest.TestCase):
    def test_order(self):
        # The example of https://semver.org, item 11, with releases around it.
        ordered = ["0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1"]
        ordered += ["1.0.0", "1.0.10", "1.2.0", "1.10.0", "2.0.0"]
        self.assertEqual(sorted(reversed(ordered), key=lambda text: Version.parse(text).order), ordered)

    def test_what_is_none(self):
        for text in ("", "1", "1.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0+build", " 1.0.0", "1.0.0\n", "1.0.x", "latest"):
            with self.subTest(text), self.assertRaises(Failure):
                Version.parse(text)


class ThisRepository(unittest.TestCase):
    def test_the_changelog_could_be_released(self):
        text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        sections = changelog.split(changelog.unreleased(text)[1], "### ")
        changelog.check(sections)
        self.assertEqual(set(NAMES) - sections.keys(), set(), "every service has its place")

    def test_the_program_says_what_is_wrong_in_one_line(self):
        for arguments, reason in ((["web", "1.4.0"], "there is no service 'web'"), (["web-bff", "1.4"], "'1.4' is no version"), (["web-bff", "0.0.1"], "not higher")):
            done = subprocess.run([ROOT / "scripts/release", *arguments, "--dry-run"], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1), done.stderr)
            self.assertIn(reason, done.stderr)


if __name__ == "__main__":
    unittest.main()
