"""Thanks to all who reported a message, each once; what they reported is handled with it."""

from __future__ import annotations

from collections.abc import Callable

from webmail.database.connection import db
from webmail.desk import cases
from webmail.establishments.scope import Scope
from webmail.message import phishing_reports
from webmail.models import DeskKind, PhishingReport, SystemMessage, User


def thank_all(
    report: PhishingReport, scope: Scope, helper: User, write: Callable[[PhishingReport], SystemMessage | None]
) -> tuple[int, list[SystemMessage]]:
    """How many were thanked, and the messages to send to them."""
    thanked, sent = 0, []
    for one in phishing_reports.together(report, scope.condition()):
        with db.atomic():
            if not phishing_reports.take_thanks(one, helper.address):
                continue
            thanked += 1
            cases.settle(DeskKind.PHISHING, [one.id], helper.address)
            if (message := write(one)) is not None:
                sent.append(message)
    return thanked, sent
