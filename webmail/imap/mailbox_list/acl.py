"""Access control lists: who may do what in a mailbox (IMAP ACL, RFC 4314)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imapclient import imap_utf7

from webmail.errors import NoSuchMailboxError, NotAllowedError, RefusedError, UnsafeValueError
from webmail.imap.connections.commands import mailbox_name, quoted
from webmail.imap.connections.connection import Connection
from webmail.imap.connections.responses import parsed, word
from webmail.rights import Rights

LEVELS = {"read": "lrs", "write": "lrswipte", "manage": "lrswipkxtea"}  # the choices offered


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an ACL. `identifier` is the server's name for a person or a group."""

    identifier: str
    rights: Rights

    @property
    def level(self) -> str:
        """The highest of LEVELS that these rights include; empty for less than "read"."""
        return next((name for name in ("manage", "write", "read") if set(LEVELS[name]) <= set(self.rights.letters)), "")


def rights(connection: Connection, mailboxes: Sequence[str]) -> dict[str, Rights]:
    """The user's own rights (MYRIGHTS): 1 round trip for all; if one is refused, one more for each.

    Not by LIST-MYRIGHTS (RFC 8440): Dovecot 2.4.1 ends the session if an owner's account is closed.
    """
    try:
        return _rights(connection, mailboxes)
    except (NoSuchMailboxError, NotAllowedError, RefusedError):
        found: dict[str, Rights] = {}
        for name in mailboxes:
            try:
                found.update(_rights(connection, [name]))
            except (NoSuchMailboxError, NotAllowedError, RefusedError):
                found[name] = Rights("")
        return found


def _rights(connection: Connection, mailboxes: Sequence[str]) -> dict[str, Rights]:
    answers = connection.run(*((b"MYRIGHTS", mailbox_name(name)) for name in mailboxes))
    return {
        imap_utf7.decode(word(answer[0])): Rights(_mapped_rights(answer[1]))
        for answer in parsed(answers.get("MYRIGHTS", []))
        if len(answer) > 1
    }


def entries(connection: Connection, mailbox: str) -> list[Entry]:
    """The ACL of a mailbox (GETACL): 1 round trip. Raises NotAllowedError without the right to manage."""
    answers = connection.run((b"GETACL", mailbox_name(mailbox)))
    found = []
    for answer in parsed(answers.get("ACL", [])):
        words = answer[1:]
        found += [
            Entry(word(who).decode("utf-8", "replace"), Rights(_mapped_rights(what)))
            for who, what in zip(words[::2], words[1::2], strict=False)
        ]
    return found


def grant(connection: Connection, mailboxes: Sequence[str], identifier: str, characters: str) -> None:
    """Set the rights of `identifier` (SETACL): 1 round trip. Raises NotAllowedError, RefusedError, UnsafeValueError."""
    if not characters.isalpha() or not characters.isascii():
        raise UnsafeValueError("not a set of rights")
    if not any(capability.startswith("RIGHTS=") for capability in connection.capabilities):  # RFC 2086 servers use c and d
        characters = "".join(dict.fromkeys({"k": "c", "x": "d", "t": "d", "e": "d"}.get(letter, letter) for letter in characters))
    who, what = _identifier(identifier), quoted(characters)
    connection.run(*((b"SETACL", mailbox_name(name), who, what) for name in mailboxes))


def revoke(connection: Connection, mailboxes: Sequence[str], identifier: str) -> None:
    """Remove all rights of `identifier` (DELETEACL): 1 round trip. Raises NotAllowedError, RefusedError, UnsafeValueError."""
    who = _identifier(identifier)
    connection.run(*((b"DELETEACL", mailbox_name(name), who) for name in mailboxes))


def _identifier(value: str) -> bytes:
    """Quote an identifier. Refuses a leading "-", which means negative rights (RFC 4314 section 3)."""
    if not value or value.startswith("-") or len(value) > 255:
        raise UnsafeValueError("not an identifier")
    return quoted(value)


def _mapped_rights(value: object) -> str:
    """Rights as in RFC 4314: c and d of RFC 2086 are mapped, or dropped if the server also sends the newer ones."""
    letters = word(value).decode("ascii", "replace")
    if not set(letters) & set("kxte"):
        letters = letters.replace("c", "k").replace("d", "xte")
    return letters.replace("c", "").replace("d", "")
