"""Changes of forwarding: stored on the mail server, unless somebody else changed it since, with its copy here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from webmail.account import Account
from webmail.config.settings import Settings
from webmail.filters import store
from webmail.filters.forwarding import forward_targets, forwarding
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.filters.rules.script_context import place_of
from webmail.filters.store import FiltersChangedError
from webmail.models import User


@dataclass(frozen=True, slots=True)
class StoredForwarding:
    """`before`: what was there. `other`: another program's script is active instead of ours; `paused`: all filters are."""

    before: Forwarding
    other: str = ""
    paused: bool = False

    @property
    def in_force(self) -> bool:
        return not self.other and not self.paused


def version_of(found: Forwarding) -> str:
    """Changes with the forwarding, but not with the person's rules, which are in the same script."""
    return hashlib.sha256(forwarding.to_json(found).encode()).hexdigest()[:16]


def save(user: User, account: Account, settings: Settings, wanted: Forwarding, version: str = "") -> StoredForwarding:
    """Store it. `version`: of the one that the person saw, "" not to ask. The caller has asked for a factor.

    Raises BadRuleError, TargetRefusedError for an address that the policy forbids or that nobody confirmed, FiltersChangedError
    (not where what is wanted is there already: a double click), and what `store.changing` does.
    """
    forwarding.check(wanted)
    if wanted.on:
        _check(user, wanted, settings)
    with store.changing(user.id, account, "") as change:
        before = change.state.filters
        if version and version != version_of(before.forwarding) and wanted != before.forwarding:
            raise FiltersChangedError("the forwarding is another one")
        change.filters = replace(before, forwarding=wanted)
        change.place = place_of(user, account, settings)
    state = change.state
    stored = StoredForwarding(before.forwarding, "" if state.beside else state.other, before.paused)
    forward_targets.keep_as(user, wanted, in_force=stored.in_force)
    return stored


def without(user: User, account: Account, settings: Settings, address: str = "") -> Forwarding:
    """End it, or for one address alone; returns what was there. Needs no factor. Raises what `store.changing` does."""
    with store.changing(user.id, account, "") as change:
        before = change.state.filters.forwarding
        left = tuple(one for one in before.addresses if address and one != address)
        after = replace(before, addresses=left, on=before.on and bool(left)) if address else replace(before, on=False)
        if after != before:
            change.filters = replace(change.state.filters, forwarding=after)
            change.place = place_of(user, account, settings)
    state = change.state
    forward_targets.keep_as(user, after, in_force=(state.is_active or not state.other) and not state.filters.paused)
    return before


def _check(user: User, wanted: Forwarding, settings: Settings) -> None:
    confirmed = forward_targets.confirmed(user)
    for address in wanted.addresses:
        forward_targets.check(address, user, settings)
        if address not in confirmed:
            raise forward_targets.TargetRefusedError(forward_targets.TargetFault.INVALID, address)
