"""Deletion notifications: the administrator is told that somebody asks for their account to be deleted, or keeps it."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail import system_mail
from webmail.auth import help_desk
from webmail.models import User
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


def write_administrator(user: User, *, asks: bool) -> None:
    """In the language of the establishment. What the person wrote is quoted as theirs. Nobody is told where nobody is there."""
    who = f"{user.name} <{user.address}>" if user.name else user.address
    with written_in(settings().language):
        if asks:
            subject = _("%(address)s asks for their account to be deleted", address=user.address)
            lines = [
                _("%(who)s asks for their account to be deleted.", who=who),
                _("To delete it: %(command)s", command=f"flask accounts delete {user.address}"),
                _("They can still withdraw their request. All requests: %(command)s", command="flask accounts deletions"),
            ]
            if settings().sign_in == "accounts" and (page := public_link("admin.person", number=user.id)):
                lines.insert(2, _("Or on their page: %(link)s", link=page))
            if user.deletion_reason:
                lines.append(_("Their message:") + "\n" + "\n".join(f"> {line}" for line in user.deletion_reason.splitlines()))
        else:
            subject = _("%(address)s keeps their account", address=user.address)
            lines = [_("%(who)s no longer asks for their account to be deleted.", who=who)]
    body = "\n\n".join(lines) + "\n"
    for reader in help_desk.first_readers(user.address, settings()):
        if sent := system_mail.send(reader, "deletion", subject[:300], body, settings().language):
            wake_system_mail(sent)
