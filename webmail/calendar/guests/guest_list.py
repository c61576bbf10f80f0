"""TypedGuest list: whom a form invites, as typed: names, groups of contacts and of the establishment, and addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webmail.compose.recipients import address_book, bare_names
from webmail.config.settings import Settings
from webmail.mail import Address
from webmail.mime.headers.address_input import address_key, parse_addresses
from webmail.mime.headers.address_text import address_text
from webmail.models import User
from webmail.people.visibility import sight_of

MOST_GUESTS = 300
FIELDS = ("invite", "optional")


class TooManyGuestsError(ValueError):
    """More people than one event may have."""


@dataclass(frozen=True, slots=True)
class TypedGuest:
    """Somebody who is invited. `optional`: the meeting takes place without them too."""

    person: Address
    optional: bool = False

    @property
    def key(self) -> str:
        return address_key(self.person.email)


def completed(user: User, lists: dict[str, str], settings: Settings) -> dict[str, str]:
    """The fields with groups as their people, and user names as addresses. No query where there are none."""
    return bare_names.completed(user, address_book.with_groups(user, lists, sight_of(user, settings)), settings)


def guests_in(invite: str, optional: str = "", *, besides: Iterable[str] = ()) -> list[TypedGuest]:
    """The guests of two fields, each once; `besides`: addresses (normalised) that are none. Raises BadAddressError,
    TooManyGuestsError."""
    found: dict[str, TypedGuest] = {}
    for text, is_optional in ((invite, False), (optional, True)):
        for person in parse_addresses(text):
            guest = TypedGuest(person, is_optional)
            if guest.key not in besides:
                found.setdefault(guest.key, guest)
    if len(found) > MOST_GUESTS:
        raise TooManyGuestsError(len(found))
    return list(found.values())


def fields_of(guests: Sequence[TypedGuest]) -> tuple[str, str]:
    """What stands in the two fields for these guests."""
    must, may = ([one.person for one in guests if one.optional is optional] for optional in (False, True))
    return address_text(must), address_text(may)
