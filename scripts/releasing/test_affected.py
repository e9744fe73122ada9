"""Tests of scripts/affected, over a small repository of the same form. Run by scripts/test."""

import re
import tempfile
import unittest
from pathlib import Path

from releasing.affected import affected, crates_at
from releasing.repository import Repository
from releasing.sample import CRATES, Sample, block
from releasing.services import NAMES, WITH_CRATE, Failure, find, version_of, with_input

ROOT = Path(__file__).resolve().parents[2]
ALL, CRATE = set(NAMES), set(WITH_CRATE)
BFFS = CRATE - {"demo-shop"}


def touch(path):
    return lambda sample: sample.write(path, "// changed\n")


def replace(path, old, new):
    return lambda sample: sample.replace(path, old, new)


def append(path, text):
    return lambda sample: sample.write(path, sample.read(path) + text)


def remove(path):
    return lambda sample: (sample.root / path).unlink()


def both(*changes):
    def change(sample):
        for one in changes:
            one(sample)

    return change


def locked(name, old="1.0.0", new="1.0.1"):
    """Another version of a package from outside."""
    return replace("Cargo.lock", f'name = "{name}"\nversion = "{old}"', f'name = "{name}"\nversion = "{new}"')


def manifest_gets(name, section, line):
    return replace(f"crates/{name}/Cargo.toml", f"[{section}]\n", f"[{section}]\n{line}\n")


