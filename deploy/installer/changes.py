"""Changes: everything that the installer does to a machine goes through here, is told, and is done only where it is needed.

Of each file that was written a digest is kept. Where the file is another one next time, somebody edited it: that copy is put
aside, and told, before ours is written again. What was there before the first time is put aside too.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHOWN = 3_000  # characters of what a command that failed said
_PATIENCE = 1_800  # seconds: packages on a slow line


class InstallError(Exception):
    """What keeps the installation from going on, with what to do next."""


class Changes:
    """Of one run. `root` is "/" but for tests; `say` tells each change in a line."""

    def __init__(self, root: Path, say: Callable[[str], None]) -> None:
        self.root, self.say = root, say
        self.made: list[str] = []
        self._place = root / "var/lib/traboule-install"
        self._moment = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
        self._digests: dict[str, str] = _read_json(self._place / "files.json")

    # --- telling -----------------------------------------------------------------------------------------------------

    def tell(self, words: str) -> None:
        """A change was made."""
        self.made.append(words)
        self.say(f"  {words}")

    def note(self, words: str) -> None:
        """Something to know, that is no change."""
        self.say(f"  ({words})")

    # --- commands ----------------------------------------------------------------------------------------------------

    def run(
        self, *command: str, typed: str | None = None, environment: Mapping[str, str] | None = None, folder: str | None = None
    ) -> str:
        """Run a command; what it printed. Raises InstallError with its last words."""
        done = self.tried(*command, typed=typed, environment=environment, folder=folder)
        if done.returncode:
            words = (done.stdout + done.stderr).strip()[-_SHOWN:]
            raise InstallError(f"“{' '.join(command)}” failed ({done.returncode}):\n{words}")
        return done.stdout

    def tried(
        self, *command: str, typed: str | None = None, environment: Mapping[str, str] | None = None, folder: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever comes of it."""
        known = {"PATH": _PATH, "LANG": "C.UTF-8", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive", **(environment or {})}
        known |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy") or name.startswith("PIP_")}
        stdin = {"input": typed} if typed is not None else {"stdin": subprocess.DEVNULL}
        try:
            return subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                env=known,
                cwd=folder,
                timeout=_PATIENCE,
                check=False,
                **stdin,
            )
        except FileNotFoundError as error:
            return subprocess.CompletedProcess(command, 127, "", str(error))
        except subprocess.TimeoutExpired as error:
            raise InstallError(f"“{' '.join(command)}” has not ended after {_PATIENCE // 60} minutes.") from error

    # --- packages, users, services -----------------------------------------------------------------------------------

    def install_packages(self, names: Sequence[str]) -> None:
        """Debian's packages that are not there yet."""
        missing = [name for name in names if not self.has_package(name)]
        if not missing:
            return
        self.run("apt-get", "update", "-q")
        self.run(
            "apt-get", "install", "-q", "-y", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", *missing
        )  # fmt: skip
        self.tell(f"installed {', '.join(missing)}")

    def has_package(self, name: str) -> bool:
        done = self.tried("dpkg-query", "-W", "-f", "${db:Status-Status}", name)
        return done.returncode == 0 and done.stdout == "installed"

    def make_user(self, name: str, home: str) -> None:
        """A system user with a group of the same name."""
        try:
            pwd.getpwnam(name)
        except KeyError:
            self.run("adduser", "--quiet", "--system", "--group", "--home", home, name)
            self.tell(f"made the user {name}")

    def join_group(self, user: str, group: str) -> bool:
        """Whether the user was not in it."""
        if user in grp.getgrnam(group).gr_mem:
            return False
        self.run("usermod", "-a", "-G", group, user)
        self.tell(f"added {user} to the group {group}")
        return True

    def enable(self, *units: str) -> None:
        """Units that start now and at each boot."""
        for unit in units:
            enabled = self.tried("systemctl", "is-enabled", "-q", unit).returncode == 0
            active = self.tried("systemctl", "is-active", "-q", unit).returncode == 0
            if enabled and active:
                continue
            self.run("systemctl", "enable", "-q", unit)
            if self.tried("systemctl", "start", unit).returncode:
                words = self.tried("journalctl", "-q", "--no-pager", "-n", "12", "-o", "cat", "-u", unit).stdout
                raise InstallError(f"{unit} does not start:\n{words.strip()}")
            self.tell(f"started {unit}" if enabled else f"{unit} starts now and at each boot")

    def disable(self, unit: str) -> None:
        """A unit that must not run, where it is there."""
        if (
            self.tried("systemctl", "is-active", "-q", unit).returncode
            and self.tried("systemctl", "is-enabled", "-q", unit).returncode
        ):
            return
        self.run("systemctl", "disable", "-q", "--now", unit)
        self.tell(f"{unit} is stopped, and does not start at boot")

    def restart(self, *units: str) -> None:
        for unit in units:
            self.run("systemctl", "restart", unit)

    def reload(self, *units: str) -> None:
        for unit in units:
            self.run("systemctl", "reload-or-restart", unit)

    # --- files -------------------------------------------------------------------------------------------------------

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")

    def folder(self, name: str, owner: str = "root", mode: int = 0o755) -> None:
        """A folder with this owner (and a group of the same name) and mode."""
        place = self.path(name)
        made = not place.is_dir()
        if made:
            place.mkdir(parents=True)
            self.tell(f"made {name}")
        if self._set_access(place, owner, owner, mode) and not made:
            self.tell(f"{name} belongs to {owner} again, with mode {mode:o}")

    def file(self, name: str, text: str, *, owner: str = "root", group: str = "", mode: int = 0o644) -> bool:
        """A file with this text, owner and mode; whether its text is another than before."""
        place, wanted = self.path(name), text.encode()
        before = place.read_bytes() if place.is_file() else None
        changed = before != wanted
        if changed:
            if before is not None:
                self._explain(name, before)
            place.parent.mkdir(parents=True, exist_ok=True)
            _write(place, wanted, mode)
        moved = self._set_access(place, owner, group or owner, mode)
        if changed and before is None:
            self.tell(f"wrote {name}")
        elif moved and not changed:
            self.tell(f"{name} belongs to {owner} again, with mode {mode:o}")
        self._remember(name, wanted)
        return changed

    def adopt(self, name: str) -> bool:
        """A file that a program of ours wrote itself: whether it is another than last time. Its digest is kept."""
        place = self.path(name)
        now = place.read_bytes()
        changed = self._digests.get(name) != _digest(now)
        self._remember(name, now)
        return changed

    def is_edited(self, name: str) -> bool:
        """Whether a file that we wrote is not as we wrote it. False for one that is not ours."""
        place = self.path(name)
        return name in self._digests and place.is_file() and _digest(place.read_bytes()) != self._digests[name]

    def is_ours(self, name: str) -> bool:
        return name in self._digests

    def put_aside(self, name: str) -> Path:
        """A copy of a file or folder, in a place that nobody else may read; where it is."""
        kept = self._place / "kept" / self._moment / name.lstrip("/")
        kept.parent.mkdir(parents=True, exist_ok=True)
        self._place.chmod(0o700)
        place = self.path(name)
        if place.is_dir():
            shutil.copytree(place, kept, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(place, kept)
        return kept

    def remove(self, name: str) -> bool:
        """A file that must not be there; a copy is put aside. Whether it was."""
        place = self.path(name)
        if not place.exists() and not place.is_symlink():
            return False
        if place.is_symlink():
            place.unlink()
            self.tell(f"removed {name}")
            return True
        kept = self.put_aside(name)
        place.unlink()
        self._forget(name)
        self.tell(f"removed {name}; a copy is {kept}")
        return True

    def link(self, name: str, target: str) -> bool:
        """A symbolic link, changed in one step; whether it led elsewhere."""
        place = self.path(name)
        if place.is_symlink() and os.readlink(place) == target:
            return False
        new = place.with_name(f".{place.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(place)
        self.tell(f"{name} leads to {target}")
        return True

    def secret(self, name: str, make: Callable[[], str], *, owner: str = "root", mode: int = 0o600) -> str:
        """A secret that is made once and then kept; its text."""
        place = self.path(name)
        made = not place.is_file()
        if made:
            place.parent.mkdir(parents=True, exist_ok=True)
            _write(place, make().encode(), mode)
            self.tell(f"made {name}")
        if self._set_access(place, owner, owner, mode) and not made:
            self.tell(f"{name} can be read by {owner} alone again")
        return place.read_text().strip()

    def _explain(self, name: str, before: bytes) -> None:
        kept = self.put_aside(name)
        if name not in self._digests:
            self.tell(f"wrote {name}; the one that was there is {kept}")
        elif self._digests[name] != _digest(before):
            self.tell(f"wrote {name} again, which was edited; the edited one is {kept}")
        else:
            self.tell(f"changed {name}")

    def _set_access(self, place: Path, owner: str, group: str, mode: int) -> bool:
        try:
            uid, gid = pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid
        except KeyError as error:
            raise InstallError(f"{place} should belong to {owner}, but there is no such user or group.") from error
        known = place.stat()
        if (known.st_uid, known.st_gid, known.st_mode & 0o7777) == (uid, gid, mode):
            return False
        os.chown(place, uid, gid)
        place.chmod(mode)
        return True

    def _remember(self, name: str, text: bytes) -> None:
        if self._digests.get(name) != _digest(text):
            self._digests[name] = _digest(text)
            self._save()

    def _forget(self, name: str) -> None:
        if self._digests.pop(name, None):
            self._save()

    def _save(self) -> None:
        self._place.mkdir(parents=True, exist_ok=True)
        self._place.chmod(0o700)
        _write(self._place / "files.json", json.dumps(self._digests, indent=1, sort_keys=True).encode(), 0o600)


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _read_json(file: Path) -> dict[str, str]:
    try:
        return dict(json.loads(file.read_text()))
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError):
        print(f"{file} can't be read: every file counts as somebody else's.", file=sys.stderr)
        return {}


def _write(place: Path, text: bytes, mode: int) -> None:
    """The whole file or nothing, never readable by more than it will be."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
