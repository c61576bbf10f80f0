"""Ways to somebody and people around them, in lines of cards: instant messages, profiles, related people.

Each version and program has lines of its own for them: those that are there keep their kind, new ones are written as Apple's and
Google's programs read them in 3.0, and as RFC 6350 and RFC 9554 have them in 4.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from webmail.mime.formats.address_books.entry import LABEL, OLD_SERVICES
from webmail.mime.formats.cards.vcard_lines import VcardLine, escaped, made
from webmail.mime.headers.encoded_words import tidy

SCHEMES = {  # of IMPP (RFC 4770), by the name of the service
    "jabber": "xmpp", "matrix": "matrix", "whatsapp": "whatsapp", "signal": "signal", "telegram": "telegram", "skype": "skype",
    "sip": "sip", "irc": "irc",
}  # fmt: skip
_NO_SCHEME = "x-apple"
PROFILES = ("X-SOCIALPROFILE", "SOCIALPROFILE")
RELATIONS = ("spouse", "partner", "child", "parent", "sibling", "friend", "colleague", "manager", "assistant", "emergency")
_OWN_RELATIONS = {  # of programs before RFC 6350
    f"{prefix}{kind.upper()}": kind for prefix in ("X-", "X-EVOLUTION-") for kind in ("spouse", "manager", "assistant")
}
RELATED = ("RELATED", "X-ABRELATEDNAMES", *_OWN_RELATIONS)
_MOST_WORD = 60


@dataclass(frozen=True, slots=True)
class ImAddress:
    """`service` is one of SCHEMES, another word, or "" if the card does not say."""

    service: str = ""
    address: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.address


@dataclass(frozen=True, slots=True)
class RelatedPerson:
    """`kind` is one of RELATIONS, a word of one's own, or ""."""

    kind: str = ""
    name: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.name


# --- instant messages ------------------------------------------------------------------------------------------------


def is_im(name: str) -> bool:
    """Whether a property of this name is an address for instant messages."""
    return name == "IMPP" or name in OLD_SERVICES


def im_of(line: VcardLine) -> ImAddress:
    text = tidy(line.text)
    if line.name in OLD_SERVICES:
        return ImAddress(_service(OLD_SERVICES[line.name]), text)
    scheme, mark, address = text.partition(":")
    if not mark:
        return ImAddress("", text)
    named = next((name for name, of in SCHEMES.items() if of == scheme.lower()), scheme.lower())
    service = _service(line.param("X-SERVICE-TYPE").lower()) or named
    return ImAddress("" if service == _NO_SCHEME else service[:_MOST_WORD], address)


def _service(word: str) -> str:
    return "jabber" if word in ("gtalk", "xmpp", "googletalk") else word


def im_line(im: ImAddress, before: VcardLine | None) -> VcardLine:
    """The line of an address, in place of the one that it replaces."""
    if before is not None and im_of(before).service == im.service:
        if before.name in OLD_SERVICES:
            return replace(before, value=escaped(im.address))
        scheme, mark, _address = tidy(before.text).partition(":")
        return replace(before, value=escaped(f"{scheme}:{im.address}" if mark else im.address))
    scheme = SCHEMES.get(im.service, im.service) or _NO_SCHEME
    params = [(name, word) for name, word in (before.params if before else ()) if name != "X-SERVICE-TYPE"]
    group = before.group if before is not None else ""
    return VcardLine("IMPP", escaped(f"{scheme}:{im.address}"), tuple(params), group)


def profile_line(url: str, before: VcardLine | None, version: str) -> VcardLine:
    if before is not None:
        return replace(before, value=escaped(url))
    return VcardLine("SOCIALPROFILE" if version == "4.0" else "X-SOCIALPROFILE", escaped(url))


# --- related people --------------------------------------------------------------------------------------------------


def label_of(line: VcardLine) -> str:
    """The word of an X-ABLabel line; Apple's own ones stand between marks."""
    return LABEL.sub(r"\1", line.text).strip()


def related_of(line: VcardLine, labels: Mapping[str, str]) -> RelatedPerson:
    """`labels`: the words of X-ABLabel by their group."""
    name = tidy(line.text)
    if line.name in _OWN_RELATIONS:
        return RelatedPerson(_OWN_RELATIONS[line.name], name)
    label = labels.get(line.group, "") if line.group else ""
    kinds = [word for word in line.types if word not in ("pref", "text", "uri")] if line.name == "RELATED" else []
    word = next(iter(kinds), label)
    return RelatedPerson(word.lower() if word.lower() in RELATIONS else word[:_MOST_WORD], name)


def related_lines(person: RelatedPerson, version: str, groups: Sequence[str]) -> list[str]:
    """The lines of a new one; `groups` are those that the card has."""
    if version == "4.0":
        return [made("RELATED", escaped(person.name), (), [*([("TYPE", person.kind)] if person.kind else []), ("VALUE", "text")])]
    if not person.kind:
        return [made("X-ABRELATEDNAMES", escaped(person.name))]
    taken = {group.lower() for group in groups}
    group = next(f"item{number}" for number in range(1, len(taken) + 2) if f"item{number}" not in taken)
    label = f"_$!<{person.kind.title()}>!$_" if person.kind in RELATIONS else person.kind
    return [made("X-ABRELATEDNAMES", escaped(person.name), group=group), made("X-ABLabel", escaped(label), group=group)]
