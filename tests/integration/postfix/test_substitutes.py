"""Replying on behalf through the real Postfix and the door: for the time of a handover, and shown as such."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient

from deploy.demo import postfix
from tests.support.messages import message
from tests.support.waiting import eventually
from webmail.database.connection import db
from webmail.handover import rounds
from webmail.models import HandoverKind, MailboxHandover, User, now
from webmail.people import handovers
from webmail.people.handovers import HandoverTerms

pytestmark = pytest.mark.skipif(bool(postfix.door_missing()), reason=postfix.door_missing())


def test_a_program_writes_for_the_owner_until_the_end_and_its_mail_says_who_did(
    app: Flask, submitting: Callable[..., smtplib.SMTP], make_account: Callable[..., str], imap_of: Callable[[str], IMAPClient]
) -> None:
    settings: Any = app.extensions["settings"]
    marie, paul, reader = (make_account(name) for name in ("marie", "paul", "reader"))
    owner_letter = message("On behalf", sender=marie, To=reader)

    def arrived() -> list[bytes]:
        client = imap_of(reader)
        client.select_folder("INBOX", readonly=True)
        found = client.fetch(client.search(), ["BODY[]"])
        return [found[uid][b"BODY[]"] for uid in sorted(found)]

    with db.connection_context():
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            submitting(paul).sendmail(marie, [reader], bytes(owner_letter))
        owner, person = (User.get(User.address == one) for one in (marie, paul))
        terms = HandoverTerms(HandoverKind.ABSENCE, answers=True, until=now() + timedelta(days=2))
        rounds.advance(handovers.ask(owner, person, owner, terms, (owner.domain,)), settings)

    client = submitting(paul)
    client.sendmail(marie, [reader], bytes(owner_letter))
    [sent] = eventually(arrived, what="the message")
    written = message_from_bytes(sent)
    assert written["From"] == marie and written["Sender"] == paul
    own = message("With one", sender=marie, To=reader, Sender=paul)
    client.sendmail(marie, [reader], bytes(own))
    both = eventually(lambda: len(arrived()) == 2 and arrived(), what="the second message")
    assert message_from_bytes(both[1]).get_all("Sender") == [paul]
    with pytest.raises(smtplib.SMTPDataError, match="Sender"):
        client.sendmail(marie, [reader], bytes(message("Hidden", sender=marie, To=reader, Sender=marie)))

    with db.connection_context():
        MailboxHandover.update(until=now() - timedelta(seconds=1)).execute()
        rounds.sweep(settings)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail(marie, [reader], bytes(own))
        MailboxHandover.delete().execute()
