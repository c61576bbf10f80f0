"""Send checks: warnings shown once before a message is sent (missing attachment, no subject, ...); they never block it."""

from __future__ import annotations

import re
from collections.abc import Container
from enum import StrEnum

from webmail.mail import Draft
from webmail.mime.html import markdown_images, quoted_html


class SendWarning(StrEnum):
    NO_SUBJECT = "no-subject"
    NO_ATTACHMENT = "no-attachment"  # the text mentions one
    NO_PICTURE = "no-picture"  # the formatted text refers to an image that is not among the files
    MANY_VISIBLE = "many-visible"  # many external recipients would see each other's addresses
    MANY_ANSWERED = "many-answered"  # a reply to all with many recipients
    SLIP = "slip"  # an address that looks mistyped, see recipients.likely_typos


VISIBLE_FROM = 20  # addresses in To and Cc
_SPEAKS_OF_ATTACHMENT = re.compile(
    r"""\b(?:
    attach(?:ed|ment|ments|ing) | enclosed | enclosures?
    | pi[èe]ce(?:s|\(s\))?[\s-]+jointe(?:s|\(s\))?
    | (?:fichiers?|documents?|photos?|images?|dossiers?)\s+(?:joint|attach[ée])(?:e|s|es)?
    | trouver(?:ez|as)?\s+joint(?:e|s|es)?
    | joint(?:e|s|es)?\s+(?:à|a)\s+(?:ce|cet|mon)\s+(?:message|mails?|m[ée]l|courriels?|envoi|e-mail)
    | ci[\s‐‑-](?:joint|annex[ée]|inclus)(?:e|s|es)? | (?:en|l['’])\s?(?:annexe|attach[ée]e?|attachement)
    | en\s+pi[èe]ce\s+attach[ée]e
    | (?:je|nous)\s+(?:(?:vous|te|t['’]|lui|leur|y)\s*)?(?:joins|joignons)
    | (?:j['’]ai|nous\s+avons)\s+joint
    | (?:en|la|les|une|des|voir|cf\.?|mes|ma|vos|votre)\s+(?:pjs?|p\.j\.) | (?:(?<=\()|^)pjs?(?=\)|\s*:)
    )(?!\w)""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)


def cautions(draft: Draft, *domains: str, has_links: bool = False, signed: Container[str] = ()) -> list[SendWarning]:
    """Warnings to show before sending. Addresses in these domains are internal: colleagues know each other's anyway.

    `has_links`: it carries large files as a link. `signed`: the keys of the names of the sender's pictures in signatures.
    """
    found = []
    if not draft.subject.strip():
        found.append(SendWarning.NO_SUBJECT)
    own = quoted_html.above(draft.html)  # the pictures of a message that is quoted are nothing attached
    inside = [file for file in draft.attachments if markdown_images.key(file.filename) not in signed or not file.content_id]
    attached = [file for file in inside if not file.content_id or f"cid:{file.content_id}" in own]
    if not attached and not has_links and _SPEAKS_OF_ATTACHMENT.search(own_text(draft.text)):
        found.append(SendWarning.NO_ATTACHMENT)
    shown = {markdown_images.key(file.filename) for file in draft.attachments if file.content_id}
    if draft.html and any(name and name not in shown for _words, name in markdown_images.marks(draft.text)):
        found.append(SendWarning.NO_PICTURE)
    visible = [address.email.rpartition("@")[2].lower() for address in (*draft.to, *draft.cc)]
    strangers = sum(one not in domains for one in visible)
    if draft.in_reply_to and len(visible) > VISIBLE_FROM and (draft.cc or strangers <= VISIBLE_FROM):
        found.append(SendWarning.MANY_ANSWERED)  # the recipients have seen each other's addresses already
    elif strangers > VISIBLE_FROM:
        found.append(SendWarning.MANY_VISIBLE)
    return found


def own_text(text: str) -> str:
    """The text above a forwarded message, without quoted lines (those starting with ">")."""
    forwarded = re.search(r"^-{3,} .* -{3,}$", text, re.MULTILINE)
    above = text[: forwarded.start()] if forwarded else text
    return "\n".join(line for line in above.split("\n") if not line.startswith(">"))
