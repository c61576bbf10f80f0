"""Blocked and safe senders: two lists of addresses and domains, kept as a part of our script. No Flask here.

What a blocked sender writes goes to Junk before anything else is asked. A safe sender is spared that, and what the mail server
takes for spam: its own script reads a copy of that list (`safe_copy.py`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from webmail.errors import BadAddressError
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import BadRuleError
from webmail.mime.headers.address_input import ascii_domain, parse_addresses
from webmail.sieve.nodes import Command, ListArgument, SieveTest, StringArgument, TagArgument

BLOCKED, SAFE = "blocked", "safe"
MOST_SENDERS = 500  # of each list
_LONGEST = 254  # characters of an entry


@dataclass(frozen=True, slots=True)
class SenderLists:
    """Entries are addresses, or "@" and a domain for everybody there; in lower case. None is in both lists."""

    blocked: tuple[str, ...] = ()
    safe: tuple[str, ...] = ()

    def where(self, entry: str) -> str:
        """The list that an entry is in; "" for none."""
        return BLOCKED if entry in self.blocked else SAFE if entry in self.safe else ""

    def placed(self, entry: str, where: str) -> SenderLists:
        """With the entry in one of the lists, or in none for "". Raises BadRuleError if that is full."""
        rest = SenderLists(*(tuple(one for one in each if one != entry) for each in (self.blocked, self.safe)))
        if where == BLOCKED:
            rest = replace(rest, blocked=(*rest.blocked, entry))
        elif where == SAFE:
            rest = replace(rest, safe=(*rest.safe, entry))
        check(rest)
        return rest


def entry_of(typed: str) -> str:
    """The entry that somebody means: an address, or a domain with or without "@". Raises BadRuleError."""
    text = typed.strip().lower()
    try:
        if "@" not in text[1:]:
            [found] = parse_addresses(f"x@{text.removeprefix('@')}")
            entry = found.email[1:]
        else:
            [found] = parse_addresses(text)
            entry = found.email
        local, _at, domain = entry.rpartition("@")
        entry = f"{local}@{ascii_domain(domain)}".lower()
    except (BadAddressError, UnicodeError, ValueError) as error:
        raise BadRuleError("sender", "address") from error
    if not _is_entry(entry):
        raise BadRuleError("sender", "address")
    return entry


def check(senders: SenderLists) -> None:
    """Raises BadRuleError for more than MOST_SENDERS, and for what is no entry."""
    for name, entries in ((BLOCKED, senders.blocked), (SAFE, senders.safe)):
        if len(entries) > MOST_SENDERS:
            raise BadRuleError(name, "many")
        if not all(_is_entry(one) for one in entries):
            raise BadRuleError(name, "address")


def _is_entry(entry: str) -> bool:
    """Without blanks, which are what separates entries in the copy."""
    domain = entry.rpartition("@")[2]
    return "@" in entry and bool(domain) and len(entry) <= _LONGEST and entry.isprintable() and " " not in entry


def compiled(senders: SenderLists, context: SievePlace) -> tuple[Command, ...]:
    """The commands, which come first in the script: who is blocked is neither answered nor forwarded."""
    if not senders.blocked:
        return ()
    test = _from(senders.blocked)
    if senders.safe:
        test = SieveTest("allof", (), (test, SieveTest("not", (), (_from(senders.safe),))))
    return (Command("if", (), (test,), (Command("fileinto", (StringArgument(context.junk),)), Command("stop"))),)


def _from(entries: Sequence[str]) -> SieveTest:
    """Whether From has one of these addresses, or one of these domains (RFC 5228, section 2.7.4)."""
    kinds = {
        "all": tuple(one for one in entries if not one.startswith("@")),
        "domain": tuple(one[1:] for one in entries if one.startswith("@")),
    }
    tests = tuple(
        SieveTest("address", (TagArgument(part), TagArgument("is"), StringArgument("from"), ListArgument(found)))
        for part, found in kinds.items()
        if found
    )
    return tests[0] if len(tests) == 1 else SieveTest("anyof", (), tests)


def to_json(senders: SenderLists) -> str:
    return json.dumps(asdict(senders), separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> SenderLists:
    """Raises BadRuleError for what `to_json` would not have written: it stood in a script, where others write too."""
    try:
        found = json.loads(text)
        lists = [tuple(found.get(name, ())) for name in (BLOCKED, SAFE)]
        if not all(isinstance(one, str) for each in lists for one in each):
            raise TypeError("not texts")
        blocked = tuple(dict.fromkeys(one.lower() for one in lists[0]))
        safe = tuple(dict.fromkeys(one.lower() for one in lists[1] if one.lower() not in blocked))
        senders = SenderLists(blocked, safe)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BadRuleError("senders", "unreadable") from error
    check(senders)
    return senders
