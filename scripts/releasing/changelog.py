"""CHANGELOG.md: what is unreleased has a section for each service, which becomes the section of a release.

    ## Unreleased            ## Unreleased
    ### web-bff              ### web-bff
    #### Added          →    ### mobile-bff
    - Something.             …
    ### mobile-bff           ## web-bff 1.4.0 - 2027-01-31
    …                        ### Added
                             - Something.
"""

from releasing.services import NAMES, Failure

UNRELEASED = "## Unreleased"
# What is of no service: scripts, documents, the build. It is never released.
REPOSITORY = "Repository"
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")


def released(text, service, version, date):
    """The changelog after a release, and what the release says."""
    before, body, after = unreleased(text)
    sections = split(body, "### ")
    check(sections)
    entries = sections.get(service.name, "").strip()
    if not entries:
        raise Failure(f"CHANGELOG.md says nothing of {service.name} under Unreleased: write what changes for those who use it")
    notes = entries.replace("#### ", "### ")
    sections[service.name] = ""
    left = "\n\n".join(f"### {name}\n\n{of.strip()}".strip() for name, of in sections.items())
    title = f"## {service.name} {version.text} - {date}"
    return f"{before}{UNRELEASED}\n\n{left}\n\n{title}\n\n{notes}\n{after}", notes


def unreleased(text):
    """What stands before the section, in it, and after it."""
    before, heading, rest = text.partition(f"{UNRELEASED}\n")
    if not heading:
        raise Failure(f"CHANGELOG.md has no section {UNRELEASED!r}")
    body, following, after = rest.partition("\n## ")
    return before, body, f"{following}{after}"


def split(text, heading):
    """{title: what stands under it}, in order."""
    lead, *parts = f"\n{text}".split(f"\n{heading}")
    if lead.strip():
        raise Failure(f"CHANGELOG.md has a line under Unreleased that is in no section: {lead.strip().splitlines()[0]!r}")
    sections = {}
    for title, _, body in (part.partition("\n") for part in parts):
        if title in sections:
            raise Failure(f"CHANGELOG.md has {title} twice under Unreleased")
        sections[title] = body
    return sections


def check(sections):
    """Whether everything that is unreleased is where a release would look for it."""
    for name, body in sections.items():
        if name not in (*NAMES, REPOSITORY):
            raise Failure(f"CHANGELOG.md has a section {name!r} under Unreleased: it is a service or {REPOSITORY}")
        for kind in split(body, "#### "):
            if kind not in KINDS:
                raise Failure(f"CHANGELOG.md has {kind!r} in {name}: it is one of {', '.join(KINDS)}")
