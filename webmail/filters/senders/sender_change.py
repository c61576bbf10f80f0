"""Change of the lists of blocked and safe senders: stored in our script, then copied to where the mail server reads them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from webmail.account import Account
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.filters import store
from webmail.filters.rules.script_context import place_of
from webmail.filters.senders import safe_copy
from webmail.filters.senders.senders import BLOCKED, SAFE
from webmail.filters.store import FiltersChangedError
from webmail.models import User
from webmail.people import blocked
from webmail.people.suggestions import remembered

log = logging.getLogger(__name__)

_WHEREVER: Mapping[str, str] = MappingProxyType({})


class OwnDomainError(ValueError):
    """One's own address, or all of one's own establishment, is not blocked."""


@dataclass(frozen=True, slots=True)
class SenderChange:
    """`before`: the entries that were changed, each with the list that it was in and the one it is in now ("" for none). `runs`:
    whether our script is run at all. `spared`: whether the mail server's own script knows the safe senders now.
    """

    before: tuple[tuple[str, str, str], ...]
    runs: bool
    spared: bool


def put_in_lists(
    user: User, account: Account, settings: Settings, wanted: Sequence[tuple[str, str]], still: Mapping[str, str] = _WHEREVER
) -> SenderChange:
    """Put each entry in a list ("" for none); those in `still` only if they are in that list now. No round trip more than
    those of `store.changing` where nobody safe is concerned.

    Raises what `store.changing` raises, BadRuleError, and FiltersChangedError where another program wrote in our script: nothing
    of that is thrown away from a page that does not show it.
    """
    with store.changing(user.id, account, "") as change:
        was = change.filters.senders
        now = was
        wanted = [(entry, where) for entry, where in wanted if still.get(entry, was.where(entry)) == was.where(entry)]
        for entry, where in wanted:
            now = now.placed(entry, where) if was.where(entry) != where else now
        if now != was:
            if not change.state.is_ours:
                raise FiltersChangedError("another program wrote in our script")
            change.filters = replace(change.filters, senders=now)
            change.place = place_of(user, account, settings)
    runs = not change.filters.paused and (change.state.is_active or not change.state.other)
    concerned = now.safe != was.safe or any(where == SAFE for _entry, where in wanted)
    spared = renew_copy(user, account) if concerned else True
    before = tuple((entry, was.where(entry), where) for entry, where in wanted if was.where(entry) != where)
    blocked.sync_copy(user, now.blocked, now.safe)
    _suggest(user, before)
    return SenderChange(before, runs, spared)


def _suggest(user: User, changes: Sequence[tuple[str, str, str]]) -> None:
    """Who is blocked is no longer remembered as somebody to write to, until that is done again. 2 queries for each of them."""
    for entry, before, after in changes:
        if after == BLOCKED:
            remembered.forget(user, entry)
        elif before == BLOCKED:
            remembered.take_back(user, entry)


def renew_copy(user: User, account: Account) -> bool:
    """Bring the copy up to date with what the script has now, in turn: two tabs may have changed it. Whether the server has it.

    The round trips of `store.load` and of `safe_copy.renew`. What another program wrote is not copied.
    """
    try:
        with store.changing(user.id, account, "") as change:
            return safe_copy.renew(account, change.filters.senders) if change.state.is_ours else True
    except MailError as error:
        log.warning("the safe senders of %s are not copied: %s", account.address, error)
        return False


def refuse_own(entry: str, user: User, settings: Settings) -> None:
    """Raises OwnDomainError."""
    if entry == user.address.lower() or (entry.startswith("@") and entry[1:] in settings.own_domains(user.domain)):
        raise OwnDomainError(entry)
