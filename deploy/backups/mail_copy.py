"""Mail copy: all mailboxes as they are at a moment, while mail arrives and is moved. Messages are linked, so it takes no room.

In a Maildir a file of a message is never changed, only renamed (a flag) or removed: each folder is read again until nothing was
renamed meanwhile. What Dovecot writes in place, such as its list of UIDs, is copied. Indexes are left out: it makes them anew.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_TIMES = 8  # a folder is read at most
_OF_INDEXES = ("dovecot.index", "dovecot.list.index", "dovecot-uidlist.lock", "dovecot.lock")  # files


def copy(mail: Path, copied: Path) -> int:
    """Copy all mailboxes below `mail` into `copied`, which is made anew; how many messages there are."""
    shutil.rmtree(copied, ignore_errors=True)
    copied.mkdir(mode=0o700)
    number = 0
    for domain in sorted(mail.iterdir()):
        if domain.is_dir() and not domain.is_symlink() and not domain.name.startswith("."):
            number += _folder(domain, copied / domain.name, homes_in=1)
    return number


def _folder(source: Path, target: Path, homes_in: int) -> int:
    """`homes_in`: levels down to the homes of people; in a home `index` is Dovecot's, deeper it is somebody's folder."""
    if source.name in ("cur", "new") and (source.parent / "tmp").is_dir():
        return _messages(source, target)
    target.mkdir()
    number = 0
    for entry in _entries(source):
        place = target / entry.name
        if entry.is_symlink():
            _link(Path(entry.path), place)
            continue
        if entry.is_dir(follow_symlinks=False):
            if homes_in == 0 and entry.name == "index":
                continue
            if entry.name == "tmp" and (source / "cur").is_dir():
                place.mkdir()  # what is in it is half a message, but without it Dovecot knows no folder
                _own(Path(entry.path), place)
                continue
            number += _folder(Path(entry.path), place, homes_in - 1)
        elif entry.name.startswith(_OF_INDEXES):
            continue
        else:
            try:
                shutil.copy2(entry.path, place)
                _own(Path(entry.path), place)
            except FileNotFoundError:
                continue  # Dovecot replaced or removed it meanwhile
    _own(source, target)
    return number


def _link(source: Path, target: Path) -> None:
    """A link to what lies below it, such as the filter that is active (~/.dovecot.sieve); all others lead elsewhere."""
    try:
        to = os.readlink(source)
    except FileNotFoundError:
        return
    if not to.startswith("/") and ".." not in to.split("/"):
        target.symlink_to(to)


def _messages(source: Path, target: Path) -> int:
    """Link all messages of a folder; those that are renamed meanwhile are found under their new name."""
    target.mkdir()
    linked: dict[str, str] = {}  # the part of a name that stays: the whole name
    for _time in range(_TIMES):
        names = {_stem(entry.name): entry.name for entry in _entries(source) if not entry.name.startswith(".")}
        changed = {stem: name for stem, name in names.items() if linked.get(stem) != name}
        gone = linked.keys() - names.keys()
        for stem in gone | (linked.keys() & changed.keys()):
            (target / linked.pop(stem)).unlink()
        for stem, name in changed.items():
            try:
                os.link(source / name, target / name)
            except FileNotFoundError:
                continue
            linked[stem] = name
        if not changed and not gone:
            break
    _own(source, target)
    return len(linked)


def _stem(name: str) -> str:
    """What of a file's name stays when its flags change (maildir(5))."""
    return name.partition(":2,")[0]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _own(source: Path, target: Path) -> None:
    try:
        known = source.stat()
    except FileNotFoundError:
        return
    os.chown(target, known.st_uid, known.st_gid)
    os.chmod(target, known.st_mode & 0o7777)
