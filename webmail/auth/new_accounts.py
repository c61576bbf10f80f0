"""New accounts: which addresses they may have, and what each gets once it is there, whatever way it came: what its
establishment gives, and the welcome message."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum

from webmail import system_mail
from webmail.auth import account_management, reserved_addresses
from webmail.auth.sign_in.names import is_for_account
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import SystemMessage, User
from webmail.people import policies

WELCOME = "welcome"  # the kind of the message
PACE = timedelta(seconds=1)  # from one welcome to the next: others' mail does not wait for those of a whole school
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")


class NewFault(StrEnum):
    """Why an account can't be made."""

    ADDRESS = "address"  # is none
    DOMAIN = "domain"  # not one of the administrator's
    TAKEN = "taken"
    RESTS = "rests"  # was somebody's, not long ago
    NAME = "name"


def address_fault(address: str) -> NewFault | None:
    """Why no new account may have this address (normalised), besides that one has it. At most 4 SELECTs."""
    if "+" in address or not is_for_account(address):
        return NewFault.ADDRESS
    if reserved_addresses.is_reserved(address):
        return NewFault.TAKEN
    return NewFault.RESTS if account_management.rests_until(address) else None


def created(user: User, settings: Settings) -> SystemMessage | None:
    """Welcome somebody whose account was made just now, with all that it begins with: in the transaction that makes it.

    None where the establishment sends no mail, or has no welcome, and for the address that such mail comes from. One query then,
    else 5; 6 more where the establishment gives something.
    """
    policies.begin(user)
    its: Settings = settings.presentation.of_domain.get(user.domain.lower()) or settings
    if (sender := settings.system_sender) is None or sender.email.lower() == user.address:
        return None
    language = system_mail.in_language_of(user, its)
    body = its.presentation.welcome.in_language(language).strip()
    if not body:
        return None
    values = {
        "name": user.name or user.address, "address": user.address, "establishment": its.name,
        "help": f"{settings.public_url.rstrip('/')}/help" if settings.public_url else "",
    }  # fmt: skip
    subject = " ".join(filled(its.presentation.welcome_subject.in_language(language), values).split()) or its.name
    with suppress(BadAddressError, UnsafeValueError):
        return system_mail.send(
            user.address, WELCOME, subject[: system_mail.LONGEST_SUBJECT], filled(body, values) + "\n", language,
            f"{user.id} {user.created.isoformat()}", pace=PACE,
        )  # fmt: skip
    return None


def filled(text: str, values: dict[str, str]) -> str:
    """The text with each {placeholder} as its value; a line with a placeholder that has none here is left out."""
    lines = [line for line in text.split("\n") if all(values.get(name, name) for name in _PLACEHOLDER.findall(line))]
    return "\n".join(_PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), line) for line in lines)
