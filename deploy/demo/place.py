"""Demo location: the folder of the demo's files, and the unprivileged user that owns the mail: Dovecot never delivers as root."""

from __future__ import annotations

import fcntl
import grp
import hashlib
import os
import pwd
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LONGEST = 80  # characters: paths of Unix sockets below it must stay under 108
ELSEWHERE = "/var/tmp"  # noqa: S108 - survives a reboot; the folder's owner is checked
SYSTEM_USER = "traboule-demo"


class PlaceError(Exception):
    """The demo can't be installed here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The Unix user Dovecot runs as."""

    name: str
    group: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()  # further groups, if started by root

    @property
    def prefix(self) -> list[str]:
        """The command prefix to run a command as this user, terminated when the thread that started it dies."""
        command = ["/usr/bin/setpriv", "--pdeathsig", "TERM"]
        if os.geteuid() == 0:
            groups = f"--groups={','.join(map(str, self.groups))}" if self.groups else "--clear-groups"
            command += [f"--reuid={self.uid}", f"--regid={self.gid}", groups]
        return [*command, "--"]

    def own(self, *paths: Path, group: bool = True) -> None:
        """Change the owner of files to this user, if running as root; not their group, where Postfix is to keep it."""
        if os.geteuid() == 0:
            for path in paths:
                os.chown(path, self.uid, self.gid if group else -1)


def mail_owner() -> Owner:
    """The current user; for root, the user who called sudo, else a system user created for it, else "nobody"."""
    if uid := os.geteuid():
        return _owner(pwd.getpwuid(uid))
    if (sudo := os.environ.get("SUDO_UID", "")).isdigit() and sudo != "0":
        return _owner(pwd.getpwuid(int(sudo)))
    return _owner(pwd.getpwnam(SYSTEM_USER if _made(SYSTEM_USER) else "nobody"))


def _made(user: str) -> bool:
    """Whether the system user exists; created if missing. Locked, since concurrent `useradd` calls fail, and while one runs
    the user may exist without its group.
    """
    lock = os.open("/etc", os.O_RDONLY)  # lock the folder: needs no lock file, and useradd does not use it
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(KeyError):
            pwd.getpwnam(user)
            return True
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", user]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    finally:
        os.close(lock)


def _owner(entry: pwd.struct_passwd) -> Owner:
    return Owner(entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name, entry.pw_uid, entry.pw_gid)


def settle(base: Path, owner: Owner) -> Path:
    """The folder to use for `base`: itself if the owner can access it and its path suits Unix sockets and Dovecot's
    configuration; else one in /var/tmp, with `base` as a symlink to it. Raises PlaceError.
    """
    base = Path(os.path.abspath(base))
    if base.is_symlink():
        target = base.resolve()
        if not target.exists() and target.name.startswith("traboule-demo-"):
            target.mkdir(mode=0o755)
        return _checked(target)
    if base.exists() and any(base.iterdir()):
        return _checked(base.resolve())
    base.parent.mkdir(parents=True, exist_ok=True)
    real = base.parent.resolve() / base.name
    if len(str(real)) <= LONGEST and re.fullmatch(r"[\w./+-]+", str(real), re.ASCII) and _reaches(owner, real.parent):
        real.mkdir(exist_ok=True)
        real.chmod(0o755)
        return real
    name = hashlib.sha256(f"{os.geteuid()} {real}".encode()).hexdigest()[:12]
    elsewhere = Path(ELSEWHERE, f"traboule-demo-{name}")
    elsewhere.mkdir(mode=0o755, exist_ok=True)
    if base.exists():
        base.rmdir()
    base.symlink_to(elsewhere)
    return _checked(elsewhere)


def _checked(folder: Path) -> Path:
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PlaceError(
            f"{folder} belongs to another user. Remove it (make reset, as that user) or start the demo as that user."
        )
    return folder


def _reaches(owner: Owner, folder: Path) -> bool:
    return subprocess.run([*owner.prefix, "test", "-x", folder], check=False).returncode == 0
