"""Browsers that somebody signed in on before, told by a cookie: OWASP's "device cookie" against locking people out.

An entry is good for one address and half a year: a random number that stands for this browser in the counts of wrong
passwords, and an HMAC-SHA256 that only this instance can make. It opens nothing; the password is asked all the same. The
cookie names nobody, and holds the last five people of this browser. No Flask here.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time

DAYS = 180
_PEOPLE = 5
_ENTRY = re.compile(r"([0-9]{1,6})-([0-9a-f]{32})-[0-9a-f]{32}")


def remember(cookie: str, address: str, secret_key: str) -> str:
    """The cookie after a sign-in of `address`. Their number stays the same: signing in again buys no second count."""
    mine = _entry_of(cookie, address, secret_key)
    others = [entry for entry in _entries(cookie) if entry != mine]
    number = _number(mine) if mine else secrets.token_hex(16)
    return ".".join([_made(_today(), number, address, secret_key), *others[: _PEOPLE - 1]])


def recognise(cookie: str, address: str, secret_key: str) -> str:
    """The word under which this browser's wrong passwords for `address` are counted; "" when they never signed in on it.

    No address, and nothing that anybody could type as a name, looks like it: the number is in the cookie alone.
    """
    entry = _entry_of(cookie, address, secret_key)
    return f"browser {_number(entry)}" if entry else ""


def _entry_of(cookie: str, address: str, secret_key: str) -> str:
    for entry in _entries(cookie):
        day = int(entry.partition("-")[0])
        right = _made(day, _number(entry), address, secret_key)
        if hmac.compare_digest(entry, right) and _today() - DAYS <= day <= _today():
            return entry
    return ""


def _entries(cookie: str) -> list[str]:
    return [entry for entry in cookie[:1000].split(".") if _ENTRY.fullmatch(entry)][:_PEOPLE]


def _number(entry: str) -> str:
    return entry.split("-")[1]


def _made(day: int, number: str, address: str, secret_key: str) -> str:
    told = f"traboule known browser\n{day}\n{number}\n{address}"
    return f"{day}-{number}-{hmac.digest(secret_key.encode(), told.encode(), 'sha256').hex()[:32]}"


def _today() -> int:
    return int(time.time() // 86400)
