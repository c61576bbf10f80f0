"""Words of departures: what things are called, and the mail to who loses them."""

from __future__ import annotations

import logging

from flask_babel import gettext as _

from webmail import system_mail
from webmail.admin.departure.uses import Farewell, UseKind
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import SystemMessage, User
from webmail.web.formatting import written_in

log = logging.getLogger(__name__)

MAIL = "departure"
_MOST = 20  # things named in one mail


def kind_of(kind: UseKind) -> str:
    return {
        UseKind.CALENDAR: _("Calendar"),
        UseKind.BOOK: _("Address book"),
        UseKind.TRANSFER: _("Large files"),
        UseKind.REQUEST: _("Request for files"),
        UseKind.POLL: _("Poll"),
        UseKind.APPOINTMENTS: _("Appointments"),
        UseKind.ROOM: _("Approves bookings"),
        UseKind.MAIL_FOLDER: _("Mail folder"),
    }[kind]


def tell(farewells: list[Farewell], owner: User, settings: Settings) -> list[SystemMessage]:
    """Queue a mail to each; the caller has deleted the account, or is about to."""
    found = [_letter(one, owner, settings) for one in farewells] if settings.system_address else []
    return [one for one in found if one is not None]


def _letter(farewell: Farewell, owner: User, settings: Settings) -> SystemMessage | None:
    language, name = farewell.language or settings.language, owner.name or owner.address
    with written_in(language):
        subject = _("%(owner)s has left: what you shared has ended", owner=name)[:300]
        lines = [f"- {kind_of(kind)}: {title}"[:200] for kind, title in farewell.losses[:_MOST]]
        if len(farewell.losses) > _MOST:
            lines.append("…")
        parts = [_("The account %(address)s was deleted, and with it:", address=owner.address), "\n".join(lines)]
        body = "\n\n".join(parts) + "\n"
    try:
        return system_mail.send(farewell.address, MAIL, " ".join(subject.split()), body, language, f"{owner.id} {owner.address}")
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("nobody is told at %s of a departure: %s", farewell.address, error)
        return None
