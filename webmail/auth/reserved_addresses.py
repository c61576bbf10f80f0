"""Reserved addresses: those of something that is no person, such as a room, and that no account may have.

Who keeps such addresses says so (`webmail/application.py`): this area knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable

_checks: dict[Callable[[str], bool], Callable[[], set[str]]] = {}


def register(check: Callable[[str], bool], addresses: Callable[[], set[str]] = set) -> None:
    """`check`: whether an address is such a one; `addresses`: all there are, for who looks at thousands."""
    _checks[check] = addresses


def is_reserved(address: str) -> bool:
    """At most 1 query."""
    return any(check(address) for check in _checks)


def all_addresses() -> set[str]:
    """All of them. 1 query for each kind."""
    return set().union(*(addresses() for addresses in _checks.values()))
