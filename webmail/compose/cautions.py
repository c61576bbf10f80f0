"""What a person may have forgotten, asked once before a message leaves. Never a reason to refuse it."""

from __future__ import annotations

import re
from enum import StrEnum

from webmail.mail import Draft


class Caution(StrEnum):
    NO_SUBJECT = "no-subject"
    NO_ATTACHMENT = "no-attachment"  # the text speaks of one
    MANY_VISIBLE = "many-visible"  # everybody would read everybody's address


VISIBLE_FROM = 20  # addresses in To and Cc
_SPEAKS_OF_ATTACHMENT = re.compile(
    r"\battach(ed|ment|ments|ing)\b|\bpi[èe]ces?\s+jointes?\b|\bci-joint(e|s|es)?\b", re.IGNORECASE
)


def cautions(draft: Draft) -> list[Caution]:
    found = []
    if not draft.subject.strip():
        found.append(Caution.NO_SUBJECT)
    if not draft.attachments and _SPEAKS_OF_ATTACHMENT.search(own_text(draft.text)):
        found.append(Caution.NO_ATTACHMENT)
    if len(draft.to) + len(draft.cc) > VISIBLE_FROM:
        found.append(Caution.MANY_VISIBLE)
    return found


def own_text(text: str) -> str:
    """The text above a forwarded message, without quoted lines."""
    forwarded = re.search(r"^-{3,} .* -{3,}$", text, re.MULTILINE)
    above = text[: forwarded.start()] if forwarded else text
    return "\n".join(line for line in above.split("\n") if not line.startswith(">"))
