"""Versions as https://semver.org orders them, and where the tree says a service's."""

import re
from dataclasses import dataclass

from releasing.services import Failure

NUMBER = r"(?:0|[1-9]\d*)"
IDENTIFIER = rf"(?:{NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)"
# Without build metadata, which image tags cannot carry and which orders nothing.
FORM = re.compile(rf"({NUMBER})\.({NUMBER})\.({NUMBER})(?:-({IDENTIFIER}(?:\.{IDENTIFIER})*))?")


@dataclass(frozen=True)
class Version:
    text: str
    order: tuple

    @classmethod
    def parse(cls, text):
        found = FORM.fullmatch(text)
        if not found:
            raise Failure(f"{text!r} is no version: write MAJOR.MINOR.PATCH, such as 1.4.0 or 1.4.0-rc.1")
        *numbers, before = found.groups()
        # What comes before a release is lower than it, numbers are lower than names.
        parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in before.split(".")] if before else []
        return cls(text, (*map(int, numbers), before is None, parts))


def with_version(service, text, version):
    """The file of a service's version, with another one."""
    if not service.has_crate:
        return f"{version.text}\n"
    head, section, rest = text.partition("\n[")
    return re.sub(r'^version = ".*"$', f'version = "{version.text}"', head, count=1, flags=re.MULTILINE) + section + rest


def lock_with_version(service, text, version):
    """Cargo.lock, in which the members of the workspace stand, too."""
    entry = re.compile(rf'^(name = "{re.escape(service.name)}"\nversion = )".*"$', re.MULTILINE)
    changed, count = entry.subn(rf'\g<1>"{version.text}"', text)
    if count != 1:
        raise Failure(f"Cargo.lock has {service.name} {count} times")
    return changed


def overlay_with_version(path, text, version):
    """A kustomization, in which the image has its tag."""
    changed, count = re.subn(r"\b(newTag:\s*)[^\s,}]+", rf"\g<1>{version.text}", text)
    if count != 1:
        raise Failure(f"{path} has {count} images with a newTag, and should have one")
    return changed
