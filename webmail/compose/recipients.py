"""Recipients: autocompletion, deduplication, detection of likely typos, and addresses that the server can't send to (RFC 6531).

Suggestions come from `sources`, in this order: contact groups, groups of the domain, contacts, correspondents (most often
written to first), then accounts of the establishment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import peewee as pw

from webmail import smtp
from webmail.account import Account
from webmail.compose import address_book
from webmail.config import Settings
from webmail.errors import ServerAway
from webmail.mail import Address, Draft
from webmail.mime import addresses
from webmail.mime.address_input import address_key as key
from webmail.mime.address_text import address_text
from webmail.mime.encoded_words import fold
from webmail.mime.shown_address import readable_address
from webmail.models import Correspondent, User

MOST_SUGGESTED = 8
MOST_WORDS = 100  # characters of a search that are used
FIELDS = ("to", "cc", "bcc")
MOST_SLIPS = 50  # typos reported at once
_MOST_COMPARED = 1_000  # domains checked for typos
_STRICT = re.compile(r"[^bfmpqvx0-9@.-]+")  # everything but characters that practically no language writes with an accent

# common mail providers of users in France and their correspondents, against which typos are checked
_PROVIDERS = """
gmail.com googlemail.com outlook.com outlook.fr hotmail.com hotmail.fr hotmail.be hotmail.ch hotmail.co.uk live.com live.fr
live.be msn.com yahoo.com yahoo.fr yahoo.co.uk yahoo.es yahoo.it yahoo.de ymail.com rocketmail.com icloud.com me.com mac.com
aol.com aol.fr mail.com gmx.com gmx.fr gmx.de gmx.net gmx.ch web.de t-online.de protonmail.com proton.me pm.me zoho.com
fastmail.com orange.fr wanadoo.fr free.fr sfr.fr neuf.fr cegetel.net club-internet.fr bbox.fr numericable.fr laposte.net
aliceadsl.fr mailo.com mailo.fr ik.me infomaniak.com bluewin.ch skynet.be telenet.be proximus.be videotron.ca libero.it
hotmail.de hotmail.es hotmail.it hotmail.nl live.de live.it live.nl live.ca outlook.be outlook.de outlook.es outlook.it yahoo.be
yahoo.ca tutanota.com tuta.io posteo.de posteo.net mailbox.org riseup.net
"""
PROVIDERS = frozenset(_PROVIDERS.split())
_BY_LABEL = {one.partition(".")[0]: one for one in reversed(_PROVIDERS.split())}
_ONLY_THERE = ("gmail", "icloud", "wanadoo")  # any other top-level domain after these is a typo


@dataclass(frozen=True, slots=True)
class Person:
    """A suggested recipient or group. `times`: how often the user has written to them."""

    name: str
    email: str  # lower case, with a Unicode domain; "" for a group
    times: int = 0
    group: address_book.Group | None = None

    @property
    def entry(self) -> str:
        """The text for an address field; for a group, all its members."""
        return address_text(self.group.people if self.group else (Address(self.name, self.email),))

    @property
    def token(self) -> str:
        """Identifies this entry in the recipient picker's form; short even for a large group."""
        return self.group.token if self.group else self.entry


@dataclass(frozen=True, slots=True)
class LikelyTypo:
    """An address whose domain is one typo away from a well-known one, and the address that was probably meant."""

    email: str
    meant: str


# --- suggestions -----------------------------------------------------------------------------------------------------


def sources(user: User, words: str, settings: Settings) -> Iterator[Iterable[Person]]:
    """Matching people by source, the most relevant source first. 1 query per source, 2 for groups."""
    yield (Person(group.name, "", group=group) for group in address_book.groups(user, words))
    if settings.directory:
        yield (Person(group.name, "", group=group) for group in address_book.groups_of_domain(user, words))
    yield (Person(name, readable_address(email), times) for name, email, times in address_book.people(user, words))
    yield _written_to(user, words)
    if settings.directory:
        yield _directory(user, words, settings)


