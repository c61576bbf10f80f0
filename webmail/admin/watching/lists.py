"""Lists to act on: what opens a door to the outside or stays unused, of many people; each act can be undone for an hour."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _

from webmail import preferences
from webmail.account import Account
from webmail.auth import activity
from webmail.auth.devices import app_passwords
from webmail.auth.recovery import recovery_address
from webmail.auth.sessions import mail_sessions
from webmail.calendar import links
from webmail.config.settings import ConfigError, Settings
from webmail.database import undo_store
from webmail.errors import MailError
from webmail.establishments.scope import Scope
from webmail.filters.forwarding import forward_change, forward_targets, forwarding
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.models import AuditAct, User, now

SIZE = 50
UNUSED = timedelta(days=365)
OPENING = '{"list": '  # of the steps to undo, in the order in which they are written

Act = Callable[[Scope, Collection[int], Settings], "ListAct"]


@dataclass(frozen=True, slots=True)
class ListedRow:
    """`number`: of what is acted on. `text`: what it is; `at`: when it was last used."""

    number: int
    address: str
    text: str
    at: datetime | None = None


@dataclass(slots=True)
class ListAct:
    """What an act did: whom it was done to, with what, and the steps back. `failed`: people whose mail server refused it.
    `stopped`: whose forwarding ended, and what it was: they are told by mail.
    """

    done: list[tuple[str, str]]
    steps: list[Any]
    failed: list[str]
    stopped: list[tuple[User, Forwarding]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class UndoneAct:
    """Whom it was taken back from."""

    people: list[str]


@dataclass(frozen=True, slots=True)
class ActList:
    """`rows`: a page, of those after a number. `act`: on some of them; `undo`: takes its steps back. `audit`: its entry."""

    rows: Callable[[Scope, int, Settings], list[ListedRow]]
    act: Act
    undo: Callable[[list[Any], Settings], object]
    audit: AuditAct


def page_of(chosen: ActList, scope: Scope, after: int, settings: Settings) -> tuple[list[ListedRow], int]:
    """A page, and after which number the next one begins; 0 where there is none."""
    found = chosen.rows(scope, after, settings)
    return found[:SIZE], found[SIZE - 1].number if len(found) > SIZE else 0


def keep(user: User, name: str, act: ListAct) -> str:
    """Keep the steps back; returns their name."""
    return undo_store.keep(user, json.dumps({"list": name, "steps": act.steps}))


def undo(user: User, scope: Scope, name: str, settings: Settings) -> UndoneAct | None:
    """Take an act back; None where its hour is over, or it was, or somebody of it is no longer in the scope."""
    row = undo_store.take(user, name, OPENING)
    if row is None:
        return None
    kept = json.loads(row.steps)
    owners = {int(one["user"] if isinstance(one, dict) else one[0]) for one in kept["steps"]}
    people = activity.by_number(owners)
    there = activity.by_number(owners, scope.condition())
    if people.keys() != there.keys():
        return None
    LISTS[kept["list"]].undo(kept["steps"], settings)
    return UndoneAct([user.address for user in people.values()])


def _people(scope: Scope) -> Callable[[Any], Any]:
    """The condition that a column names one of their accounts."""
    return activity.belonging(None if scope.everything else scope.condition())


def _rows(found: Iterable[tuple[int, int, str, datetime | None]]) -> list[ListedRow]:
    """Of the number of a thing and of its owner, what it is and when it was used. 1 SELECT."""
    rows = list(found)
    people = activity.by_number(owner for _number, owner, _text, _at in rows)
    return [ListedRow(number, people[owner].address, text, at) for number, owner, text, at in rows if owner in people]


def _done(found: Iterable[tuple[int, str]]) -> list[tuple[str, str]]:
    rows = list(found)
    people = activity.by_number(owner for owner, _text in rows)
    return [(people[owner].address, text) for owner, text in rows if owner in people]


# --- app passwords nobody uses ---------------------------------------------------------------------------------------


def _unused(scope: Scope, after: int, _settings: Settings) -> list[ListedRow]:
    found = app_passwords.unused_since(now() - UNUSED, _people(scope), after, SIZE + 1)
    return _rows((row.id, row.user_id, row.name, row.used) for row in found)


def _revoke(scope: Scope, numbers: Collection[int], settings: Settings) -> ListAct:
    found = app_passwords.revoke_several(numbers, _people(scope))
    people = activity.by_number(one["user"] for one in found)
    for one in found:
        if one["user"] in people:
            mail_sessions.end_app_password_soon(one["id"], people[one["user"]].address, settings)
    return ListAct(_done((one["user"], one["name"]) for one in found), found, [])


def _give_back(steps: list[Any], _settings: Settings) -> None:
    app_passwords.put_back(steps)


# --- calendars that anybody reads ------------------------------------------------------------------------------------


def _published(scope: Scope, after: int, _settings: Settings) -> list[ListedRow]:
    found = links.of_everybody(_people(scope), after, SIZE + 1)
    titles = links.titles(found)
    whole = {row.id: titles.get(row.collection_id, "") for row in found}
    words = {
        row.id: whole[row.id] if row.whole else " · ".join(filter(None, [whole[row.id], _("Busy times only")])) for row in found
    }
    return _rows((row.id, row.user_id, words[row.id], row.used) for row in found)


def _unpublish(scope: Scope, numbers: Collection[int], _settings: Settings) -> ListAct:
    found = links.end_several(numbers, _people(scope))
    return ListAct(_done((one["user"], one["kind"]) for one in found), found, [])


def _publish_again(steps: list[Any], _settings: Settings) -> None:
    links.put_back(steps)


# --- mail that goes on -----------------------------------------------------------------------------------------------


def _forwards(scope: Scope, after: int, _settings: Settings) -> list[ListedRow]:
    found = forward_targets.in_force(_people(scope), after, SIZE + 1)
    return _rows((row.id, row.user_id, row.address, row.until) for row in found)


def _stop_forwarding(scope: Scope, numbers: Collection[int], settings: Settings) -> ListAct:
    """By the mail server, one person after the other; after the first that can't be reached nobody else is tried."""
    act = ListAct([], [], [])
    people = activity.by_number(row.user_id for row in forward_targets.numbered(numbers, _people(scope)))
    for user in people.values():
        if act.failed:
            act.failed.append(user.address)
            continue
        try:
            before = forward_change.without(user, _account(user, settings), settings)
        except (MailError, ConfigError):  # also where nobody but the person can sign in to it
            act.failed.append(user.address)
            continue
        if before.on:
            act.done.append((user.address, " ".join(before.addresses)))
            act.steps.append([user.id, forwarding.to_json(before)])
            act.stopped.append((user, before))
    return act


