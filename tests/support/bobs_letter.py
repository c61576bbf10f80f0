"""A letter of Bob's, to be answered or passed on."""

from __future__ import annotations

from email.message import EmailMessage


def letter(**headers):
    """`headers` as keywords (`List_Post=...`)."""
    message = EmailMessage()
    given = {"From": "Bob <bob@x.example>", "To": "alice@x.example", "Subject": "Sortie", "Message-ID": "<1@x>", **headers}
    for name, value in given.items():
        message[name.replace("_", "-")] = value
    message.set_content("Premier point.\n\nSecond point.\n")
    return message
