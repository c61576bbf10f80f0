"""Notification to somebody whose account is to be disabled on a day that an administrator chose."""

from __future__ import annotations

from contextlib import suppress

from flask_babel import gettext as _

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import SystemMessage, User
from webmail.web.formatting import day_in_full, local, written_in


def tell(user: User, settings: Settings) -> list[SystemMessage]:
    """To their own address and to the recovery address. Nothing where the establishment sends no mail."""
    if settings.system_sender is None or user.ends_on is None:
        return []
    language, queued = system_mail.in_language_of(user, settings), []
    with written_in(language):
        day = day_in_full(local(user.ends_on).date())
        subject = _("Your account ends on %(day)s", day=day)
        body = _(
            "The account %(address)s at %(place)s closes on %(day)s. From then on you can no longer sign in, and mail to this "
            "address is refused. Export what you want to keep before then: “My account”, “Export my data”.",
            address=user.address, place=settings.name, day=day,
        )  # fmt: skip
    for address in filter(None, dict.fromkeys([user.address, user.recovery_address])):
        with suppress(BadAddressError, UnsafeValueError):
            queued.append(system_mail.send(address, "account-end", subject, body + "\n", language))
    return [row for row in queued if row is not None]
