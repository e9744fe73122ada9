"""Which images a push publishes, and under which version."""

import re

from releasing.affected import affected
from releasing.services import NAMES, Failure, find, version_of

BRANCH = "refs/heads/"
TAG = "refs/tags/"
# Of a tag `web-bff-v1.4.0`. No service has `-v` in its name.
RELEASED = re.compile(r"(?P<service>.+)-v(?P<version>[^-].*)")
# What GitHub says was there before the first push to a branch.
NOTHING = "0" * 40


def images(repository, ref, before):
    """One {service, version, dockerfile} for each image."""
    if ref.startswith(TAG):
        return [image(*released(repository, ref.removeprefix(TAG)))]
    if not ref.startswith(BRANCH):
        raise Failure(f"{ref!r} is neither a branch nor a tag")
    touched = NAMES if before == NOTHING else affected(repository, before)
    version = f"{ref.removeprefix(BRANCH).replace('/', '-')}-{repository.commit('HEAD')[:12]}"
    return [image(service, version) for service in touched]


def released(repository, tag):
    """The service and the version that a tag names, if they are what the tree says."""
    found = RELEASED.fullmatch(tag)
    if not found:
        raise Failure(f"the tag {tag} names no release: scripts/release makes such as web-bff-v1.4.0")
    service, version = find(found["service"]), found["version"]
    said = version_of(service, repository.root)
    if said != version:
        raise Failure(f"the tag {tag} is on a commit where {service.name} is {said}")
    return service.name, version


def image(service, version):
    return {"service": service, "version": version, "dockerfile": find(service).dockerfile}
