"""Person: mail of one person as it was, beside what they have now; nothing of theirs is replaced."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from deploy.backups import places
from deploy.backups.repository import Repository, Snapshot
from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import MAIL

_MOST_NAMES = 50  # of a place that is taken already


class NoRoomError(InstallError):
    """What would come back is more than the person's quota has room for."""


class NotThereError(InstallError):
    """The backup has no such mail."""


def restore_mail(
    repository: Repository, changes: Changes, address: str, folder: str, snapshot: Snapshot, place: str = ""
) -> tuple[str, int]:
    """Messages of all folders, or of one, into folders below a new one, called `place` or like it; its name, and how many.

    Raises NoRoomError, NotThereError, InstallError.
    """
    home = _home(changes, address)
    if ".." in folder.split("/") or folder.startswith("/"):
        raise NotThereError(f"{folder!r} is no folder")
    below = _free(changes, address, place or f"Restored {snapshot.time[:10]}")
    copy = Path(tempfile.mkdtemp(prefix=".restore-", dir=MAIL))
    try:
        try:
            repository.restore(snapshot.id, str(copy), below=home.replace(MAIL, places.MAIL_COPY, 1))
        except InstallError as error:
            if "not found" in str(error) or "no such" in str(error).lower():
                raise NotThereError(str(error)) from error
            raise
        _check_room(changes, address, size_of(copy / "Maildir", folder))
        changes.run("chown", "-R", "vmail:vmail", str(copy))
        query = ("mailbox", folder) if folder else ("all",)
        changes.run(
            "doveadm", "import", "-u", address, "-p", "mailbox_list_layout=fs", "-p", "mailbox_list_utf8=yes",
            f"maildir:{copy}/Maildir", below, *query,
        )  # fmt: skip
        changes.tried("doveadm", "mailbox", "subscribe", "-u", address, below, f"{below}/*")
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return below, _count(changes, address, below)


def size_of(maildir: Path, folder: str) -> int:
    """Bytes of the messages of a folder, or of all. Raises NotThereError where it is not there, or has none."""
    inbox = folder.upper() == "INBOX"
    start = maildir / folder if folder and not inbox else maildir
    pattern = "cur/*" if folder else "**/cur/*"
    found = [file for kind in (pattern, pattern.replace("cur", "new")) for file in start.glob(kind) if file.is_file()]
    if not found:
        raise NotThereError(f"there are no messages in {folder or 'the mailbox'}")
    return sum(file.stat().st_size for file in found)


def _check_room(changes: Changes, address: str, size: int) -> None:
    """Raises NoRoomError. Dovecot counts in kibibytes; "-" is no limit."""
    said = changes.run("doveadm", "-f", "tab", "quota", "get", "-u", address)
    for line in said.splitlines():
        columns = line.split("\t")
        if "STORAGE" in columns:
            used, limit = columns[columns.index("STORAGE") + 1 :][:2]
            if limit.isdigit() and int(used) + size // 1024 > int(limit):
                raise NoRoomError(f"{size // 1024} KB for {address}, who has {used} of {limit}")


def _free(changes: Changes, address: str, place: str) -> str:
    """The name, with a number where there is such a folder. Raises InstallError for what can be no name."""
    if not place.isprintable() or not place.strip() or set(place) & set("/*%\\") or place.startswith((".", "-", "~")):
        raise InstallError(f"{place!r} can't be the name of a folder")
    there = set(changes.run("doveadm", "mailbox", "list", "-u", address).splitlines())
    for number in range(1, _MOST_NAMES):
        name = place if number == 1 else f"{place} ({number})"
        if name not in there:
            return name
    raise InstallError(f"{address} has {_MOST_NAMES} folders called {place!r}")


def _count(changes: Changes, address: str, below: str) -> int:
    said = changes.run("doveadm", "-f", "tab", "mailbox", "status", "-u", address, "messages", below, f"{below}/*")
    return sum(int(line.rpartition("\t")[2]) for line in said.splitlines() if line.rpartition("\t")[2].isdigit())


def _home(changes: Changes, address: str) -> str:
    # no option of doveadm's, nor a pattern, by which it would name several people
    if not re.fullmatch(r"(?!-)[^\s@/*?]+@[a-z0-9.-]+", address):
        raise InstallError(f"{address!r} is no address.")
    home = changes.run("doveadm", "user", "-f", "home", address).strip()
    if not home.startswith(f"{MAIL}/") or ".." in home:
        raise InstallError(f"{address} has its mail in {home}, which is not in the backups.")
    return home