REGISTRY = 'source = "registry+https://github.com/rust-lang/crates.io-index"'
# What changes, and whom it touches.
TABLE = {
    "nothing": (lambda sample: None, set()),
    "a service's source": (touch("crates/web-bff/src/screens/home.rs"), {"web-bff"}),
    "a file beside it": (touch("crates/web-bff/src/page.html"), {"web-bff"}),
    "a crate that two use": (touch("crates/identity/src/lib.rs"), {"web-bff", "partner-bff"}),
    "a crate below it": (touch("crates/store/src/redis.rs"), {"web-bff", "partner-bff"}),
    "a crate that all use": (touch("crates/service-runtime/src/lib.rs"), CRATE),
    "a crate for tests": (touch("crates/test-support/src/lib.rs"), set()),
    "tests of a crate": (touch("crates/store/tests/door.rs"), set()),
    "benchmarks of a crate": (touch("crates/store/benches/get.rs"), set()),
    "a crate's own document": (touch("crates/store/README.md"), set()),
    "a file that is gone": (both(touch("crates/screen/src/main.rs"), remove("crates/screen/src/lib.rs")), {"web-bff", "mobile-bff"}),
    "a new use": (manifest_gets("demo-shop", "dependencies", "screen.workspace = true"), {"demo-shop"}),
    "a use that ends": (replace("crates/mobile-bff/Cargo.toml", "screen.workspace = true\n", ""), {"mobile-bff"}),
    "a feature of a dependency": (
        replace("crates/screen/Cargo.toml", "bytes.workspace = true", 'bytes = { workspace = true, features = ["x"] }'),
        {"web-bff", "mobile-bff"},
    ),
    "a build script's dependency": (
        append("crates/store/Cargo.toml", "[build-dependencies]\ntoml.workspace = true\n"),
        {"web-bff", "partner-bff"},
    ),
    "a new use for tests": (manifest_gets("demo-shop", "dev-dependencies", "test-support.workspace = true"), set()),
    "a comment in a manifest": (manifest_gets("store", "dependencies", "# as before"), set()),
    "a version of its own": (replace("crates/web-bff/Cargo.toml", '"0.1.0"', '"0.2.0"'), {"web-bff"}),
    "the workspace's: a dependency of one": (replace("Cargo.toml", 'bytes = "1"', 'bytes = "1.5"'), {"web-bff", "mobile-bff", "partner-bff"}),
    "the workspace's: one of tests": (replace("Cargo.toml", 'rand = "1"', 'rand = "1.5"'), set()),
    "the workspace's: the edition": (replace("Cargo.toml", '"2024"', '"2021"'), CRATE),
    "the workspace's: lints": (replace("Cargo.toml", '"deny"', '"forbid"'), set()),
    "the profile of images": (replace("Cargo.toml", '"thin"', '"fat"'), CRATE),
    "the profile of tests": (replace("Cargo.toml", "debug = false", "debug = true"), set()),
    "the resolver": (replace("Cargo.toml", 'resolver = "3"', 'resolver = "2"'), CRATE),
    "a patch": (append("Cargo.toml", '[patch.crates-io]\nbytes = { git = "https://example.com/b" }\n'), CRATE),
    "locked: used by some": (locked("bytes"), BFFS),
    "locked: used by others' uses": (locked("winnow"), CRATE),
    "locked: used by tests": (both(locked("rand"), locked("rand_core")), set()),
    "locked: other bytes": (replace("Cargo.lock", "of-winnow-1", "of-winnow-2"), CRATE),
    "locked: a package more": (
        both(
            replace("Cargo.lock", 'name = "bytes"\nversion = "1.0.0"', 'name = "bytes"\nversion = "1.0.0"\ndependencies = [\n "serde",\n]'),
            append("Cargo.lock", "\n" + block("serde", "1.0.0", [REGISTRY], [])),
        ),
        BFFS,
    ),
    "locked: two versions, the tests' changes": (
        both(
            replace("Cargo.lock", '"rand_core"', '"rand_core 2.0.0"'),
            append("Cargo.lock", "\n" + block("rand_core", "2.0.0", [REGISTRY], [])),
        ),
        set(),
    ),
    "the toolchain": (touch("rust-toolchain.toml"), CRATE),
    "cargo's own settings": (touch(".cargo/config.toml"), CRATE),
    "the Dockerfile": (touch("deploy/Dockerfile"), CRATE),
    "the gateway's Dockerfile": (touch("deploy/gateway/Dockerfile"), {"gateway"}),
    "what the Dockerfile is not shown": (touch(".dockerignore"), ALL),
    "the gateway": (touch("deploy/gateway/envoy.yaml"), {"gateway"}),
    "the gateway's start": (touch("scripts/gateway"), {"gateway"}),
    "tests of the gateway": (both(touch("deploy/gateway/test_rates.py"), touch("deploy/gateway/stand_in.py")), set()),
    "the web app": (touch("deploy/web-app/views/shop.js"), {"gateway"}),
    "documents": (both(touch("docs/adopt.md"), touch("README.md"), touch("CHANGELOG.md")), set()),
    "scripts": (touch("scripts/test"), set()),
    "end-to-end tests": (touch("tests/tests/system/main.rs"), set()),
    "manifests of Kubernetes": (touch("k8s/base/web-bff/deployment.yaml"), set()),
    "dashboards": (touch("deploy/grafana/overview.json"), set()),
    "two things": (both(touch("crates/mobile-bff/src/main.rs"), touch("deploy/web-app/app.css")), {"mobile-bff", "gateway"}),
    "a name that needs quotes": (touch("crates/web-bff/src/ä \"b\".html"), {"web-bff"}),
}


