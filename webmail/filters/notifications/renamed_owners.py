"""Notification to somebody whose own script names folders of a colleague by an address that is another one now."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.filters.rules.renamed_owners import ForeignScript
from webmail.models import SystemMessage, User
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link


def tell(user: User, left: ForeignScript, settings: Settings) -> SystemMessage | None:
    """Once for each change of an address. Nothing where the establishment sends no mail."""
    if settings.system_sender is None:
        return None
    language = system_mail.in_language_of(user, settings)
    with written_in(language):
        subject = _("Your mail filter names a folder that has moved")
        body = _(
            "%(before)s is now %(after)s. The folders that this mailbox shares with you have moved from “shared/%(before)s” to "
            "“shared/%(after)s”.\n\nThe script “%(script)s” on the mail server still uses the former name. Another program wrote "
            "it, so nothing was changed in it. Until you replace the name there, messages for these folders may stay in your "
            "inbox.",
            before=left.before, after=left.after, script=left.name,
        )  # fmt: skip
        text = "\n\n".join(filter(None, [body, public_link("filters.show_filters")])) + "\n"
    key = f"{user.id} {left.name} {left.before} {left.after}"[:190]
    return system_mail.send(user.address, "renamed-owner", subject, text, language, key)