def find(user: User, words: str, settings: Settings, most: int = 0) -> list[Person]:
    """All people that match the words (everybody for no words), deduplicated by address; `most` limits the result unless 0.

    1 query per source, and 1 for missing names of colleagues.
    """
    found: dict[str, Person] = {}
    for person in chain.from_iterable(sources(user, words[:MOST_WORDS], settings)):
        found.setdefault(person.token if person.group else person.email, person)
        if len(found) == most:  # never true for 0: at least one was found by now
            break
    ours = settings.own_domains(user.domain)
    nameless = [one.email for one in found.values() if one.email and not one.name and _domain(one.email) in ours]
    if nameless and settings.directory:
        rows: Any = User.select(User.address, User.name).where(User.address << nameless[:500], User.active == 1).tuples()
        for email, name in rows:
            found[email] = replace(found[email], name=name)
    return list(found.values())


def suggest(user: User, words: str, settings: Settings) -> list[Person]:
    """The best matches for what was typed so far; none for empty input. Same queries as `find`."""
    return find(user, words, settings, MOST_SUGGESTED) if _words(words) else []


def _written_to(user: User, words: str) -> Iterator[Person]:
    row = Correspondent
    fits = [(row.address**like) | (row.name**like) | (row.address.contains("@xn--")) for like in _patterns(words)]
    found = row.select(row.name, row.address, row.count).where(row.user == user, *fits)
    for name, email, count in _fitting(words, found.order_by(row.count.desc(), row.last.desc(), row.address).tuples()):
        yield Person(name, email, count)


def _directory(user: User, words: str, settings: Settings) -> Iterator[Person]:
    """The colleagues, without the address that only the establishment itself writes from."""
    sender = settings.system_sender
    fits = [(User.address**like) | (User.name**like) for like in _patterns(words)]
    fits += [User.domain.in_(settings.own_domains(user.domain)), User.address != (sender.email.lower() if sender else "")]
    found = User.select(User.name, User.address, pw.Value(0)).where(User.active == 1, *fits)
    for name, email, _times in _fitting(words, found.order_by(User.name, User.address).tuples()):
        yield Person(name, email)


def _patterns(words: str) -> list[str]:
    """LIKE patterns that every match satisfies; a superset is fine, because databases don't match "é" with "e"."""
    return [f"%{pattern}%" for word in _words(words) if (pattern := _STRICT.sub("%", word).strip("%"))]


def _fitting(words: str, rows: Any) -> Iterator[tuple[str, str, int]]:
    """The rows (name, address, times) in which each word is a prefix of a name, a part of the address, or its domain."""
    starts = [re.compile(r"(?:^|[\s\"'’.,_+@(-])" + re.escape(word)) for word in _words(words)]
    for name, email, times in rows:
        shown = readable_address(email)
        text = fold(f"{name} {shown}") if starts else ""
        if all(start.search(text) for start in starts):
            yield name, shown, times


def _words(words: str) -> list[str]:
    return [word for word in re.split(r"[\s\"<>,;()]+", fold(words)) if word][:10]


# --- address fields --------------------------------------------------------------------------------------------------


def keys_in(text: str) -> set[str]:
    """The addresses of a field, normalised for comparison by `key`."""
    return {key(address.email) for item in _items(text) if (address := addresses.read_address(item)) and "@" in address.email}


