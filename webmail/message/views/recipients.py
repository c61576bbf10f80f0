"""Recipients line: whom a message went to, in a few names, as the letterhead says it."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.mail import Address, Envelope
from webmail.message.blueprint import blueprint
from webmail.mime.headers.shown_address import readable_address
from webmail.web.current import current_user

_NAMED = 2


@blueprint.app_template_global()
def recipients(envelope: Envelope) -> tuple[list[str], int]:
    """The first names among To and Cc, with "me" before others, and how many more there are."""
    me = current_user().address.lower()
    everybody = envelope.to_and_cc
    mine = [a for a in everybody if a.email.lower() == me][:1]
    others = [a for a in everybody if a.email.lower() != me]
    names = [_("me")] * len(mine) + [_label(a) for a in others[: _NAMED - len(mine)]]
    return names, len(mine) + len(others) - len(names)


def _label(person: Address) -> str:
    return person.name or readable_address(person.email)
