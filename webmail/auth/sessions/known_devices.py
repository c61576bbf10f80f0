"""Known devices: a cookie that recognises browsers used before (OWASP "device cookies"), against lock-out by brute force.

An entry is valid for one address and 180 days: a random number under which this browser's failed sign-ins are counted, and an
HMAC-SHA256 keyed with this instance's secret. It grants no access: the password is still required. The cookie names nobody, and
holds the last five users of this browser. No Flask here.
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
    """The cookie after a sign-in of `address`. Its number does not change, so signing in again does not reset the rate limit."""
    mine = _entry_of(cookie, address, secret_key)
    others = [entry for entry in _entries(cookie) if entry != mine]
    number = _number(mine) if mine else secrets.token_hex(16)
    return ".".join([_made(_today(), number, address, secret_key), *others[: _PEOPLE - 1]])


def recognise(cookie: str, address: str, secret_key: str) -> str:
    """The key under which this browser's failed sign-ins for `address` are counted; "" if it is not known for this address.

    It can't collide with an address or a typed name: it contains a random number that only the cookie holds.
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
