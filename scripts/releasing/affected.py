"""Which services a change touches, and why."""

import tempfile
from pathlib import PurePosixPath

from releasing.crates import Crates
from releasing.services import NAMES, WITH_CRATE, with_input

# Folders of a crate that are compiled for its tests and benchmarks alone, and files that are not compiled at all.
FOR_TESTS = ("tests", "benches", "examples")
NOT_COMPILED = (".md",)


class Reasons:
    """Why each service is affected, in words, each once."""

    def __init__(self):
        self._of = {name: [] for name in NAMES}

    def add(self, services, reason):
        for service in services:
            if reason not in self._of[service]:
                self._of[service].append(reason)

    def found(self):
        return {service: reasons for service, reasons in self._of.items() if reasons}


def affected(repository, base, work_tree=False):
    """{service: [reason]} for a change since `base` and HEAD parted, up to HEAD or to what is in the work tree."""
    base = repository.common(base)
    head = None if work_tree else repository.commit("HEAD")
    paths = repository.changed(base, head)
    reasons = Reasons()
    for path in paths:
        reasons.add(with_input(path), path)
    if not paths:
        return {}
    before, after = crates_at(repository, base), crates_at(repository, head)
    by_files(paths, before, after, reasons)
    by_settings(before, after, reasons)
    for service in WITH_CRATE:
        by_manifests(service, before, after, reasons)
        by_lock(service, before, after, reasons)
    return reasons.found()


def crates_at(repository, revision):
    if revision is None:
        return Crates(repository.root)
    with tempfile.TemporaryDirectory() as folder:
        repository.extract(revision, folder)
        return Crates(folder)


def by_files(paths, before, after, reasons):
    """A file of a crate touches whoever uses the crate, before or after the change."""
    for crates in (before, after):
        ways = {service: crates.ways(service) for service in WITH_CRATE}
        for path in paths:
            crate = crates.owner(path)
            if crate is None or not is_compiled(PurePosixPath(path).relative_to(crate.folder)):
                continue
            for service in WITH_CRATE:
                if way := ways[service].get(crate.name):
                    reasons.add([service], f"{path}{through(way)}")


def is_compiled(path):
    """A manifest is compared by what it says, not by its text."""
    return path.parts[0] not in FOR_TESTS and path.suffix not in NOT_COMPILED and path.name != "Cargo.toml"


def by_settings(before, after, reasons):
    for section in sorted(before.settings.keys() | after.settings.keys()):
        if before.settings.get(section) != after.settings.get(section):
            reasons.add(WITH_CRATE, f"Cargo.toml: [{section}]")


def by_manifests(service, before, after, reasons):
    """What a manifest says of what is compiled, with what the workspace's manifest puts into it."""
    old, new = before.ways(service), after.ways(service)
    for name in sorted(old.keys() | new.keys()):
        was, now = before.members.get(name), after.members.get(name)
        way = new.get(name) or old[name]
        if was is None or now is None or was.manifest != now.manifest:
            reasons.add([service], f"the manifest of {name}{through(way)}")


def by_lock(service, before, after, reasons):
    """Packages that Cargo.lock gives this service now and did not, or the other way round."""
    old, new = before.packages(service), after.packages(service)
    for name in sorted({package.name for package in old ^ new}):
        versions = [", ".join(sorted(one.version for one in packages if one.name == name)) for packages in (old, new)]
        was, now = (version or "none" for version in versions)
        changed = f"{was} to {now}" if was != now else f"{now}, resolved differently"
        reasons.add([service], f"Cargo.lock: {name} {changed}")


def through(way):
    return f" (through {' → '.join(way)})" if len(way) > 1 else ""
