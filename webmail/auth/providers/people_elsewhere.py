"""People elsewhere: who is in the LDAP directory besides those with an account; asked only while a page waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from webmail.auth.check_slots import TooBusy
from webmail.auth.providers.directory import asking
from webmail.config import Settings
from webmail.errors import ServerAway
from webmail.people import account_rows
from webmail.people.kept_rows import typed_words
from webmail.people.visibility import Sight

MOST = 30
SECONDS = 1.5
_FEWEST = 2  # letters of a word


@dataclass(frozen=True, slots=True)
class PersonElsewhere:
    name: str
    email: str
    about: str = ""  # function, department


@dataclass(slots=True)
class FoundInLdap:
    """`away`: it did not answer in time. `more`: there are others."""

    people: list[PersonElsewhere] = field(default_factory=list)
    away: bool = False
    more: bool = False


def is_asked(sight: Sight, words: str, settings: Settings) -> bool:
    """Whether there is such a directory for somebody who sees everyone, and they have typed enough."""
    listed = settings.ldap is not None and bool(settings.ldap.people_filter)
    return listed and sight.everyone and any(len(word) >= _FEWEST for word in typed_words(words))


def find(sight: Sight, words: str, settings: Settings) -> FoundInLdap:
    """Who matches all the words, without those who have an account here; at most MOST, within about two seconds."""
    if not is_asked(sight, words, settings):
        return FoundInLdap()
    assert settings.ldap is not None
    hurried = replace(settings, ldap=replace(settings.ldap, timeout=min(SECONDS, settings.ldap.timeout)))
    try:
        with asking(hurried) as talk:
            entries = talk.find_people(typed_words(words), MOST + 1)
    except (ServerAway, TooBusy):
        return FoundInLdap(away=True)
    there = settings.ldap
    found: dict[str, PersonElsewhere] = {}
    for entry in entries[:MOST]:
        address = entry.first(there.address_attribute).lower()
        if "@" in address and len(address) <= 254 and address.isprintable() and " " not in address:
            about = ", ".join(filter(None, (entry.first("title"), entry.first("department") or entry.first("ou"))))
            found.setdefault(address, PersonElsewhere(entry.first(there.name_attribute)[:190], address, about[:200]))
    here = account_rows.checked(sight, list(found))
    return FoundInLdap([one for address, one in found.items() if address not in here], more=len(entries) > MOST)
