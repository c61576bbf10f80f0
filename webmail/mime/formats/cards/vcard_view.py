"""vCard view: parses attached vCards (2.1 to 4.0, RFC 6350) for display beside the message."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from webmail.mime.headers.encoded_words import tidy

SIZE_LIMIT = 256_000  # characters
_CARD_LIMIT = 20_000  # characters of one card without its pictures: the library takes quadratic time for some
CARDS_LIMIT = 20
_VALUES_LIMIT = 20  # of one kind
_LINES_LIMIT = 200  # of one card
_PARAMETERS_LIMIT = 10  # of one line
_VALUE = r'(?:"[^"]*"|[^",;:]*)'
_HEAD = re.compile(rf"(?:[A-Za-z0-9_-]+\.)?[A-Za-z0-9_-]+(?P<parameters>(?:;[A-Za-z0-9_-]+(?:={_VALUE})?(?:,{_VALUE})*)*):")


@dataclass(frozen=True, slots=True)
class Card:
    name: str
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    organisation: str = ""
    role: str = ""
    addresses: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


def read(text: str) -> tuple[Card, ...]:
    """Parse the cards of a .vcf, at most CARDS_LIMIT; invalid ones are skipped. Never raises."""
    if len(text) > SIZE_LIMIT:
        return ()
    import vobject  # imported when first needed

    logging.getLogger("vobject.base").setLevel(logging.CRITICAL)  # it would log lines of people's cards
    cards = []
    for block in _blocks(text.replace("\r\n", "\n")):
        try:
            card = _card(vobject.readOne(block, ignoreUnreadable=True, allowQP=True))
        except (vobject.base.VObjectError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
            continue
        if card:
            cards.append(card)
    return tuple(cards)


def _blocks(text: str) -> list[str]:
    """The text of each card, without pictures and keys."""
    blocks: list[list[str]] = []
    inside, skipped = False, False
    for line in text.split("\n"):
        upper = line.strip().upper()
        if upper == "BEGIN:VCARD":
            if len(blocks) == CARDS_LIMIT:
                break
            blocks.append([])
            inside = True
        if not inside:
            continue
        if line[:1] not in (" ", "\t"):
            name = upper.partition(":")[0].partition(";")[0].rpartition(".")[2]
            skipped = name in ("PHOTO", "LOGO", "SOUND", "KEY")
        if not skipped:
            blocks[-1].append(line)
        inside = upper != "END:VCARD"
    texts = ("\n".join(lines) + "\n" for lines in blocks if lines[-1].strip().upper() == "END:VCARD")
    return [_simple(text) for text in texts if len(text) <= _CARD_LIMIT and text.count("\n") <= _LINES_LIMIT]


def _simple(text: str) -> str:
    """A card without the lines that have no value or too many parameters."""
    kept: list[list[str]] = []
    for line in text.split("\n"):
        if line[:1] in (" ", "\t") and kept:
            kept[-1].append(line)
        else:
            kept.append([line])
    good = []
    for lines in kept:
        if may_be_read("".join(lines)):
            good += lines
    return "\n".join(good) + "\n"


def may_be_read(line: str) -> bool:
    """Whether a line is safe to pass to the library, which takes exponential time for malformed parameters."""
    head = _HEAD.match(line)
    return head is not None and head["parameters"].count(";") <= _PARAMETERS_LIMIT


def _card(found: Any) -> Card | None:
    def values(name: str) -> list[Any]:
        return [line.value for line in found.contents.get(name, [])[:_VALUES_LIMIT]]

    def texts(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text for value in values(name) if (text := _value_text(value))))

    organisations = [", ".join(_flat(value)) for value in values("org")]
    name = next((text for text in texts("fn")), "") or next((text for text in texts("n")), "")
    card = Card(
        name=name[:200],
        emails=tuple(text.removeprefix("mailto:")[:320] for text in texts("email")),
        phones=tuple(text.removeprefix("tel:")[:100] for text in texts("tel")),
        organisation=organisations[0][:300] if organisations else "",
        role=next((text for text in texts("title") + texts("role")), "")[:200],
        addresses=tuple(text[:500] for text in texts("adr")),
        sites=tuple(text[:500] for text in texts("url")),
    )
    return card if card != Card("") else None


def _value_text(value: Any) -> str:
    """A value as one line: the library returns names and addresses as objects that print as several."""
    return ", ".join(word for line in str(value).splitlines() if (word := tidy(line.strip(" ,"))))


def _flat(value: Any) -> list[str]:
    return [word for one in (value if isinstance(value, list) else [value]) if (word := _value_text(one))]
