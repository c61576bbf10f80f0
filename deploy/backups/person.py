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


def restore_mail(repository: Repository, changes: Changes, address: str, folder: str, snapshot: Snapshot) -> str:
    """Messages of all folders, or of one, into folders below a new one; what that is called. Raises InstallError."""
    home = _home(changes, address)
    place = Path(tempfile.mkdtemp(prefix=".restore-", dir=MAIL))
    try:
        repository.restore(snapshot.id, str(place), below=home.replace(MAIL, places.MAIL_COPY, 1))
        changes.run("chown", "-R", "vmail:vmail", str(place))
        below = f"Restored {snapshot.time[:10]}"
        query = ("mailbox", folder) if folder else ("all",)
        changes.run(
            "doveadm", "import", "-u", address, "-p", "mailbox_list_layout=fs", "-p", "mailbox_list_utf8=yes",
            f"maildir:{place}/Maildir", below, *query,
        )  # fmt: skip
        changes.tried("doveadm", "mailbox", "subscribe", "-u", address, below, f"{below}/*")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return below


def _home(changes: Changes, address: str) -> str:
    if not re.fullmatch(r"[^\s@/]+@[a-z0-9.-]+", address):
        raise InstallError(f"{address!r} is no address.")
    home = changes.run("doveadm", "user", "-f", "home", address).strip()
    if not home.startswith(f"{MAIL}/") or ".." in home:
        raise InstallError(f"{address} has its mail in {home}, which is not in the backups.")
    return home
