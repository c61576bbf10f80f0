"""What a person types in the search box, as SEARCH criteria (RFC 3501 section 6.4.4). Every value goes through `quoted`."""

from __future__ import annotations

import re

from webmail.imap.commands import quoted, text

_WORD = re.compile(r'(-?)(?:([a-z]+):)?(?:"([^"]*)"|(\S+))', re.IGNORECASE)
_FIELDS = {
    "from": "FROM", "de": "FROM", "to": "TO", "cc": "CC", "subject": "SUBJECT", "objet": "SUBJECT", "body": "BODY"
}  # fmt: skip
_STATES = {
    "unread": b"UNSEEN", "read": b"SEEN", "flagged": b"FLAGGED", "answered": b"ANSWERED", "draft": b"DRAFT",
    "non-lu": b"UNSEEN", "lu": b"SEEN", "suivi": b"FLAGGED",
}  # fmt: skip


def criteria(query: str) -> bytes:
    """`ann subject:"class council" is:unread -draft` -> SEARCH keys, all of which must hold.

    A plain word is looked for in the sender, the subject and the text. An operator that is not known is searched as text.
    Raises UnsafeValue for CR, LF and NUL.
    """
    text(query)
    keys = [key for match in _WORD.finditer(query) if (key := _key(*match.groups()))]
    return b" ".join(keys) or b"ALL"


def _key(minus: str, operator: str | None, phrase: str | None, word: str | None) -> bytes:
    value = (phrase if phrase is not None else word) or ""
    name = (operator or "").lower()
    if not value:
        return b""
    if name in ("is", "est") and value.lower() in _STATES:
        key = _STATES[value.lower()]
    elif name in ("has", "avec") and value.lower().startswith(("attach", "pièce", "piece")):
        key = b"KEYWORD $HasAttachment"
    elif name in _FIELDS:
        key = _FIELDS[name].encode() + b" " + quoted(value)
    else:
        words = quoted(f"{operator}:{value}" if operator else value)
        key = b"OR TEXT " + words + b" OR FROM " + words + b" SUBJECT " + words
    return b"NOT (" + key + b")" if minus else key
