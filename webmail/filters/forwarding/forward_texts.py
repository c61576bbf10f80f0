"""Words about forwarding: a person is told that an administrator turned theirs off."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail import system_mail
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.models import User
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


def forwarding_turned_off(user: User, before: Forwarding) -> None:
    """Queue a mail to the person; nothing where the establishment sends none."""
    here = settings()
    if here.system_sender is None:
        return
    language = system_mail.in_language_of(user, here)
    with written_in(language):
        words = _(
            "An administrator turned off the forwarding of %(address)s to %(targets)s. Your mail now stays here.",
            address=user.address, targets=", ".join(before.addresses),
        )  # fmt: skip
        body = "\n".join(filter(None, [words, "", public_link("filters.show_forwarding")]))
        row = system_mail.send(user.address, "forwarding", _("Your mail is no longer forwarded"), body, language)
    if row:
        wake_system_mail(row)
