"""Display names: which names people may write under. A colleague's, an address, the establishment's and a function's are refused.

The name that the administrator gave an account is always allowed, and so is what `flask accounts allow --name` allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from webmail.config.settings import Settings
from webmail.errors import NotAllowedError
from webmail.mime.threats import authority_names, display_names, lookalike
from webmail.models import AllowedAddress, AllowedName, User
from webmail.people import colleagues


class Objection(StrEnum):
    """Why a name is refused. The sentences are in `web/labels.py` (`name_objection`)."""

    COLLEAGUE = "colleague"
    ADDRESS = "address"
    ESTABLISHMENT = "establishment"
    ROLE = "role"
    LETTERS = "letters"  # of several alphabets in one word


class NameRefusedError(NotAllowedError):
    """The user may not write under this name."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(f"this name is refused: {objection}")
        self.objection = objection


def check(user: User, name: str, settings: Settings, address: str = "") -> None:
    """Raises NameRefusedError. At most 3 queries, none for an empty name or the account's own."""
    if (found := objection(user, name, settings, address)) is not None:
        raise NameRefusedError(found)


def objection(user: User, name: str, settings: Settings, address: str = "") -> Objection | None:
    """Why the user may not write under this name, or None if they may. At most 3 queries.

    `address` is the one that it goes with: a colleague's name and an office's go with their addresses, which the administrator
    allowed, but no colleague's goes with the user's own, even if the colleague may write from there.
    """
    if not name.strip() or name == user.name:
        return None
    given = [user.name if user.name_given is None else user.name_given, *_allowed(user)]
    if any(display_names.same_name(name, one) and not _adds(name, one) for one in given):
        return None
    mine = _addresses(user)
    if display_names.address_in(name) and display_names.address_in(name) not in mine:
        return Objection.ADDRESS
    if _is_establishment(name, settings) or _holds_domain(name, settings.own_domains(user.domain)):
        return Objection.ESTABLISHMENT
    if lookalike.mixes_alphabets(name):
        return Objection.LETTERS
    if _is_colleagues(name, (address or user.address).lower(), user.address.lower(), " ".join(given)):
        return Objection.COLLEAGUE
    is_office = display_names.holds_role(name) or authority_names.claimed(name, " ".join(given))
    return Objection.ROLE if is_office and not display_names.is_in_local_part(name, address.partition("@")[0]) else None


def _is_establishment(name: str, settings: Settings) -> bool:
    return display_names.holds_name(name, settings.name) or display_names.mentions_name(name, settings.name)


def _is_colleagues(name: str, address: str, writer: str, given: str) -> bool:
    """Whether a name is a colleague's in any dress: with a title, initials, spaces between letters, as the surname alone."""
    people = colleagues.today()
    if people.is_own(name, address, writer):
        return False
    if people.imitated(name, address, writer) or people.abbreviated(name, address, writer):
        return True
    return people.surname(name, given) or authority_names.for_another(name)


def _holds_domain(name: str, domains: Iterable[str]) -> bool:
    return not display_names.address_in(name) and any(display_names.names_domain(name, one) for one in domains)


def _adds(name: str, given: str) -> bool:
    """Whether a name says more than the given one: a function or an address, which comparing leaves out."""
    return (display_names.holds_role(name) and not display_names.holds_role(given)) or bool(display_names.address_in(name))


def _allowed(user: User) -> list[str]:
    return [row.name for row in AllowedName.select(AllowedName.name).where(AllowedName.user == user)]


def _addresses(user: User) -> set[str]:
    rows: Any = AllowedAddress.select(AllowedAddress.address).where(AllowedAddress.user == user).tuples()
    return {user.address.lower(), *(address for (address,) in rows)}
