"""Abuse notifications: the administrator is told that somebody reported a public link, and why."""

from __future__ import annotations

import logging

from flask_babel import gettext as _

from webmail import system_mail
from webmail.auth import help_desk
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import TransferReport
from webmail.transfers.public.reports import AbuseReason
from webmail.web.current import settings, wake_system_mail
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)


def reason_words() -> dict[str, str]:
    """The reasons and their words, as the form lists them."""
    return {
        AbuseReason.MALWARE: _("A virus, or another harmful program"),
        AbuseReason.FRAUD: _("A fraud: somebody pretends to be someone else"),
        AbuseReason.ILLEGAL: _("Something that is against the law"),
        AbuseReason.RIGHTS: _("My work or my data, sent without my permission"),
        AbuseReason.OTHER: _("Something else"),
    }


def tell_administrator(made: TransferReport) -> None:
    """A mail without the link: who reads the administrator's mail can't open the files by it. Without an address for them, the
    accounts of administrators get it."""
    owner = made.transfer.owner
    if settings().system_sender is None:
        return
    language = settings().language
    with written_in(language):
        subject = _("Large files of %(address)s were reported", address=owner.address)
        lines = [
            _("Somebody reported files that %(address)s sent as a link.", address=owner.address), "",
            _("Reason: %(reason)s", reason=reason_words()[AbuseReason(made.reason)]),
            _("From: %(address)s", address=made.address or _("no address given")), "", made.text, "",
            public_link("admin.transfers"),
        ]  # fmt: skip
    text = "\n".join(lines).strip()
    for reader in help_desk.first_readers(owner.address, settings()):
        try:
            row = system_mail.send(reader, "abuse", subject, text, language, dedup=f"report {made.id}")
        except (BadAddressError, UnsafeValueError, ValueError) as error:
            log.warning("a report of abuse is not mailed: %s", error)
            return
        if row is not None:
            wake_system_mail(row)
