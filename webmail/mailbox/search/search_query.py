"""Search query: parses the search box with the user's tags, resolves `in:`, and converts between form fields and query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.imap.searching import search
from webmail.imap.searching.search import Search, SearchTerm
from webmail.imap.searching.search_values import day_range
from webmail.mail import Role
from webmail.mailbox import tags
from webmail.mailbox.list_request import LONGEST_QUERY, ListRequest
from webmail.models import User

_EVERYWHERE = {"all", "anywhere", "everywhere", "partout", "tout"}
_ROLES = {
    Role.INBOX: "inbox réception reception boîte",
    Role.DRAFTS: "drafts draft brouillons brouillon",
    Role.SENT: "sent envoyés envoyes envoyé",
    Role.ARCHIVE: "archive archives",
    Role.JUNK: "junk spam indésirables indesirables pourriel",
    Role.TRASH: "trash bin corbeille",
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words.split()}

# form fields that correspond to an operator; "words", "without", "attachment" and "state" do not
_DAYS = ("after", "before")  # of form fields for a day
_TIMES = ("on", "newer_than", "older_than")  # also a month, a year, an age
FIELDS = ("from", "to", "cc", "subject", "body", "filename", "tag", "list", "larger", "smaller", *_DAYS, *_TIMES)
STATES = ("unread", "read", "flagged", "answered", "forwarded", "draft")
_LONGEST_FIELD = 200
_SIMPLE = re.compile(r"\w[\w@.+'-]*")
_PIECES = re.compile(r'"[^"]*"|[^\s"]+')  # words between quotes stay together


def understood(query: str, user: User, today: date) -> Search:
    """Parse a query, resolving the user's tags. Raises UnsafeValueError."""
    return search.parse(query[:LONGEST_QUERY], today=today, tag=lambda words: tags.keyword_for(user, words))


def plain_words(found: Search) -> str:
    """The words of a query that are not of an operator: what other things than messages may be looked for by."""
    return " ".join(term.value for term in found.sought if not (term.operator or term.named))[:100].strip()


def led_to(request: ListRequest, found: Search, overview: Overview) -> ListRequest | None:
    """The list that `in:` refers to: another folder (alone, if everything was to be searched), or all; None if there is none."""
    words = found.mailbox.casefold()
    if words in _EVERYWHERE:
        return replace(request, query=found.rest, scope="all", page=1)
    role = _ROLE_OF.get(words)
    boxes = [m for m in overview.mailboxes if m.selectable]
    named = (
        [m for m in boxes if m.name.casefold() == words]
        or [m for m in boxes if role and m.role is role]
        or [m for m in boxes if m.label.casefold() == words]
    )
    scope = "" if request.scope == "all" else request.scope
    return replace(request, mailbox=named[0].name, query=found.rest, scope=scope, page=1) if named else None


def query_of(fields: Mapping[str, str]) -> str:
    """The query for a filled-in search form."""
    pieces = [fields.get("words", "").strip()]
    pieces += ["-" + _value(word) for word in _PIECES.findall(fields.get("without", "")) if _value(word)]
    pieces += [f"{name}:{_value(fields[name])}" for name in FIELDS if _value(fields.get(name, ""))]
    pieces += ["has:attachment"] if fields.get("attachment") else []
    pieces += [f"is:{fields['state']}"] if fields.get("state") in STATES else []
    return " ".join(piece for piece in pieces if piece)


def _value(text: str) -> str:
    """The words as an operator's value, quoted unless they are a simple word."""
    plain = " ".join(text.replace('"', " ").split())[:_LONGEST_FIELD]
    return plain if not plain or _SIMPLE.fullmatch(plain) else f'"{plain}"'


def fields_of(found: Search, query: str, today: date) -> dict[str, str]:
    """The form fields for a query: each operator in its field if it occurs once, everything else as words."""
    if not found.terms:
        return {"words": query}
    fields: dict[str, str] = {}
    words: list[str] = []
    for term in found.terms:
        place, value = _field(term, today)
        if place == "without":
            fields[place] = f"{fields.get(place, '')} {value}".strip()
        elif place and place not in fields:
            fields[place] = value
        else:
            words.append(term.source)
    words.sort(key=lambda word: word.endswith(":"))  # an operator without a value would take the next word for it
    return fields | {"words": " ".join(words)}


def _field(term: SearchTerm, today: date) -> tuple[str, str]:
    if term.minus:
        together = f'"{term.value}"' if " " in term.value else term.value
        return ("", "") if term.operator or term.named else ("without", together)
    if term.operator == "has":
        return ("attachment", "1") if search.means_attachment(term.value) else ("", "")
    if term.operator == "is":
        state = search.state_name(term.value)
        return ("state", state) if state in STATES else ("", "")
    if term.operator in (*_DAYS, *_TIMES):
        days = day_range(term.value, today)
        said = term.value if term.operator in _TIMES else days[0].isoformat() if days else ""
        return (term.operator, said) if days else ("", "")
    return (term.operator, term.value) if term.operator in FIELDS and term.value else ("", "")
