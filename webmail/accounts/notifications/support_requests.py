"""Support requests by mail: one for help as the administrator reads it, and the copy for who sent it."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail import system_mail
from webmail.accounts.support import SupportLetter
from webmail.accounts.support_texts import trouble_words
from webmail.auth.sessions.user_agent import describe
from webmail.models import SupportRequest, User
from webmail.web.current import settings
from webmail.web.formatting import long_date, written_in


def support_mails(row: SupportRequest, last: bool) -> tuple[SupportLetter, SupportLetter | None]:
    """To the administrator, and the copy for who is signed in. `last`: no more are mailed today."""
    with written_in(settings().language):
        subject = _("Support request %(reference)s: %(kind)s", reference=row.reference, kind=trouble_words(row.kind))
        to_admin = SupportLetter(subject, _body(row, last))
    if row.user is None:
        return to_admin, None
    with written_in(system_mail.in_language_of(row.user, settings())):
        lines = [
            _("We have received your request. Its reference is %(reference)s.", reference=row.reference),
            trouble_words(row.kind),
            _quoted(row.text),
        ]
        subject = _("Your request %(reference)s", reference=row.reference)
        return to_admin, SupportLetter(subject, "\n\n".join(filter(None, lines)) + "\n")


def _body(row: SupportRequest, last: bool) -> str:
    """What the administrator reads. What the person wrote stands at the end of it, quoted."""
    facts = [
        _("Account: %(name)s (%(state)s)", name=row.username, state=_state(row)),
        _("Problem: %(kind)s", kind=trouble_words(row.kind)),
        _("Where to reach them: %(contact)s", contact=row.contact or row.username),
        _("When: %(when)s", when=long_date(row.created)),
        _("Browser: %(browser)s", browser=f"{describe(row.browser)} ({row.browser})" if row.browser else "-"),
        _("Network: %(network)s", network=row.network or "-"),
    ]
    parts = [_("Support request %(reference)s", reference=row.reference), "\n".join(facts)]
    if row.user is None:
        parts.append(_("We don’t know for certain who wrote this: make sure before you change anything."))
    if row.text:
        parts.append(_("Their message:") + "\n" + _quoted(row.text))
    parts.append(_("When it is done: %(command)s", command=f"flask support close {row.reference}"))
    if last:
        parts.append(_("No more requests are sent by email today. All of them: %(command)s", command="flask support list"))
    return "\n\n".join(parts) + "\n"


def _state(row: SupportRequest) -> str:
    """What is known of the account, for the administrator alone."""
    if row.user is not None:
        return _("signed in")
    user = User.get_or_none(User.address == row.username)
    if user is None:
        return _("as typed; there is no such account")
    return _("as typed") if user.active else _("as typed; the account is disabled")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())
