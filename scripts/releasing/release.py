"""One release of one service: what is checked, what is written, what is committed and tagged."""

import difflib
from dataclasses import dataclass

from releasing import changelog
from releasing.services import Failure, read_version
from releasing.versions import Version, lock_with_version, overlay_with_version, with_version

BRANCH = "main"
CHANGELOG = "CHANGELOG.md"
LOCK = "Cargo.lock"


@dataclass
class Release:
    """What would be done. `files` is {path: text}."""

    service: object
    version: Version
    files: dict
    notes: str

    @property
    def tag(self):
        return f"{self.service.name}-v{self.version.text}"

    @property
    def message(self):
        return f"Release {self.service.name} {self.version.text}\n\n{self.notes}\n"

    def diff(self, root):
        lines = []
        for path, text in self.files.items():
            was = (root / path).read_text(encoding="utf-8").splitlines(keepends=True)
            lines += difflib.unified_diff(was, text.splitlines(keepends=True), f"a/{path}", f"b/{path}")
        return "".join(lines)

    def make(self, repository):
        """Writes, commits and tags; what git refuses leaves the tree as it was."""
        for path, text in self.files.items():
            (repository.root / path).write_text(text, encoding="utf-8")
        head = repository.commit("HEAD")
        try:
            # The changelog's headings are no comments.
            repository.git("commit", "--quiet", "--cleanup=whitespace", "--message", self.message, "--only", "--", *self.files)
            repository.git("tag", "--annotate", "--cleanup=whitespace", "--message", self.message, self.tag)
        except Failure:
            repository.git("reset", "--quiet", "--soft", head)
            repository.git("checkout", "--quiet", head, "--", *self.files)
            raise


def plan(repository, service, version, date):
    """The release, if everything speaks for it."""
    text = {path: (repository.root / path).read_text(encoding="utf-8") for path in paths(repository.root, service)}
    current = Version.parse(read_version(service, text[service.version_file]))
    if version.order <= current.order:
        raise Failure(f"{service.name} is {current.text} already: {version.text} is not higher")
    check_repository(repository)
    release = Release(service, version, {}, "")
    if repository.git("tag", "--list", release.tag):
        raise Failure(f"there is a tag {release.tag} already")
    text[CHANGELOG], release.notes = changelog.released(text[CHANGELOG], service, version, date)
    text[service.version_file] = with_version(service, text[service.version_file], version)
    if LOCK in text:
        text[LOCK] = lock_with_version(service, text[LOCK], version)
    if (overlay := overlay_of(service)) in text:
        text[overlay] = overlay_with_version(overlay, text[overlay], version)
    release.files = text
    return release


def check_repository(repository):
    branch = repository.git("branch", "--show-current")
    if branch != BRANCH:
        raise Failure(f"releases are made on {BRANCH}, this is {branch or 'no branch'}")
    if changes := repository.git("status", "--porcelain"):
        raise Failure(f"{len(changes.splitlines())} files are not committed: a release is what everybody can see")


def paths(root, service):
    """Every file that a release changes."""
    found = [service.version_file, CHANGELOG]
    found += [LOCK] if service.has_crate else []
    return found + [path for path in [overlay_of(service)] if names_an_image(root / path)]


def names_an_image(overlay):
    """The gateway's has none: in Kubernetes its image is that of the one who implements the Gateway API."""
    return overlay.exists() and "newTag:" in overlay.read_text(encoding="utf-8")


def overlay_of(service):
    return f"k8s/overlays/production/{service.name}/kustomization.yaml"
