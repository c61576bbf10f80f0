"""People elsewhere: who is in the LDAP directory besides those with an account; asked only while a page waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from webmail.auth.providers.directory import ca_file
from webmail.config.settings import Settings
from webmail.errors import ServerAwayError
from webmail.people.suggestions import account_rows
from webmail.people.suggestions.search_rows import typed_words
from webmail.people.visibility import Sight

MOST = 30
SECONDS = 1.5
AT_ONCE = 2  # searches of a process
_FEWEST, _MOST_WORDS = 2, 10  # letters of a word; words


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


_turns = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def admitted() -> Iterator[None]:
    """Apart from the turns of those who sign in, whom no search may keep waiting. Raises ServerAwayError."""
    if not _turns.acquire(timeout=SECONDS / 3):
        raise ServerAwayError("other searches wait for the directory")
    try:
        yield
    finally:
        _turns.release()


def is_asked(sight: Sight, text: str, settings: Settings) -> bool:
    """Whether there is such a directory for somebody who sees everyone, and they have typed enough."""
    listed = settings.ldap is not None and bool(settings.ldap.people_filter)
    return listed and sight.everyone and any(len(word) >= _FEWEST for word in typed_words(text))


def find(sight: Sight, text: str, settings: Settings) -> FoundInLdap:
    """Who matches all the words, without those who have an account here; at most MOST, within about two seconds."""
    if not is_asked(sight, text, settings):
        return FoundInLdap()
    from webmail.auth.providers.ldap import conversation  # python-ldap is installed only where there is a directory

    assert settings.ldap is not None
    there = settings.ldap
    wanted = text.replace("\0", "").split()[:_MOST_WORDS]  # with their accents, as LDAP has them
    try:
        with admitted(), conversation(replace(there, timeout=min(SECONDS, there.timeout)), ca_file(settings)) as talk:
            entries = talk.find_people(wanted, MOST + 1)
    except ServerAwayError:
        return FoundInLdap(away=True)
    found: dict[str, PersonElsewhere] = {}
    for entry in entries[:MOST]:
        address = entry.first(there.address_attribute).lower()
        if "@" in address and len(address) <= 254 and address.isprintable() and " " not in address:
            about = ", ".join(filter(None, (entry.first("title"), entry.first("department") or entry.first("ou"))))
            found.setdefault(address, PersonElsewhere(entry.first(there.name_attribute)[:190], address, about[:200]))
    here = account_rows.checked(sight, list(found))
    return FoundInLdap([one for address, one in found.items() if address not in here], more=len(entries) > MOST)