def _forward_again(steps: list[Any], settings: Settings) -> None:
    people = activity.by_number(number for number, _text in steps)
    for number, text in steps:
        if (user := people.get(number)) is not None and user.active:
            forward_change.save(user, _account(user, settings), settings, forwarding.from_json(text))


def _account(user: User, settings: Settings) -> Account:
    """Raises ConfigError where there is no token to sign in as them by."""
    return preferences.with_roles(settings.account(user.address), user)


# --- nobody to write to ----------------------------------------------------------------------------------------------


def _without_recovery(scope: Scope, after: int, _settings: Settings) -> list[ListedRow]:
    found = recovery_address.missing(scope.condition(), after, SIZE + 1)
    return [ListedRow(user.id, user.address, user.name, user.recovery_asked) for user in found]


def _ask(scope: Scope, numbers: Collection[int], _settings: Settings) -> ListAct:
    found = recovery_address.ask_again(numbers, scope.condition())
    return ListAct([(address, "") for _number, address, _asked in found], [[number, asked] for number, _a, asked in found], [])


def _ask_later(steps: list[Any], _settings: Settings) -> None:
    recovery_address.put_asked(steps)


LISTS: dict[str, ActList] = {
    "forwards": ActList(_forwards, _stop_forwarding, _forward_again, AuditAct.FORWARDING_ENDED),
    "published": ActList(_published, _unpublish, _publish_again, AuditAct.CALENDAR_ADDRESS_ENDED),
    "app-passwords": ActList(_unused, _revoke, _give_back, AuditAct.APP_PASSWORD_REVOKED),
    "no-recovery": ActList(_without_recovery, _ask, _ask_later, AuditAct.RECOVERY_ADDRESS_WANTED),
}
