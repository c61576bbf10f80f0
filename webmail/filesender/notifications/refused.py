"""Refused deliveries: mail to whoever sent files that did not get to FileSender, with the reason and where they are still."""

from __future__ import annotations

import logging

from flask_babel import gettext as _

from webmail import system_mail
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.filesender.filesender_texts import problem_words
from webmail.models import FilesenderDelivery
from webmail.transfers import store
from webmail.transfers.texts import transfer_texts
from webmail.web.current import settings
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)

KIND = "files-owner"  # of system mail


def queue(delivery: FilesenderDelivery, problem: str) -> None:
    """Tell its owner, in the transaction that stops it; where no system mail is set up, its page alone does."""
    if not (settings().system_address and settings().public_url):
        return
    transfer = delivery.transfer
    language = system_mail.in_language_of(transfer.owner, settings())
    with written_in(language):
        title = " ".join(transfer_texts.title_of(transfer, store.files(transfer)).split())[:120]
        subject = _("“%(title)s” was not sent", title=title)
        body = "\n\n".join([
            _("FileSender did not get “%(title)s”.", title=title) + " " + problem_words(problem),
            _("Your files and what you typed are still here. Change what is needed, and send it again:"),
            public_link("transfers.one", number=transfer.id),
        ])  # fmt: skip
    try:
        system_mail.send(transfer.owner.address, KIND, subject, body, language, secret_key=settings().secret_key)
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("nobody is told that delivery %d was refused: %s", delivery.id, error)
