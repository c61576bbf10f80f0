"""Refusals: senders whose mail an administrator refuses, by the table that the webmail's pages write. Knows no network."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from deploy.milter.headers import Fields, possible_authors, values_of

HEADER = "X-Traboule-Refused"
Ask = Callable[[str], tuple[bool, set[str]]]  # of an entry: whether it is refused for everybody, and for which domains
_MOST = 5  # senders of a message that are looked at
_MOST_LABELS = 6  # of a domain, from the right


def senders_of(fields: Fields, envelope: str) -> list[str]:
    """Whom a message names as its sender, in lower case: From, Sender, and the envelope."""
    named = possible_authors([*values_of(fields, "from"), *values_of(fields, "sender")])[0]
    return list(dict.fromkeys(one.lower() for one in [*named[:_MOST], envelope] if "@" in one))


def entries_of(sender: str) -> list[str]:
    """What may stand in the table for a sender: the address, its domain, and those above it."""
    domain = _ascii(sender.rpartition("@")[2].rstrip("."))
    labels = domain.split(".")[-_MOST_LABELS:]
    above = ["@" + ".".join(labels[start:]) for start in range(len(labels) - 1)]
    return [f"{sender.rpartition('@')[0]}@{domain}", *dict.fromkeys([f"@{domain}", *above])]


def refused_for(senders: Iterable[str], recipients: Iterable[str], ask: Ask) -> list[str]:
    """The domains of the recipients that refuse one of the senders."""
    here = list(dict.fromkeys(domain_of_recipient(one) for one in recipients))
    refused: set[str] = set()
    for entry in dict.fromkeys(entry for sender in senders for entry in entries_of(sender)):
        everybody, domains = ask(entry)
        if everybody:
            return here
        refused |= domains
    return [domain for domain in here if domain in refused]


def domain_of_recipient(address: str) -> str:
    return address.rpartition("@")[2].lower().rstrip(".")


def header_value(domains: Iterable[str]) -> str:
    """For the script that runs before everybody's own (deploy/dovecot/before.sieve.in)."""
    return " " + " ".join(f"@{domain}," for domain in domains)


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain.lower()
