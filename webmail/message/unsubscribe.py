"""Unsubscribe: leaving a mailing list by one-click POST (RFC 8058), by message, or on the list's web page."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum

from webmail import http_fetch
from webmail.config.settings import Settings
from webmail.mail import MailingList, Message
from webmail.mime.headers import authentication
from webmail.mime.html import link_claims

log = logging.getLogger(__name__)

SECONDS = 10.0
_FORM = b"List-Unsubscribe=One-Click"  # RFC 8058 section 3.2


class UnsubscribeOutcome(StrEnum):
    ACCEPTED = "accepted"  # 2xx
    ELSEWHERE = "elsewhere"  # a redirect, which is not followed: the user has to continue there
    REFUSED = "refused"
    AWAY = "away"
    FORBIDDEN = "forbidden"  # a URL that our server must not request (e.g. a private network)


@dataclass(frozen=True, slots=True)
class UnsubscribeOptions:
    """`one_click` is the https URL to POST to, `page` one for the user to open, both on `host`; `mail` an address to write to."""

    one_click: str = ""
    page: str = ""
    mail: str = ""
    host: str = ""

    @property
    def any(self) -> bool:
        return bool(self.one_click or self.page or self.mail)


def ways(message: Message, settings: Settings) -> UnsubscribeOptions:
    """How this list can be left. One-click only if a DKIM signature passed, or if signatures are not checked here: RFC 8058
    section 4 requires one that covers the header, since a forged header would make our server send requests to third parties.
    """
    offered: MailingList = message.list
    host = link_claims.host_of(offered.leave_web)
    sender = message.envelope.sender[0].email.rpartition("@")[2].lower() if message.envelope.sender else ""
    checked = authentication.judge(message.trace.results, settings.authserv_id, sender, hops=settings.authserv_hops)
    signed = any(check.method == "dkim" and check.result == "pass" for check in checked.checks)
    believable = checked.verdict is not authentication.Verdict.FAILED and (signed or not checked.told)
    one_click = offered.one_click and believable and settings.remote_images != "never"
    return UnsubscribeOptions(offered.leave_web if one_click else "", offered.leave_web, offered.leave_mail, host)


def leave(url: str) -> UnsubscribeOutcome:
    """Send the one-click POST. Takes at most SECONDS; never raises."""
    try:
        answer = http_fetch.post(url, _FORM, seconds=SECONDS)
    except http_fetch.AddressForbiddenError as error:
        log.info("unsubscribing was not tried: %s", error)
        return UnsubscribeOutcome.FORBIDDEN
    except http_fetch.NotFetchedError as error:
        log.info("unsubscribing failed: %s", error)
        return UnsubscribeOutcome.AWAY
    if 200 <= answer.status < 300:
        return UnsubscribeOutcome.ACCEPTED
    return UnsubscribeOutcome.ELSEWHERE if 300 <= answer.status < 400 else UnsubscribeOutcome.REFUSED
