"""Contact rules: filters that ask whether the sender is in one's contacts have the addresses in the script, so that a change of
contacts has to be written there.

Whose filters do so is noted with their preferences; a change of contacts makes them stale, and whoever can reach the script next
renews it: the request that made the change once it is answered, a worker that has a token, the next visit to the filters.
"""

from __future__ import annotations

import logging
from typing import Any

from webmail import preferences
from webmail.account import Account
from webmail.auth import activity
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.filters import own_script, store
from webmail.filters.absence.absence import Audience
from webmail.filters.rules.rules import BadRuleError, ConditionField
from webmail.filters.rules.script_context import place_of
from webmail.filters.store import Filters, FilterState
from webmail.models import User

log = logging.getLogger(__name__)

FRESH, STALE = "fresh", "stale"
_MOST_AT_ONCE = 200  # people in one round of the worker
_MOST_FAILURES = 3  # in one round: each may take as long as a server is waited for


def uses_contacts(filters: Filters) -> bool:
    asked = any(condition.field is ConditionField.CONTACTS for rule in filters.rules if rule.on for condition in rule.conditions)
    return not filters.paused and (asked or (filters.absence.on and filters.absence.audience is Audience.CONTACTS))


def note(user: User, filters: Filters) -> None:
    """Note whether these filters, which were just written, hold addresses. No query where nothing changes."""
    wanted = FRESH if uses_contacts(filters) else ""
    if preferences.for_user(user).contacts_in_filters != wanted:
        preferences.change(user, contacts_in_filters=wanted)


def note_script(user: User, text: str) -> None:
    """The same for a script that was put back: its addresses may be those of another day."""
    own = own_script.read(text) if text else None
    filters = store.filters_of(own)[0] if own else Filters()
    wanted = STALE if uses_contacts(filters) else ""
    if preferences.for_user(user).contacts_in_filters != wanted:
        preferences.change(user, contacts_in_filters=wanted)


def noticed(user: User, state: FilterState) -> None:
    """The same for filters that were just read: another program, or another part of ours, may have written them."""
    if bool(preferences.for_user(user).contacts_in_filters) != uses_contacts(state.filters):
        preferences.change(user, contacts_in_filters=STALE if uses_contacts(state.filters) else "")


def contacts_changed(user: User) -> bool:
    """Say that contacts are others now; whether a script has to be renewed for it."""
    known = preferences.for_user(user).contacts_in_filters
    if known == FRESH:
        preferences.change(user, contacts_in_filters=STALE)
    return bool(known)


def renew(user: User, account: Account, settings: Settings) -> bool:
    """Write the script with the contacts of now; whether that was done. A server that is away raises nothing: it stays stale."""
    preferences.change(user, contacts_in_filters=FRESH)  # before it reads them: a change meanwhile makes it stale again
    try:
        with store.changing(user.id, account, "") as change:
            if uses_contacts(change.filters) and change.state.is_ours:
                change.place = place_of(user, account, settings)
    except (MailError, BadRuleError) as error:
        log.warning("filters of %s keep their old contacts for now: %s", user.address, error)
        preferences.change(user, contacts_in_filters=STALE)
        return False
    if not uses_contacts(change.filters):
        preferences.change(user, contacts_in_filters="")
    return True


def stale() -> Any:
    """The query for those whose filters have contacts as they were."""
    return activity.with_preferences(f'"contacts_in_filters": "{STALE}"')


def sweep(settings: Settings) -> None:
    """Renew all that are stale, in a worker. Only with tokens: no password is kept for it."""
    if not settings.token_key_file or settings.sieve is None:
        return
    failures = 0
    for user in list(stale().limit(_MOST_AT_ONCE)):
        if preferences.for_user(user).contacts_in_filters == STALE and failures < _MOST_FAILURES:
            failures += not renew(user, preferences.with_roles(settings.account(user.address), user), settings)
