"""Password sheets: the passwords that an import made, sealed until they are printed: once, and within some days.

A copy of the database alone yields none. Whoever made them prints them, and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail.auth import account_batches
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.mime.headers.encoded_words import sort_key
from webmail.models import PaperPassword, PasswordSheet, User, now
from webmail.vault import CannotOpenError, open_secret, seal_secret

HOURS = 72  # that they wait to be printed
_ASKED_FOR = timedelta(minutes=2)  # after "print" was pressed, in which the page comes
_PURPOSE = "password on paper"


class NoSheetsError(LookupError):
    """There are none of this name, they were printed, or their time is over."""


@dataclass(frozen=True, slots=True)
class PersonOnPaper:
    """Somebody with the password that is printed."""

    user: User
    letters: str


def add(sheet_id: str, administrator: User, name: str, passwords: dict[int, str], settings: Settings) -> None:
    """Keep the passwords of these accounts (by number), within the transaction that makes them. 2 queries."""
    sheet, _made = PasswordSheet.get_or_create(
        id=sheet_id, defaults={"user": administrator, "name": name[:100], "until": now() + timedelta(hours=HOURS)}
    )
    rows = [
        {"sheet": sheet, "user": number, "sealed": seal_secret(word.encode(), settings.secret_key, _PURPOSE, number)}
        for number, word in passwords.items()
    ]
    if rows:
        PaperPassword.insert_many(rows).execute()


def waiting(administrator: User) -> list[PasswordSheet]:
    """What somebody may still print, with `people`: how many. 1 query."""
    found: Any = PasswordSheet.select(PasswordSheet, pw.fn.COUNT(PaperPassword.id).alias("people")).join(PaperPassword)
    mine = (PasswordSheet.user == administrator) & PasswordSheet.printed.is_null() & (PasswordSheet.until > now())
    return list(found.where(mine).group_by(PasswordSheet.id).order_by(PasswordSheet.created.desc()))


def find(administrator: User, sheet_id: str) -> PasswordSheet:
    """Raises NoSheetsError."""
    mine = (PasswordSheet.id == sheet_id) & (PasswordSheet.user == administrator)
    sheet = PasswordSheet.get_or_none(mine)
    if sheet is None:
        raise NoSheetsError(sheet_id)
    return sheet


def is_there(sheet: PasswordSheet) -> bool:
    return sheet.printed is None and sheet.until > now()


def ask(sheet: PasswordSheet) -> None:
    """The next page that shows it shows the passwords. Raises NoSheetsError where that is over."""
    still = (PasswordSheet.id == sheet.id) & PasswordSheet.printed.is_null() & (PasswordSheet.until > now())
    if not PasswordSheet.update(opened=now()).where(still).execute():
        raise NoSheetsError(sheet.id)


def take(sheet: PasswordSheet, settings: Settings) -> list[PersonOnPaper]:
    """The passwords, by name, the one time; they are forgotten with it. Raises NoSheetsError. One transaction.

    Who chose a password meanwhile has no sheet.
    """
    with db.atomic():
        asked = (PasswordSheet.id == sheet.id) & PasswordSheet.printed.is_null() & (PasswordSheet.opened > now() - _ASKED_FOR)
        if not PasswordSheet.update(printed=now()).where(asked, PasswordSheet.until > now()).execute():
            raise NoSheetsError(sheet.id)
        rows = list(PaperPassword.select().where(PaperPassword.sheet == sheet))
        letters = {row.user_id: word for row in rows if (word := _opened(row, settings))}
        PaperPassword.update(sealed=None).where(PaperPassword.sheet == sheet).execute()
    return [PersonOnPaper(user, letters[user.id]) for user in _still_new(letters)]


def _still_new(numbers: Iterable[int]) -> list[User]:
    """Those of them who have not chosen a password of their own, by name."""
    people = account_batches.by_number(numbers).values()
    return sorted(
        (user for user in people if user.must_change and user.active), key=lambda user: (sort_key(user.name), user.address)
    )


def _opened(row: Any, settings: Settings) -> str:
    try:
        return open_secret(row.sealed, settings.secret_key, _PURPOSE, row.user_id).decode() if row.sealed else ""
    except CannotOpenError:
        return ""


def people_of(sheet: PasswordSheet) -> list[User]:
    """Whose passwords these were, if they have not chosen one of their own. 1 query, and 1 for 400."""
    rows: Any = PaperPassword.select(PaperPassword.user).where(PaperPassword.sheet == sheet).tuples()
    return _still_new(number for (number,) in rows)


def forget(sheet: PasswordSheet) -> None:
    """Nobody prints them any more."""
    with db.atomic():
        PasswordSheet.update(printed=now()).where(PasswordSheet.id == sheet.id).execute()
        PaperPassword.update(sealed=None).where(PaperPassword.sheet == sheet).execute()


def replace(sheet: PasswordSheet, passwords: dict[int, str], settings: Settings) -> None:
    """New passwords in place of those of these people: they wait again. Within a transaction."""
    new: dict[str, Any] = {"printed": None, "opened": None, "until": now() + timedelta(hours=HOURS)}
    PasswordSheet.update(new).where(PasswordSheet.id == sheet.id).execute()
    for number, word in passwords.items():
        mine = (PaperPassword.sheet == sheet) & (PaperPassword.user == number)
        PaperPassword.update(sealed=seal_secret(word.encode(), settings.secret_key, _PURPOSE, number)).where(mine).execute()


def expire() -> int:
    """Forget what nobody printed in time; how many."""
    over = PasswordSheet.select(PasswordSheet.id).where(PasswordSheet.until < now())
    return int(
        PaperPassword.update(sealed=None).where(PaperPassword.sheet.in_(over), PaperPassword.sealed.is_null(False)).execute()
    )
