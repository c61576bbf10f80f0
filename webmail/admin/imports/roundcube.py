"""Roundcube: contacts, their groups, identities and signatures of its SQLite database, for the accounts here of the same address.

Nothing is doubled by a second run, and nothing is taken away: contacts are merged as from any file, an identity is known by its
name and address, a signature by its text. So the last run before the old server is switched off brings the difference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from webmail.compose import identities, signatures
from webmail.config.settings import Settings
from webmail.contacts.imports import merge
from webmail.errors import LimitReachedError, NotAllowedError
from webmail.mime.html.to_text import html_to_text
from webmail.models import Signature, User, WritingIdentity

_NEEDED = {
    "users": "user_id, username, mail_host",
    "contacts": "vcard, name, email",
    "identities": "email, signature, html_signature",
}
_LONGEST = 20_000  # characters of a signature
_MOST_CARDS = 12_000  # of one person
_LARGEST_CARD = 2_000_000  # characters


class NoRoundcubeError(Exception):
    """The file is no database of Roundcube's, for the reason in words."""


@dataclass(slots=True)
class BroughtOver:
    """What one person got. `refused`: identities whose address or name they may not use here, and what there was no room for."""

    contacts: int = 0
    completed: int = 0
    identities: int = 0
    signatures: int = 0
    refused: int = 0


class RoundcubeFile:
    """A copy of the database, read only."""

    def __init__(self, file: Path) -> None:
        try:
            self._database = sqlite3.connect(f"file:{file.absolute()}?mode=ro", uri=True)
            self._database.row_factory = sqlite3.Row
            for table, columns in _NEEDED.items():
                self._database.execute(f"SELECT {columns} FROM {table} LIMIT 1").fetchall()  # noqa: S608 - of the list above
            found = self._database.execute(
                "SELECT name FROM sqlite_master WHERE name IN ('contactgroups', 'contactgroupmembers')"
            )
            self._has_groups = len(found.fetchall()) == 2
        except sqlite3.Error as error:
            raise NoRoundcubeError(str(error)) from error

    def close(self) -> None:
        self._database.close()

    def people(self) -> Iterator[tuple[int, str]]:
        """Numbers and names to sign in by, such as an address."""
        with closing(self._database.execute("SELECT user_id, username FROM users ORDER BY user_id")) as found:
            yield from ((int(row["user_id"]), str(row["username"])) for row in found)

    def cards(self, person: int) -> str:
        """Their contacts as one file of cards; who has none stored as a card gets one of name and address."""
        rows = self._database.execute(
            "SELECT name, email, vcard FROM contacts WHERE user_id = ? AND del = 0 LIMIT ?", (person, _MOST_CARDS)
        )
        return "\r\n".join(_card(str(row["vcard"]), str(row["name"]), str(row["email"])) for row in rows)

    def groups(self, person: int) -> str:
        """Their groups of contacts as one file of cards; members are known by their address."""
        if not self._has_groups:
            return ""
        members: dict[str, list[str]] = {}
        rows = self._database.execute(
            "SELECT g.name AS name, c.email AS email FROM contactgroups g JOIN contactgroupmembers m USING (contactgroup_id) "
            "JOIN contacts c ON c.contact_id = m.contact_id WHERE g.user_id = ? AND c.user_id = g.user_id AND g.del = 0 "
            "AND c.del = 0 ORDER BY g.contactgroup_id, c.contact_id LIMIT ?",
            (person, 10 * _MOST_CARDS),
        )
        for row in rows:
            addresses = [one.strip() for one in str(row["email"]).split(",") if "@" in one]
            members.setdefault(str(row["name"]), []).extend(addresses[:1])
        return "\r\n".join(_group_card(name, addresses) for name, addresses in members.items() if addresses)

    def identities(self, person: int) -> list[sqlite3.Row]:
        """The standard one first."""
        query = (
            'SELECT *, "reply-to" AS answers FROM identities WHERE user_id = ? AND del = 0 ORDER BY standard DESC, identity_id'
        )
        return self._database.execute(query, (person,)).fetchall()


def bring_over(file: RoundcubeFile, number: int, user: User, settings: Settings) -> BroughtOver:
    """What one person of the file has, for an account. Raises LimitReachedError where there is no room for their contacts."""
    done = BroughtOver()
    for cards in (file.cards(number), file.groups(number)):  # groups after their members
        planned = merge.plan(user, cards)
        merge.apply(user, planned)
        done.contacts, done.completed = done.contacts + len(planned.fresh), done.completed + len(planned.updates)
    for row in file.identities(number):
        _identity(row, user, settings, done)
    return done


def _card(text: str, name: str, email: str) -> str:
    if "BEGIN:VCARD" in text.upper() and len(text) < _LARGEST_CARD:
        return text
    shown, addresses = _value(name) or _value(email), [_value(one) for one in email.split(",") if "@" in one]
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{shown}", *(f"EMAIL:{one}" for one in addresses), "END:VCARD"]
    return "\r\n".join(lines)


def _group_card(name: str, addresses: list[str]) -> str:
    members = [f"X-ADDRESSBOOKSERVER-MEMBER:mailto:{_value(one)}" for one in addresses]
    return "\r\n".join(
        ["BEGIN:VCARD", "VERSION:3.0", f"FN:{_value(name)}", "X-ADDRESSBOOKSERVER-KIND:group", *members, "END:VCARD"]
    )


def _value(text: str) -> str:
    """As RFC 6350, 3.4, wants it."""
    plain = " ".join(text.split())[:250]
    return plain.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")


def _identity(row: sqlite3.Row, user: User, settings: Settings, done: BroughtOver) -> None:
    name, address = " ".join(str(row["name"]).split())[:190], str(row["email"]).strip().lower()
    mine = identities.for_user(user)
    there = next((one for one in mine if one.address.lower() == address and one.name in (name, user.name)), None)
    try:
        identity = there or WritingIdentity(
            user=user, name=name, address=address, reply_to=str(row["answers"])[:2000], bcc=str(row["bcc"])[:2000],
            organisation=str(row["organization"] or "")[:190],
        )  # fmt: skip
        signature = _signature(row, user, name or address, done)
        fresh = there is None or not there.id
        if signature is not None and identity.signature is None:
            identity.signature = signature
        elif not fresh or there is not None:
            return
        identities.save(identity, settings)
        done.identities += fresh
    except (NotAllowedError, LimitReachedError, ValueError):
        done.refused += 1


def _signature(row: sqlite3.Row, user: User, name: str, done: BroughtOver) -> Signature | None:
    text = str(row["signature"] or "")[:_LONGEST]
    text = signatures.tidy(html_to_text(text) if row["html_signature"] else text)
    if not text.strip():
        return None
    there = next((one for one in signatures.of_user(user) if one.text == text), None)
    if there is not None:
        return there
    made = Signature(user=user, name=name[:100], text=text)
    signatures.save(made)
    done.signatures += 1
    return made
