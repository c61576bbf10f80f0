"""Script files: other programs' scripts on the server, read and changed as the text that they are. No Flask here."""

from __future__ import annotations

import hashlib

from webmail import managesieve
from webmail.account import Account
from webmail.errors import NotAllowedError
from webmail.filters.own_script import NAME
from webmail.filters.store import BESIDE, FiltersChangedError, in_turn, other_of
from webmail.managesieve import NoSuchScriptError, Script

LONGEST = 512 * 1024  # characters of a script that is edited here
LONGEST_NAME = 128  # characters; RFC 5804, section 1.6 asks servers for that many


def listed(account: Account) -> tuple[Script, ...]:
    """All of them, the active one first. 1 round trip after `managesieve.connect`."""
    with managesieve.connect(account) as connection:
        return connection.list()


def is_ours(name: str) -> bool:
    return name in (NAME, BESIDE)


def is_name(name: str) -> bool:
    """Whether a script may be called so (RFC 5804, section 1.6): no controls, nor what is nothing at all."""
    return bool(name.strip()) and len(name) <= LONGEST_NAME and name.isprintable()


def read(account: Account, name: str) -> tuple[str, bool]:
    """The text, and whether it is active. 2 round trips. Raises NoSuchScriptError."""
    with managesieve.connect(account) as connection:
        found = next((one for one in connection.list() if one.name == name), None)
        if found is None:
            raise NoSuchScriptError(name)
        return connection.read(name), found.active


def mark(text: str) -> str:
    """By which a form knows whether the script is still the one it was made from."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def save(user_id: int, account: Account, name: str, text: str, seen: str) -> bool:
    """Store a script as typed; False where it is there already. `seen`: the `mark` of what it replaces, "" for a new one.

    Raises ScriptRefusedError, FiltersChangedError, NotAllowedError for ours.
    """
    if is_ours(name):
        raise NotAllowedError("this script is made from the filters")
    text = with_crlf(text)
    with in_turn(user_id), managesieve.connect(account) as connection:
        there = name in [one.name for one in connection.list()]
        before = connection.read(name) if there else ""
        if there and before == text:
            return False
        if (mark(before) if there else "") != seen:
            raise FiltersChangedError("the script is another one")
        connection.check(text)
        connection.write(name, text)
    return True


def activate(user_id: int, account: Account, name: str) -> None:
    """Let it see what arrives, instead of the one that does now. Raises NoSuchScriptError, ScriptRefusedError."""
    with in_turn(user_id), managesieve.connect(account) as connection:
        connection.activate(name)


def delete(user_id: int, account: Account, name: str) -> str:
    """Delete a script that is not active; returns its text. Raises NoSuchScriptError, NotAllowedError for ours and the active
    one.

    Nor one that runs beside ours: the script that joins them would fail for all mail.
    """
    with in_turn(user_id), managesieve.connect(account) as connection:
        scripts = connection.list()
        found = next((one for one in scripts if one.name == name), None)
        if found is None:
            raise NoSuchScriptError(name)
        joined = any(one.active and one.name == BESIDE for one in scripts) and other_of(connection.read(BESIDE)) == name
        if found.active or joined or is_ours(name):
            raise NotAllowedError("this script is in use")
        text = connection.read(name)
        connection.delete(name)
    return text


def with_crlf(text: str) -> str:
    """As a form has it and scripts want it (RFC 5228, section 2.2)."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
