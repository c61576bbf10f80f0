"""Small messages for tests."""

from __future__ import annotations

from email.message import EmailMessage


def message(subject: str, text: str = "Bonjour", sender: str = "Bob Girard <bob@lycee.example>", **headers: str) -> EmailMessage:
    """A plain message to Alice; `headers` as keywords (`In_Reply_To=...`)."""
    made = EmailMessage()
    made["From"], made["Subject"] = sender, subject
    made["Date"] = "Tue, 24 Nov 2026 14:02:00 +0100"
    made["Message-ID"] = f"<{abs(hash(subject))}@lycee.example>"
    for name, value in {"To": "Alice <alice@lycee.example>", **headers}.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made
