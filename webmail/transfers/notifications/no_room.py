"""No room: a guest is told no more than that; whoever asked them is told by mail, once a day, and on the request's page."""

from __future__ import annotations

import logging

from flask_babel import gettext as _

from webmail import system_mail
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import FileRequest, now
from webmail.transfers.notifications.delivery import TO_OWNER
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)


def tell_owner(request: FileRequest) -> None:
    """In their language. Nothing of what the guest typed stands in it."""
    here, owner = settings(), request.owner
    if here.system_sender is None:
        return
    language = system_mail.in_language_of(owner, here)
    with written_in(language):
        subject = _("No space for files: %(title)s", title=request.title[:100])
        lines = [
            _("Somebody tried to send you files for “%(title)s”, but there was not enough space.", title=request.title),
            _(
                "Close large files that you no longer need, or ask your administrator for more space. Then ask the "
                "sender to try again."
            ),
            public_link("transfers.index"),
        ]
        body = "\n\n".join(filter(None, lines)) + "\n"
        try:
            once_a_day = f"no room {request.id} {now():%Y-%m-%d}"
            row = system_mail.send(owner.address, TO_OWNER, subject, body, language, once_a_day)
        except (BadAddressError, UnsafeValueError, ValueError) as error:
            log.warning("%s is not told that there is no room: %s", owner.address, error)
            return
    if row is not None:
        wake_system_mail(row)
