"""What git knows: revisions, what changed between them, and the tree of one."""

import io
import subprocess
import tarfile
from pathlib import Path

from releasing.services import Failure


class Repository:
    def __init__(self, root):
        self.root = Path(root)

    def git(self, *arguments):
        """What git prints; git's own last line is the failure's."""
        return self._run(*arguments).decode(errors="surrogateescape").strip()

    def commit(self, revision):
        found = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if found is None:
            raise Failure(f"git knows no revision {revision!r}: a shallow clone has only the last one (fetch-depth: 0)")
        return found.decode().strip()

    def common(self, base, head="HEAD"):
        """Where the two parted: what was done on `base` since then is no change of `head`."""
        found = self._try("merge-base", self.commit(base), self.commit(head))
        if found is None:
            raise Failure(f"{base} and {head} have no commit in common")
        return found.decode().strip()

    def changed(self, base, head=None):
        """The paths that differ between two revisions; without `head`, also what is not committed yet. A file that moved counts twice."""
        compared = [base] if head is None else [base, head]
        paths = self._run("diff", "--name-only", "--no-renames", "-z", *compared, "--").split(b"\0")
        if head is None:
            paths += self._run("ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
        return sorted({path.decode(errors="surrogateescape") for path in paths if path})

    def extract(self, revision, folder):
        """Puts the tree of a revision into a folder: as it is there, whatever the work tree looks like."""
        # Python knows the filter from 3.12 on, and in corrections of older versions.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        with tarfile.open(fileobj=io.BytesIO(self._run("archive", "--format=tar", revision))) as archive:
            archive.extractall(folder, **safely)

    def _try(self, *arguments):
        done = self._git(*arguments)
        return done.stdout if done.returncode == 0 else None

    def _run(self, *arguments):
        done = self._git(*arguments)
        if done.returncode != 0:
            reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it gives no reason"]
            raise Failure(f"git {arguments[0]}: {reason[0]}")
        return done.stdout

    def _git(self, *arguments):
        # A checkout of somebody else's, as in a container, is no reason to refuse to read.
        command = ["git", "-c", f"safe.directory={self.root}", *arguments]
        try:
            return subprocess.run(command, cwd=self.root, capture_output=True, check=False)
        except FileNotFoundError:
            raise Failure("git is missing") from None
