"""Quota requests by mail: somebody asks the administrator for more space."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.mail import Quota
from webmail.mailbox.quota.quota_request import Letter
from webmail.models import User
from webmail.web.current import settings
from webmail.web.formatting import file_size, written_in


def letter(me: User, note: str, quota: Quota) -> Letter:
    """In the language of the establishment. What the person wrote stands at the end, and is quoted as theirs."""
    with written_in(settings().language):
        subject = _("%(address)s is asking for more space", address=me.address)
        who = f"{me.name} <{me.address}>" if me.name else me.address
        lines = [
            _("%(who)s is asking for more space for mail.", who=who),
            _("Space used: %(used)s of %(limit)s.", used=file_size(quota.used), limit=file_size(quota.limit)),
        ]
        if settings().sign_in == "accounts":
            lines.append(
                _("To give more space, set the quota on the server: %(command)s", command=f"flask accounts quota {me.address} 5G")
            )
        if note:
            quoted = "\n".join(f"> {line}" for line in note.splitlines())
            lines.append(_("Their message:") + "\n" + quoted)
    return Letter(subject[:300], "\n\n".join(lines) + "\n")
