"""Sources of releases: tags of the checkout's repository, signed by who makes them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import ETC

SIGNERS = f"{ETC}/release-signers"  # ssh-keygen(1), "ALLOWED SIGNERS": one line for each who may sign a release
_TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Source:
    """A checkout with its own copy of all releases."""

    checkout: Path
    changes: Changes

    def fetch(self) -> None:
        """Ask where it was cloned from for new tags."""
        self._git("fetch", "--quiet", "--tags", "--force")

    def newest(self) -> str:
        """The tag with the highest number. Raises InstallError where there is none."""
        tags = [tag for tag in self._git("tag", "--list", "v*").split() if _TAG.fullmatch(tag)]
        if not tags:
            raise InstallError("the repository has no release yet: name a commit, `deploy/update --to COMMIT --unsigned`")
        return max(tags, key=_numbers)

    def verify(self, tag: str) -> None:
        """Raises InstallError unless somebody of SIGNERS signed it."""
        if not self.changes.path(SIGNERS).is_file():
            raise InstallError(
                f"{SIGNERS} is not there, so nobody can be recognised. docs/administrator/updates.md says where it comes from; "
                "--unsigned updates without it."
            )
        done = self.changes.tried(
            "git", "-c", f"safe.directory={self.checkout}", "-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={SIGNERS}",
            "-C", str(self.checkout), "verify-tag", tag,
        )  # fmt: skip
        if done.returncode:
            raise InstallError(f"{tag} is not signed by anybody of {SIGNERS}: it is not installed.\n{done.stderr.strip()}")

    @contextmanager
    def files_of(self, version: str) -> Iterator[Path]:
        """A folder with the files of a tag or commit, for a `with` block."""
        with tempfile.TemporaryDirectory(prefix="traboule-update-", dir="/var/tmp") as folder:
            place = Path(folder) / "release"
            self._git("worktree", "add", "--quiet", "--detach", str(place), version)
            try:
                yield place
            finally:
                self._git("worktree", "remove", "--force", str(place))

    def notes(self, before: str, after: str) -> str:
        """What changed between two releases, as CHANGELOG.md tells it; "" where that can't be said."""
        done = self.changes.tried(
            "git", "-c", f"safe.directory={self.checkout}", "-C", str(self.checkout), "diff", "--unified=0",
            before.partition("+")[0], after, "--", "CHANGELOG.md",
        )  # fmt: skip
        lines = [line[1:] for line in done.stdout.splitlines() if line.startswith("+") and not line.startswith("+++")]
        return "\n".join(lines[:60])

    def _git(self, *command: str) -> str:
        return self.changes.run("git", "-c", f"safe.directory={self.checkout}", "-C", str(self.checkout), *command)


def _numbers(tag: str) -> tuple[int, ...]:
    found = _TAG.fullmatch(tag)
    return tuple(map(int, found.groups())) if found else ()
