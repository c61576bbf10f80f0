"""Folder rules: filters follow the folders that they move messages to, when those are renamed or deleted. No Flask here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from webmail.account import Account
from webmail.config import Settings
from webmail.filters import contact_rules, store
from webmail.filters.place import place_of
from webmail.filters.rules import ActionKind, FilterRule, RuleAction
from webmail.models import User


@dataclass(frozen=True, slots=True)
class FollowedFolder:
    """`off`: the rules that were switched off, as their folder is gone. `left`: another program's changes kept us from it."""

    off: tuple[FilterRule, ...] = ()
    left: bool = False


def follow(user: User, account: Account, settings: Settings, now: Callable[[str], str], gone: bool) -> FollowedFolder:
    """Write the new names of folders (`now`) into the rules; those of a folder that is `gone` are switched off.

    3 round trips where no rule is concerned. Raises what `store.changing` raises.
    """
    off: tuple[FilterRule, ...] = ()
    with store.changing(user.id, account, "") as change:
        before = change.filters
        after = replace(before, rules=tuple(moved(rule, now, gone) for rule in before.rules))
        if after == before:
            return FollowedFolder()
        if not change.state.is_ours:
            return FollowedFolder(left=True)
        off = tuple(old for old, new in zip(before.rules, after.rules, strict=True) if old.on and not new.on)
        change.filters, change.place = after, place_of(user, account, settings)
    contact_rules.note(user, after)
    return FollowedFolder(off)


def moved(rule: FilterRule, now: Callable[[str], str], gone: bool) -> FilterRule:
    """The rule with the names of now. What was deleted keeps its name there: somebody has to choose another folder."""
    actions = tuple(replace(one, value=now(one.value) or one.value) if _has_folder(one) else one for one in rule.actions)
    concerned = any(_has_folder(one) and now(one.value) != one.value for one in rule.actions)
    return replace(rule, actions=actions, on=rule.on and not gone) if concerned else rule


def _has_folder(action: RuleAction) -> bool:
    return action.kind in (ActionKind.MOVE, ActionKind.COPY)
