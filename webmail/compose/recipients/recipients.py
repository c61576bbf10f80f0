"""Recipients: deduplication, detection of likely typos, and addresses that the server can't send to (RFC 6531).

Whom to suggest is in `suggestions.py`; what a bare name in a field means, in `bare_names.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webmail import smtp
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.errors import ServerAwayError
from webmail.mail import Draft
from webmail.mime.headers import addresses
from webmail.mime.headers.address_input import address_key as key
from webmail.mime.headers.shown_address import readable_address
from webmail.mime.threats.providers import BY_POPULARITY, PROVIDERS
from webmail.models import Correspondent, User

FIELDS = ("to", "cc", "bcc")
MOST_SLIPS = 50  # typos reported at once
_MOST_COMPARED = 1_000  # domains checked for typos

_BY_LABEL = {one.partition(".")[0]: one for one in reversed(BY_POPULARITY)}
_ONLY_THERE = ("gmail", "icloud", "wanadoo")  # any other top-level domain after these is a typo


@dataclass(frozen=True, slots=True)
class LikelyTypo:
    """An address whose domain is one typo away from a well-known one, and the address that was probably meant."""

    email: str
    meant: str


# --- address fields --------------------------------------------------------------------------------------------------


def keys_in(text: str) -> set[str]:
    """The addresses of a field, normalised for comparison by `key`."""
    return {key(address.email) for item in _items(text) if (address := addresses.read_address(item)) and "@" in address.email}


def with_ticks(lists: Mapping[str, str], visible: Iterable[str], ticked: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The fields after the recipient picker: `visible` are the entries it offered, `ticked` those ticked for each field."""
    asked = {found for entry in visible for found in keys_in(entry)}
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


def without(lists: Mapping[str, str], address: str) -> dict[str, str]:
    """The fields without one address (in lower case), wherever it stands."""
    return {name: ", ".join(one for one in _items(text) if keys_in(one) != {address.lower()}) for name, text in lists.items()}


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
            meant[domain] = _suggested_domain(domain, known) if domain not in written else None
        if near := meant[domain]:
            found.append(LikelyTypo(email, f"{email.rpartition('@')[0]}@{near}"))
    return found[:MOST_SLIPS]


def _suggested_domain(domain: str, existing: Sequence[str]) -> str | None:
    """The known domain that this one is probably a typo of: one letter off, wrong top-level domain, or none ("orange")."""
    if near := next((one for one in existing if one_slip(domain, one)), None):
        return near
    label, _dot, ending = domain.partition(".")
    if not ending:
        return next((one for one in existing if one.startswith(f"{label}.") and one not in PROVIDERS), None) or _BY_LABEL.get(
            label
        )
    return _BY_LABEL[label] if label in _ONLY_THERE and "." not in ending else None


def corrected(text: str, found: Iterable[LikelyTypo]) -> str:
    """The field with the typos replaced by what was meant."""
    meant = {slip.email: slip.meant for slip in found}
    if not meant:
        return text
    either = "|".join(map(re.escape, sorted(meant, key=len, reverse=True)))
    return re.sub(rf"(?<![^\s<,;])(?:{either})(?![^\s>,;])", lambda match: meant[match[0]], text)


def one_slip(value: str, other: str) -> bool:
    """Whether the Damerau-Levenshtein distance is 1: one letter added, missing or wrong, or two adjacent ones swapped."""
    if value == other or abs(len(value) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(value, other, strict=False)) if a != b), min(len(value), len(other)))
    a, b = value[start:], other[start:]
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
    except ServerAwayError:
        return []


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()
