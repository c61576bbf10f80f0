"""The mail of somebody who does what everybody does: for journeys in several browsers."""

from __future__ import annotations

import imaplib
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from deploy.demo.services import Services
from tests.support.messages import message

LAST_YEAR = datetime.now(UTC) - timedelta(days=300)


def _with_file(subject: str, size: int) -> EmailMessage:
    made = message(subject)
    made.add_attachment(b"x" * size, "application", "pdf", filename="gros.pdf")
    return made


def new_marie(demo: Services) -> str:
    """The address of somebody new: ten messages in the inbox, one of them to several, one large; last year's about Erasmus in a
    folder, which alone says that name."""
    address = f"marie-{time.time_ns()}@lycee.example"
    demo.add_account(address, "Marie", 10**8)
    client = imaplib.IMAP4("127.0.0.1", demo.ports.imap)
    client.login(address, demo.password)
    for name in ("Projets", "Projets/Erasmus"):
        assert client.create(f'"{name}"')[0] == "OK"
        client.subscribe(f'"{name}"')
    for number in range(8):
        client.append("INBOX", "", None, bytes(message(f"Message {number}")))
    client.append("INBOX", "", None, bytes(_with_file("Le dossier complet", 6_000_000)))
    client.append("INBOX", "", None, bytes(message("Réunion", To=f"{address}, bob@lycee.example, charlie@ailleurs.example")))
    client.append("Projets/Erasmus", "", imaplib.Time2Internaldate(LAST_YEAR), bytes(message("Convention de subvention")))
    client.logout()
    return address
