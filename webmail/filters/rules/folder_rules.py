"""Folder rules: filters follow the folders that they move messages to, when those are renamed or deleted. No Flask here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from webmail import preferences
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.filters import store
from webmail.filters.rules import contact_rules
from webmail.filters.rules.rules import ActionKind, FilterRule, RuleAction
from webmail.filters.rules.script_context import place_of
from webmail.filters.store import Filters
from webmail.models import User


@dataclass(frozen=True, slots=True)
class FollowedFolder:
    """`off`: the rules that were switched off, as their folder is gone. `left`: another program's changes kept us from it."""

    off: tuple[FilterRule, ...] = ()
    left: bool = False


def follow(user: User, account: Account, settings: Settings, now: Callable[[str], str], gone: bool) -> FollowedFolder:
    """Write the new names of folders (`now`) into the rules; those of a folder that is `gone` are switched off. The trash and the
    junk folder may be others now, too.

    3 round trips where no rule is concerned. Raises what `store.changing` raises.
    """
    off: tuple[FilterRule, ...] = ()
    account = preferences.with_roles(account, user)
    with store.changing(user.id, account, "") as change:
        before, state = change.filters, change.state
        after = replace(before, rules=tuple(moved(rule, now, gone) for rule in before.rules))
        if not state.is_ours or (after == before and not _has_role(before)):
            return FollowedFolder(left=after != before)
        off = tuple(old for old, new in zip(before.rules, after.rules, strict=True) if old.on and not new.on)
        place = place_of(user, account, settings)
        if after == before and store.script_of(after, replace(place, extensions=state.extensions)) == state.text:
            return FollowedFolder()
        change.filters, change.place = after, place
    contact_rules.note(user, after)
    return FollowedFolder(off)


def moved(rule: FilterRule, now: Callable[[str], str], gone: bool) -> FilterRule:
    """The rule with the names of now. What was deleted keeps its name there: somebody has to choose another folder."""
    actions = tuple(replace(one, value=now(one.value) or one.value) if _has_folder(one) else one for one in rule.actions)
    concerned = any(_has_folder(one) and now(one.value) != one.value for one in rule.actions)
    return replace(rule, actions=actions, on=rule.on and not gone) if concerned else rule


def _has_role(filters: Filters) -> bool:
    """Whether the script names a folder by its role, which no rule does."""
    kinds = {action.kind for rule in filters.rules if rule.on for action in rule.actions}
    return bool(filters.senders.blocked) or not kinds.isdisjoint((ActionKind.DELETE, ActionKind.SNOOZE))


def _has_folder(action: RuleAction) -> bool:
    return action.kind in (ActionKind.MOVE, ActionKind.COPY)
