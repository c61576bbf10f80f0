"""Shared database file: Dovecot and Postfix open the same SQLite file, and whoever opens it first makes -wal and -shm beside it.

Those belong to the group of whoever made them, unless the folder passes its own group on (setgid). Without that, Postfix, which
opens the database while Traboule is stopped, would shut out Traboule and Dovecot.
"""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from webmail.errors import EnglishText as _l

BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database, with the same in it
_LOCKED_BYTES = (0x40000000, 512)  # first and number: whoever has the file open holds a lock on some of them (SQLite's os_unix.c)
_TO_GROUP = stat.S_IRGRP | stat.S_IWGRP


def is_group_writable(folder: Path) -> bool:
    """Whether the folder is meant for a group: who may make files in it opens the database."""
    return bool(folder.stat().st_mode & stat.S_IWGRP)


def prepare(file: Path) -> None:
    """Before it is opened in this process: let its folder pass its group on, and undo what shuts somebody out, as far as this
    user may. What is left to do, `shut_out` tells.
    """
    with suppress(OSError):
        folder = file.parent
        mode = folder.stat().st_mode
        if is_group_writable(folder):
            if not mode & stat.S_ISGID:
                folder.chmod(stat.S_IMODE(mode) | stat.S_ISGID)
            if file.stat().st_mode & _TO_GROUP != _TO_GROUP:
                file.chmod(stat.S_IMODE(file.stat().st_mode) | _TO_GROUP)
        if os.geteuid() == 0:
            _give_to_owner(file)
        elif any(not _is_open_to_us(one) for one in _beside(file)):
            _remove_empty(file)


def _give_to_owner(file: Path) -> None:
    """What is beside it belongs to whom it belongs, as SQLite has it for root. Links that somebody placed there lead nowhere."""
    owner = file.stat()
    for one in _beside(file):
        about = one.lstat()
        if stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and (about.st_uid, about.st_gid) != (owner.st_uid, owner.st_gid):
            os.chown(one, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _remove_empty(file: Path) -> None:
    """Remove -wal and -shm of somebody who left them, if there is nothing in them and nobody has the database open."""
    log = file.with_name(f"{file.name}-wal")
    descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKED_BYTES[1], _LOCKED_BYTES[0])
        if not log.exists() or log.stat().st_size == 0:
            log.unlink(missing_ok=True)
            file.with_name(f"{file.name}-shm").unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def shut_out(file: Path) -> str:
    """Who is shut out of the database, and the command that lets them in, as a sentence; "" if nobody is."""
    try:
        around, shared = file.parent.stat(), is_group_writable(file.parent)
        about = [(one, one.stat()) for one in (file, *_beside(file)) if one.exists()]
    except OSError:
        return ""
    owner = f"{_user(around.st_uid)}:{_group(around.st_gid)}"
    for one, found in about:
        ours = _is_open_to_us(one)
        if ours and not (shared and (found.st_gid != around.st_gid or found.st_mode & _TO_GROUP != _TO_GROUP)):
            continue
        theirs = f"{_user(found.st_uid)}:{_group(found.st_gid)} ({stat.filemode(found.st_mode)})"
        files = " ".join(shlex.quote(str(name)) for name, _found in about)
        said = {"file": one, "owner": theirs, "command": f"chown {owner} {files} && chmod {660 if shared else 600} {files}"}
        if ours:
            return _l(
                "%(file)s belongs to %(owner)s, so Dovecot or Postfix can’t write to it: as root, `%(command)s`. Nothing is "
                "lost.",
                **said,
            )
        return _l(
            "%(file)s belongs to %(owner)s, so this user can’t write to it: as root, `%(command)s`. Nothing is lost.", **said
        )
    if not os.access(file.parent, os.W_OK | os.X_OK):
        return _l(
            "%(folder)s belongs to %(owner)s, so this user can’t make there what SQLite needs: give it to this user.",
            folder=file.parent, owner=owner,
        )  # fmt: skip
    return ""


def may_shut_out(file: Path) -> str:
    """As `shut_out`, for what has not happened yet."""
    folder = file.parent
    with suppress(OSError):
        if is_group_writable(folder) and not folder.stat().st_mode & stat.S_ISGID:
            return _l(
                "%(folder)s does not pass its group on, so that Postfix can shut out all others: as root, `%(command)s`.",
                folder=folder, command=f"chmod g+s {shlex.quote(str(folder))}",
            )  # fmt: skip
    return ""


def _beside(file: Path) -> Iterator[Path]:
    for suffix in BESIDE:
        if os.path.lexists(one := file.with_name(file.name + suffix)):
            yield one


def _is_open_to_us(file: Path) -> bool:
    return os.access(file, os.R_OK | os.W_OK, effective_ids=True)


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
