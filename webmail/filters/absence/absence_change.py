"""Changes of an absence: stored on the mail server, unless somebody else changed it since, with its copy for the banner."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from webmail.account import Account
from webmail.config.settings import Settings
from webmail.filters import store
from webmail.filters.absence import absence, absence_copy
from webmail.filters.absence.absence import Absence
from webmail.filters.rules import contact_rules
from webmail.filters.rules.script_context import place_of
from webmail.filters.store import FiltersChangedError
from webmail.models import User


@dataclass(frozen=True, slots=True)
class StoredAbsence:
    """What is stored now, and what was `before`. `other`: another program's script is active, and ours does nothing; `paused`:
    so are all filters.
    """

    absence: Absence
    before: Absence
    other: str = ""
    paused: bool = False

    @property
    def in_force(self) -> bool:
        return not self.other and not self.paused


def version_of(found: Absence) -> str:
    """Changes with the absence, but not with the person's rules, which are in the same script."""
    return hashlib.sha256(absence.to_json(found).encode()).hexdigest()[:16]


def save(user: User, account: Account, settings: Settings, wanted: Absence, version: str = "") -> StoredAbsence:
    """Store an absence. `version`: of the one that the person saw, "" not to ask.

    Raises BadRuleError, FiltersChangedError (not where what is wanted is there already: a double click), and what
    `store.changing` does.
    """
    absence.check(wanted)
    with store.changing(user.id, account, "") as change:
        before = change.state.filters
        if version and version != version_of(before.absence) and wanted != before.absence:
            raise FiltersChangedError("the absence is another one")
        change.filters = replace(before, absence=wanted)
        change.place = place_of(user, account, settings)
    state = change.state
    found = StoredAbsence(wanted, before.absence, "" if state.beside else state.other, before.paused)
    absence_copy.keep_times(user, wanted, settings, in_force=found.in_force)
    contact_rules.note(user, change.filters)
    return found


def end(user: User, account: Account, settings: Settings) -> Absence:
    """Turn it off; its texts stay. Returns what was there. Raises what `save` does."""
    with store.changing(user.id, account, "") as change:
        before = change.state.filters
        if before.absence.on:
            change.filters = replace(before, absence=replace(before.absence, on=False))
            change.place = place_of(user, account, settings)
    if before.absence.on:
        contact_rules.note(user, change.filters)
    absence_copy.keep_times(user, replace(before.absence, on=False), settings)
    return before.absence