class Affected(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.sample = Sample(folder.name)

    def test_whom_a_change_touches(self):
        for name, (change, expected) in TABLE.items():
            with self.subTest(name):
                self.sample.do("switch", "--quiet", "--force", "--create", re.sub(r"\W", "-", name), "main")
                change(self.sample)
                self.sample.do("add", "--all")
                self.sample.do("commit", "--quiet", "--allow-empty", "--message", name)
                self.assertEqual(set(affected(self.sample, "main")), expected)

    def test_the_work_tree_counts_when_it_is_asked_for(self):
        touch("crates/web-bff/src/main.rs")(self.sample)
        self.assertEqual(affected(self.sample, "HEAD"), {})
        self.assertEqual(list(affected(self.sample, "HEAD", work_tree=True)), ["web-bff"])

    def test_what_others_did_meanwhile_is_no_change_of_ours(self):
        self.sample.do("switch", "--quiet", "--create", "ours")
        touch("deploy/gateway/envoy.yaml")(self.sample)
        self.sample.commit_all("Ours")
        self.sample.do("switch", "--quiet", "main")
        touch("crates/store/src/lib.rs")(self.sample)
        self.sample.commit_all("Theirs")
        self.sample.do("switch", "--quiet", "ours")
        self.assertEqual(list(affected(self.sample, "main")), ["gateway"])

    def test_a_crate_that_is_gone_touches_who_used_it(self):
        self.sample.do("rm", "-r", "--quiet", "crates/screen")
        for name in ("web-bff", "mobile-bff"):
            self.sample.replace(f"crates/{name}/Cargo.toml", "screen.workspace = true\n", "")
        self.sample.replace("Cargo.toml", 'screen = { path = "crates/screen" }\n', "")
        self.sample.commit_all("Without screens")
        self.assertEqual(list(affected(self.sample, "HEAD~1")), ["web-bff", "mobile-bff"])

    def test_reasons(self):
        both(touch("crates/store/src/lib.rs"), locked("winnow"), touch("deploy/web-app/main.js"))(self.sample)
        self.sample.commit_all("Much")
        found = affected(self.sample, "HEAD~1")
        winnow = "Cargo.lock: winnow 1.0.0 to 1.0.1"
        self.assertEqual(found["web-bff"], ["crates/store/src/lib.rs (through web-bff → identity → store)", winnow])
        self.assertEqual(found["demo-shop"], [winnow])
        self.assertEqual(found["gateway"], ["deploy/web-app/main.js"])

    def test_a_revision_that_is_not_there(self):
        for base in ("nowhere", "0" * 40, "--all", ""):
            with self.assertRaisesRegex(Failure, "git knows no revision"):
                affected(self.sample, base)


class ThisRepository(unittest.TestCase):
    """What the script takes for granted here."""

    def test_the_sample_has_the_services(self):
        self.assertLessEqual(CRATE, CRATES.keys())

    def test_every_service_is_a_crate_or_has_a_version_file(self):
        crates = crates_at(Repository(ROOT), None)
        for name in NAMES:
            self.assertRegex(version_of(find(name), ROOT), r"^\d+\.\d+\.\d+")
        for name in WITH_CRATE:
            self.assertIn(name, crates.ways(name))
            self.assertTrue(crates.packages(name))

    def test_what_images_are_made_of_is_known_here(self):
        """Docker is shown nothing but what .dockerignore lets through."""
        ignore = ROOT / ".dockerignore"
        if not ignore.exists():
            self.skipTest("there are no images yet")
        shown = [line.removeprefix("!") for line in ignore.read_text(encoding="utf-8").splitlines() if line.startswith("!")]
        self.assertTrue(shown)
        for path in shown:
            of_crates = path in ("crates", "Cargo.lock") or path.endswith("Cargo.toml")
            self.assertTrue(of_crates or with_input(path), f"{path} goes into an image: say of which services in services.py")

    def test_no_crate_reads_a_file_outside_of_it(self):
        """Such a file would go into an image unnoticed. Tests hold this document against the code."""
        documents = {ROOT / "docs/problems.md"}
        for source in (ROOT / "crates").glob("*/src/**/*.rs"):
            crate = ROOT / "crates" / source.relative_to(ROOT / "crates").parts[0]
            for path in re.findall(r'include(?:_str|_bytes)?!\(\s*"([^"]+)"', source.read_text(encoding="utf-8")):
                read = (source.parent / path).resolve()
                self.assertTrue(read.is_relative_to(crate) or read in documents, f"{source} reads {path}")


if __name__ == "__main__":
    unittest.main()
