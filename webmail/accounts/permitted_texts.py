"""Permitted recipients in words: why somebody may not write to an address."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _

from webmail.accounts import permitted
from webmail.config.settings import Settings
from webmail.models import User
from webmail.people import reach
from webmail.people.reach import Refused


def refusal_words(refused: Refused) -> str:
    match refused.why:
        case reach.MEMBERS:
            return _("Only its members can write to the list %(address)s.", address=refused.address)
        case reach.OWNERS:
            return _("Only those who look after the list %(address)s can write to it.", address=refused.address)
        case "outside" | reach.INSIDE:
            return _("Your account can only write to people in your organisation. Remove %(address)s.", address=refused.address)
    return _("Your account can’t write to %(address)s. Remove this address.", address=refused.address)


def objection(user: User, emails: Iterable[str], settings: Settings) -> str:
    """Why mail that we send for somebody, with their words in it, may not go to these addresses; "" if it may. The queries of
    `permitted.refused`."""
    return " ".join(refusal_words(one) for one in permitted.refused(user, emails, settings))
