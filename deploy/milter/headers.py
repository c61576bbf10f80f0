"""Header fields as the door reads them: the addresses of From, and what else in it a person might take for one.

Strict where somebody signed in has written the header: what is not plainly readable is refused, since another program might read
it differently. For mail from outside, whatever might be an address counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header

MOST_FIELDS = 1000  # of one message
LARGEST_HEADER = 512 * 1024  # bytes, all fields together
LONGEST = 8192  # characters of a From that are read
MOST_ADDRESSES = 20

Fields = list[tuple[str, str]]  # (name, value) in the message's order; undecodable bytes as surrogates


class UnreadableError(ValueError):
    """The header is not plainly one or more addresses; the message says why."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as it is written, and the name before it, decoded."""

    address: str
    name: str = ""


def values_of(fields: Fields, name: str) -> list[str]:
    return [value for field, value in fields if field.strip().lower() == name]


# --- strict ----------------------------------------------------------------------------------------------------------

_ATOM = r"[^\x00-\x20\x7f-\xa0()<>\[\]:;@\\,.\"\ud800-\udfff]+"
_ADDRESS = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@({_ATOM}(?:\.{_ATOM})+)")
_TOKEN = re.compile(
    r'(?P<blank>[ \t]+)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<open>\()|(?P<special>[<>@,:;\[\]\\)])|(?P<word>[^ \t"()<>@,:;\[\]\\]+)'
)


def mailboxes(value: str) -> list[Mailbox]:
    """The mailboxes of a From or Sender header. Raises UnreadableError: for groups, comments that hold addresses, routes, quoted
    local parts, and whatever is no plain mailbox list (RFC 5322 section 3.4). Linear time.
    """
    if len(value) > LONGEST:
        raise UnreadableError("it is too long")
    text = re.sub(r"\r?\n(?=[ \t])", "", value).strip(" \t")
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]", text):
        raise UnreadableError("it has control characters or bytes that are not UTF-8")
    found = [_mailbox(tokens) for tokens in _parts(text)]
    if len(found) > MOST_ADDRESSES:
        raise UnreadableError("it has too many addresses")
    return found


def _parts(text: str) -> list[list[str]]:
    """The tokens of each mailbox, without comments; blanks are one space."""
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise UnreadableError("a quotation mark is not closed")
        at = match.end()
        if match.lastgroup == "open":
            at = _end_of_comment(text, at)
            parts[-1].append(" ")
        elif match[0] == ",":
            parts.append([])
        else:
            parts[-1].append(" " if match.lastgroup == "blank" else match[0])
    return parts


_PARENTHESIS = re.compile(r"\\.|[()]")


def _end_of_comment(text: str, start: int) -> int:
    """Where the comment ends that was opened before `start`. One that holds an address might be shown as the sender."""
    depth = 1
    for match in _PARENTHESIS.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if not depth:
            if re.search("[<>@]", text[start : match.end()]):
                raise UnreadableError("a comment in it holds an address")
            return match.end()
    raise UnreadableError("a comment is not closed")


def _mailbox(tokens: list[str]) -> Mailbox:
    name, angle, rest = tokens, [], []
    if "<" in tokens:
        at = tokens.index("<")
        if ">" not in tokens[at:]:
            raise UnreadableError("an address is not closed")
        end = tokens.index(">", at)
        name, angle, rest = tokens[:at], tokens[at + 1 : end], tokens[end + 1 :]
        address = "".join(angle).strip()
        if any(token.strip() for token in rest) or any(token in {"@", ":", ";", ",", "[", "]", "\\", ")", ">"} for token in name):
            raise UnreadableError("it is not a name and one address")
        words = "".join(_unquoted(token) for token in name).strip()
    else:
        address, words = "".join(tokens).strip(), ""
    if not _ADDRESS.fullmatch(address):
        raise UnreadableError("it has no address that can be read" if "@" not in address else "its address can't be read")
    return Mailbox(address, decoded(words))


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token


def decoded(text: str) -> str:
    """With encoded words (RFC 2047) decoded where they can be, and letters that look like ASCII made so."""
    try:
        pieces = decode_header(text)
        plain = "".join(p if isinstance(p, str) else p.decode(charset or "latin-1", "replace") for p, charset in pieces)
    except (HeaderParseError, LookupError, ValueError):
        plain = text
    return unicodedata.normalize("NFKC", plain)


# --- lenient ---------------------------------------------------------------------------------------------------------

_PLAIN = r"[^\s<>()\[\]:;,\"'@]"
_MENTION = re.compile(rf"(?<!{_PLAIN}){_PLAIN}{{1,254}}@{_PLAIN}{{1,254}}")  # from the start of a word: linear time


def mentioned(value: str) -> list[str]:
    """All that looks like an address in a header or a name, as written and as decoded."""
    text = re.sub(r"\r?\n", "", value[:LONGEST])
    return list(dict.fromkeys(match[0] for one in (text, decoded(text)) for match in _MENTION.finditer(one)))


def domain_of(address: str) -> str:
    """Lower case, in ASCII where it can be (RFC 5890), without a final dot."""
    domain = address.rpartition("@")[2].lower().rstrip(".")
    try:
        return domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


_MARKS = re.compile(r'[\s"()\[\]<>]+')
_COMMENT = re.compile(r"\([^()]*\)")
_MOST_COMMENTS = 20  # one in another


def hidden_domains(values: Iterable[str], domains: Iterable[str]) -> set[str]:
    """Those of the domains that stand behind an @ in these From headers, whatever a lenient reader drops on the way: blanks,
    quotation marks, brackets, comments. Linear time.
    """
    texts = {reading for value in values for one in (value, decoded(value[:LONGEST])) for reading in _readings(one.lower())}
    spellings = {domain: {domain, _readable(domain)} for domain in domains}
    return {domain for domain, written in spellings.items() if any(_holds(text, one) for text in texts for one in written)}


def _readings(text: str) -> Iterable[str]:
    """The text with fewer and fewer of its comments."""
    for _depth in range(_MOST_COMMENTS):
        plain = _MARKS.sub(" ", text.replace("\\", ""))
        for mark in "@.":
            plain = plain.replace(f" {mark}", mark).replace(f"{mark} ", mark)
        yield plain
        text, count = _COMMENT.subn(" ", text)
        if not count:
            return


def _holds(text: str, domain: str) -> bool:
    return re.search(rf"@{re.escape(domain)}(?![\w-]|\.[\w-])", text) is not None


def _readable(domain: str) -> str:
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def possible_authors(values: Iterable[str]) -> tuple[list[str], bool]:
    """The addresses that these From headers might name, and whether they are plainly readable."""
    found: list[str] = []
    plain = True
    for value in values:
        try:
            found += [mailbox.address for mailbox in mailboxes(value)]
        except UnreadableError:
            plain = False
            found += mentioned(value)
    return found, plain
