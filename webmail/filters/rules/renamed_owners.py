"""Renamed owners: rules of those who filter into the folders of somebody whose address is another one now, and which follow it.

What is to follow is noted with each reader's preferences, in the transaction that renames or right after it; a worker does it by
token, each reader once, and again where the mail server was away. A script of another program is never rewritten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from webmail import preferences
from webmail.account import Account
from webmail.auth import activity
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.filters import script_files, store
from webmail.filters.rules import contact_rules
from webmail.filters.rules.folder_rules import moved
from webmail.filters.rules.rules import BadRuleError
from webmail.filters.rules.script_context import place_of
from webmail.managesieve import NoSuchScriptError
from webmail.models import SystemMessage, User
from webmail.preferences import Preferences

log = logging.getLogger(__name__)

_MOST_AT_ONCE = 200  # people in one round of the worker
_MOST_FAILURES = 3  # in one round: each may take as long as a server is waited for
_MARK = '"renamed_shares": ["'


@dataclass(frozen=True, slots=True)
class ForeignScript:
    """A script that names folders by an address of before, and that another program wrote: `name`, as the server lists it."""

    name: str
    before: str
    after: str


Tell = Callable[[User, ForeignScript, Settings], SystemMessage | None]


def note(readers: Iterable[User], before: str, after: str) -> None:
    """Have the filters of these people follow. What they have not followed yet is taken together with it: a name that comes back
    leaves nothing to do. 3 queries for each."""
    for reader in readers:
        preferences.revise(reader, partial(_with, before, after))


def _with(before: str, after: str, stored: Preferences) -> dict[str, tuple[str, ...]]:
    waiting = {old: after if new == before else new for old, new in _pairs(stored).items()} | {before: after}
    return {"renamed_shares": tuple(f"{old} {new}" for old, new in waiting.items() if old != new)}


def waiting() -> Any:
    """The query for those whose filters have something to follow."""
    return activity.with_preferences(_MARK)


def sweep(settings: Settings, tell: Tell) -> list[SystemMessage]:
    """Follow for all that are waiting, in a worker; returns the letters to those whose script another program wrote. Only with
    tokens: no password is kept for it."""
    if not settings.token_key_file or settings.sieve is None:
        return []
    letters, failures = [], 0
    for user in list(waiting().order_by(User.id).limit(_MOST_AT_ONCE)):
        if not (renamed := _pairs(preferences.for_user(user))) or failures >= _MOST_FAILURES:
            continue
        try:
            foreign = follow(user, preferences.with_roles(settings.account(user.address), user), settings, renamed)
        except (MailError, BadRuleError) as error:
            log.warning("filters of %s name folders of %s by an address of before: %s", user.address, ", ".join(renamed), error)
            failures += 1
            continue
        letters += [tell(user, one, settings) for one in foreign]
        _done(user, renamed)
    return [one for one in letters if one is not None]


def follow(user: User, account: Account, settings: Settings, waiting: Mapping[str, str]) -> list[ForeignScript]:
    """Write the addresses of now (`waiting`: by those of before) into the person's rules; returns the scripts that were left.

    3 round trips where nothing is concerned, 2 more for another program's script. Raises what `store.changing` raises.
    """
    with store.changing(user.id, account, "") as change:
        state, before = change.state, change.filters
        after = replace(before, rules=tuple(moved(rule, lambda name: _now(name, waiting), False) for rule in before.rules))
        if after != before and state.is_ours:
            change.filters, change.place = after, place_of(user, account, settings)
    if after != before and state.is_ours:
        contact_rules.note(user, after)
    return _left(user, account, state, waiting)


def _left(user: User, account: Account, state: store.FilterState, waiting: Mapping[str, str]) -> list[ForeignScript]:
    texts = {} if state.is_ours else {store.NAME: state.text}
    if state.other:
        try:
            texts[state.other] = script_files.read(account, state.other)[0]
        except NoSuchScriptError:  # deleted at this moment
            log.info("%s has the script %r no more", user.address, state.other)
    return [
        ForeignScript(name, before, after)
        for name, text in texts.items()
        for before, after in waiting.items()
        if any(f"shared/{before}{end}" in text.lower() for end in ('/', '"'))
    ]  # fmt: skip


def _now(name: str, waiting: Mapping[str, str]) -> str:
    """A folder's name as it is now."""
    shared, slash, rest = name.partition("/")
    owner, inner, folder = rest.partition("/")
    after = waiting.get(owner) if slash and shared == "shared" else None
    return f"shared/{after}{inner}{folder}" if after else name


def _pairs(stored: Preferences) -> dict[str, str]:
    """Addresses of now by those of before."""
    pairs = (one.split(" ") for one in stored.renamed_shares)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _done(user: User, followed: Mapping[str, str]) -> None:
    """Forget what was followed; what was noted meanwhile stays."""

    def left(stored: Preferences) -> dict[str, tuple[str, ...]]:
        pairs = tuple(f"{old} {new}" for old, new in _pairs(stored).items() if followed.get(old) != new)
        return {"renamed_shares": pairs}

    preferences.revise(user, left)