def with_ticks(lists: Mapping[str, str], shown: Iterable[str], ticked: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The fields after the recipient picker: `shown` are the entries it offered, `ticked` those ticked for each field."""
    asked = {found for entry in shown for found in keys_in(entry)}
    changed = {}
    for name in lists:
        wanted = {found: entry for entry in ticked.get(name, ()) for found in keys_in(entry) if found in asked}
        kept = [item for item in _items(lists[name]) if not (gone := keys_in(item) & asked) or gone & wanted.keys()]
        there = {found for item in kept for found in keys_in(item)}
        kept += [entry for found, entry in wanted.items() if found not in there]
        changed[name] = ", ".join(kept) if kept != _items(lists[name]) else lists[name]
    return changed


def without_repetition(lists: Mapping[str, str]) -> dict[str, str]:
    """Deduplicates recipients across fields, keeping the first spelling; text that is not an address stays."""
    seen: set[str] = set()
    once = {}
    for name, text in lists.items():
        kept = []
        for item in (items := _items(text)):
            found = keys_in(item)
            if not found or not found <= seen:
                kept.append(item)
            seen |= found
        once[name] = ", ".join(kept) if len(kept) != len(items) else text
    return once


def _items(text: str) -> list[str]:
    return [item.strip() for item in addresses.split_list(text, ",;\n") if item.strip()]


# --- typos and addresses that can't be sent to -----------------------------------------------------------------------


def likely_typos(user: User, lists: Iterable[str], settings: Settings) -> list[LikelyTypo]:
    """Addresses in the fields that look mistyped, at most MOST_SLIPS; never in a domain that the user has written to.

    At most 1 query.
    """
    emails = [
        address.email
        for text in lists
        for item in _items(text)
        if (address := addresses.read_address(item)) and "@" in address.email
    ]
    ours = {domain.lower() for domain in (settings.domain, *settings.own_domains(user.domain)) if domain}
    unknown = [email for email in dict.fromkeys(emails) if _domain(email) not in PROVIDERS | ours]
    if not unknown:
        return []
    rows: Any = Correspondent.select(Correspondent.address).where(Correspondent.user == user).tuples()
    written = dict.fromkeys(_domain(readable_address(address)) for (address,) in rows)
    known = [*sorted(ours), *sorted(PROVIDERS), *written]
    found: list[LikelyTypo] = []
    meant: dict[str, str | None] = {}
    for email in unknown:
        domain = _domain(readable_address(email))
        if domain not in meant:
            if len(meant) == _MOST_COMPARED or len(found) == MOST_SLIPS:
                break
            meant[domain] = _meant(domain, known) if domain not in written else None
        if near := meant[domain]:
            found.append(LikelyTypo(email, f"{email.rpartition('@')[0]}@{near}"))
    return found[:MOST_SLIPS]


def _meant(domain: str, known: Sequence[str]) -> str | None:
    """The known domain that this one is probably a typo of: one letter off, wrong top-level domain, or none ("orange")."""
    if near := next((one for one in known if one_slip(domain, one)), None):
        return near
    label, _dot, ending = domain.partition(".")
    if not ending:
        return next((one for one in known if one.startswith(f"{label}.") and one not in PROVIDERS), None) or _BY_LABEL.get(label)
    return _BY_LABEL[label] if label in _ONLY_THERE and "." not in ending else None


def corrected(text: str, found: Iterable[LikelyTypo]) -> str:
    """The field with the typos replaced by what was meant."""
    meant = {slip.email: slip.meant for slip in found}
    if not meant:
        return text
    either = "|".join(map(re.escape, sorted(meant, key=len, reverse=True)))
    return re.sub(rf"(?<![^\s<,;])(?:{either})(?![^\s>,;])", lambda match: meant[match[0]], text)


def one_slip(one: str, other: str) -> bool:
    """Whether the Damerau-Levenshtein distance is 1: one letter added, missing or wrong, or two adjacent ones swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
    return a[1:] == b or a == b[1:]


def unsendable(draft: Draft, account: Account) -> list[str]:
    """Recipients with a non-ASCII local part if the mail server does not support SMTPUTF8 (RFC 6531).

    The server is asked (greeting and EHLO) only if there are such addresses. If it can't be reached, none are reported: sending
    will find out.
    """
    unusual = [a.email for a in draft.recipients if not a.email.rpartition("@")[0].isascii()]
    if not unusual:
        return []
    try:
        return [] if smtp.offers(account, "smtputf8") else unusual
    except ServerAway:
        return []


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()
