"""Asked: what people asked for on a page, carried out as root, which alone reads backups. The page can't, and nor can its server.

All that is known of a request comes from the web server's user, so nothing of it is trusted: an address must be one whose home
Dovecot knows below its own folder, a backup one that is there, and what comes back only goes to that same person.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.backups import kept_items, person, places
from deploy.backups.person import NoRoomError, NotThereError
from deploy.backups.repository import Repository, Snapshot
from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import CODE

_KINDS = {"calendar": "calendar", "book": "addressbook"}
_MOST = 200  # requests in one run


def tell_nights(repository: Repository, changes: Changes) -> None:
    """Let the page know which backups there are. Raises InstallError."""
    found = [[one.id, one.moment] for one in repository.snapshots()]
    changes.run(f"{CODE}/deploy/flask", "restores", "nights", typed=json.dumps(found), folder=CODE)


def carry_out(repository: Repository, changes: Changes) -> int:
    """All requests that wait, one after the other; how many. What fails is told to who asked, and to the journal."""
    tell_nights(repository, changes)
    for number in range(_MOST):
        said = _flask(changes, "next", *(["--first"] if number == 0 else [])).strip()
        if not said:
            return number
        _carried_out(repository, changes, json.loads(said.splitlines()[-1]))
    return _MOST


def _carried_out(repository: Repository, changes: Changes, wish: Mapping[str, Any]) -> None:
    number = str(int(wish["id"]))
    try:
        snapshot = _snapshot(repository, str(wish["snapshot"]))
        if snapshot is None:
            _flask(changes, "failed", number, "night-gone")
        elif wish["kind"] == "mail":
            place, count = person.restore_mail(
                repository, changes, str(wish["address"]), str(wish["what"]), snapshot, str(wish["place"])
            )
            _flask(changes, "done", number, "--count", str(count), "--folder", place)
        else:
            lines = _lines(repository, changes, wish, snapshot)
            changes.run(
                f"{CODE}/deploy/flask", "restores", "take", number, typed="".join(f"{line}\n" for line in lines), folder=CODE
            )
        changes.tell(f"request {number} ({wish['kind']}) of {wish['address']}: done")
    except NoRoomError:
        _flask(changes, "failed", number, "no-room")
    except NotThereError:
        _flask(changes, "failed", number, "not-there")
    except (InstallError, KeyError, ValueError, OSError) as error:
        changes.note(f"request {number} failed: {error}")
        changes.tried(f"{CODE}/deploy/flask", "restores", "failed", number, "broken", folder=CODE)


def _snapshot(repository: Repository, wanted: str) -> Snapshot | None:
    if not re.fullmatch(r"[0-9a-f]{8,64}", wanted):
        return None
    return next((one for one in repository.snapshots() if one.id == wanted), None)


def _lines(repository: Repository, changes: Changes, wish: Mapping[str, Any], snapshot: Snapshot) -> list[str]:
    """In a folder of root's alone: it holds everybody's data for a moment."""
    with tempfile.TemporaryDirectory(prefix="traboule-restore-", dir="/var/tmp") as folder:
        dump = Path(folder) / "database"
        repository.one_file(snapshot.id, places.DUMP, dump)
        kind, wanted = _KINDS[str(wish["kind"])], str(wish["what"])
        if wanted and not re.fullmatch(r"[0-9]{1,12}", wanted):
            raise InstallError(f"{wanted[:20]!r} is no calendar")
        return kept_items.collections_of(changes, dump, int(wish["user"]), str(wish["created"]), kind, wanted)


def _flask(changes: Changes, *command: str) -> str:
    return changes.run(f"{CODE}/deploy/flask", "restores", *command, folder=CODE)
