"""Old accounts: a CSV file that says whose account on an old server becomes whose here, and how one signs in there.

Columns `old` (address or name there), `new` (address here) and, where there is no master user, `password`.
"""

from __future__ import annotations

import csv
import stat
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from webmail.account import MasterPassword, Password

LARGEST = 20_000_000  # bytes of the file
_MOST = 100_000  # people
_LONGEST = 320  # characters of a name


class OldAccountsError(Exception):
    """The file can't be used, for the reason in words."""


class MasterWay(StrEnum):
    """How a master user opens the mailbox of somebody: `person*master` as the name, an authorization identity, or PROXYAUTH."""

    SEPARATOR = "separator"
    AUTHZID = "authzid"
    PROXYAUTH = "proxyauth"


@dataclass(frozen=True, slots=True)
class OldAccount:
    """A line. `new` as typed."""

    line: int
    old: str
    new: str
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MasterUser:
    """The master user of an old server."""

    name: str
    password: str = field(repr=False)
    way: MasterWay = MasterWay.SEPARATOR
    separator: str = "*"

    def credential(self, person: str) -> Password:
        if self.way is MasterWay.SEPARATOR:
            return Password(f"{person}{self.separator}{self.name}", self.password)
        return MasterPassword(self.name, self.password, person, self.way is MasterWay.PROXYAUTH)


def read(file: Path) -> list[OldAccount]:
    """The lines. Raises OldAccountsError: for a line that is none too, since nobody reads a report of thousands for one."""
    try:
        if file.stat().st_size > LARGEST:
            raise OldAccountsError(f"it is larger than {LARGEST // 1_000_000} MB")
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise OldAccountsError(str(error)) from error
    head = text.partition("\n")[0]
    rows = csv.DictReader(text.splitlines(), delimiter=max(",;\t", key=head.count))
    names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    if not {"old", "new"} <= set(names):
        raise OldAccountsError("its first line must name the columns old, new and, without a master user, password")
    rows.fieldnames = names
    try:
        found = [_account(rows.line_num, row) for row in rows if any(row.get(name) for name in names)]
    except csv.Error as error:
        raise OldAccountsError(f"line {rows.line_num}: {error}") from error
    if len(found) > _MOST:
        raise OldAccountsError(f"it has more than {_MOST} lines")
    if any(one.password for one in found):
        check_secret(file)
    return found


def _account(line: int, row: dict[str, str | None]) -> OldAccount:
    old, new = ((row.get(name) or "").strip() for name in ("old", "new"))
    if not old or not new or max(len(old), len(new)) > _LONGEST or not (old + new).isprintable():
        raise OldAccountsError(f"line {line}: old and new must both be there")
    return OldAccount(line, old, new, row.get("password") or "")


def read_password(file: Path) -> str:
    """The first line of a file that only its owner may read. Raises OldAccountsError."""
    check_secret(file)
    try:
        with file.open(encoding="utf-8") as opened:
            password = opened.readline(10_000).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise OldAccountsError(str(error)) from error
    if not password:
        raise OldAccountsError("its first line is empty")
    return password


def check_secret(file: Path) -> None:
    """Raises OldAccountsError for a file with passwords that others may read."""
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise OldAccountsError(str(error)) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise OldAccountsError("it holds passwords, and others may read it: chmod 600")
