"""Security mail: tells a person what was changed about how they sign in, at their own and their recovery address."""

from __future__ import annotations

import logging
from contextlib import suppress
from enum import Enum

from flask import request
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from webmail import system_mail
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import BadAddress, UnsafeValue
from webmail.models import User, now
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import long_date
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)


class SecurityNotice(Enum):
    """What happened: the subject of the mail and its first sentence, in which `%(what)s` is a name."""

    PASSWORD_CHANGED = (_l("Your password was changed"), _l("The password of %(address)s was changed."))
    NEW_SIGN_IN = (
        _l("Sign-in from a new browser"),
        _l("Somebody signed in as %(address)s from a browser that was not known before."),
    )

    @property
    def subject(self) -> str:
        return str(self.value[0])

    def sentence(self, address: str, what: str) -> str:
        return str(self.value[1]) % {"address": address, "what": what}


def tell(user: User, notice: SecurityNotice, what: str = "", *, browser: str = "", also: tuple[str, ...] = ()) -> None:
    """Queue the mail; nothing where the establishment sends none. Never raises. `what`: a name, shown as text.

    `also`: further addresses, such as a recovery address that was just replaced.
    """
    if settings().system_sender is None:
        return
    addresses = dict.fromkeys([user.address, user.recovery_address, *also])
    try:
        with force_locale(system_mail.in_language_of(user, settings())):
            subject, body = notice.subject, _body(user, notice, what, browser)
            for address in filter(None, addresses):
                with suppress(BadAddress, UnsafeValue):
                    if row := system_mail.send(address, "security", subject, body, system_mail.in_language_of(user, settings())):
                        wake_system_mail(row)
    except DATABASE_AWAY as error:
        log.error("%s is not told that %s: %s", user.address, notice.name, error)


def _body(user: User, notice: SecurityNotice, what: str, browser: str) -> str:
    lines = [notice.sentence(user.address, what), "", _("When: %(when)s", when=long_date(now()))]
    if browser:
        lines.append(_("Browser: %(browser)s", browser=browser))
    if network := request.remote_addr:
        lines.append(_("Network: %(network)s", network=network))
    lines += ["", _("If this was you, there is nothing to do.")]
    lines.append(_("If it was not, sign out everywhere and change your password at once:"))
    lines.append(public_link("auth.show_sessions") or settings().name)
    return "\n".join(lines)
