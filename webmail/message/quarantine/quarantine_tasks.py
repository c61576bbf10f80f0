"""Quarantine tasks: the worker looks for a reported message in the mailboxes that an administrator is in charge of, puts copies
into junk, and back. By token, one connection at a time, a person a step: after a kill it goes on with the next person.

Each step asks anew what the administrator is in charge of: who is none any more looks into nobody's mailbox.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from webmail import imap, preferences
from webmail.account import Account
from webmail.auth import account_management
from webmail.config.settings import Settings
from webmail.database.user_lock import user_lock
from webmail.errors import MailError, NoSuchMessageError, ServerAwayError
from webmail.establishments import scope as scopes
from webmail.establishments.scope import Scope
from webmail.imap.connections.connection import Connection
from webmail.message import phishing_reports
from webmail.message.phishing_reports import EVERYBODY
from webmail.message.quarantine import copies, finds
from webmail.message.quarantine.copies import WantedMessage
from webmail.message.quarantine.finds import FindState
from webmail.models import PhishingFind, PhishingReport, User
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun

log = logging.getLogger(__name__)

SEARCH, PULL, RETURN = "phishing-search", "phishing-pull", "phishing-return"
GONE, NOT_ALLOWED, NO_TOKENS = "gone", "not-allowed", "no-tokens"  # reasons of TaskFailedError
_PEOPLE = 50  # read at once


def _search(run: TaskRun) -> dict[str, Any]:
    """Look into all mailboxes of the scope. The cursor has the last account, and how many could not be looked into."""
    report, scope = _allowed(run)
    cursor = run.cursor or {"after": 0, "unreached": 0, "done": 0}
    wanted = _wanted(report, run.settings)
    total = account_management.count([scope.condition(), User.active == 1])
    while people := _next_people(scope, cursor["after"]):
        for user in people:
            found = _looked(user, run.settings, wanted)
            cursor = {
                "after": user.id, "unreached": cursor["unreached"] + (found is None), "done": cursor["done"] + 1,
            }  # fmt: skip
            with run.step(cursor, done=cursor["done"], total=max(total, cursor["done"])):
                if found is not None:
                    finds.store(report, user, found)
        _report, scope = _allowed(run)
    return {"report": report.id, "people": cursor["done"], "unreached": cursor["unreached"]}


def _next_people(scope: Scope, after: int) -> list[User]:
    """Those whose mailboxes come next, by number. One SELECT."""
    return account_management.listed([scope.condition(), User.active == 1, User.id > after], [User.id], _PEOPLE)


def _looked(user: User, settings: Settings, wanted: WantedMessage) -> list[copies.FoundCopy] | None:
    """None where the mailbox can't be looked into. Raises ServerAwayError: the others can't be either."""
    try:
        with _mailbox(user, settings) as (_account, connection):
            return copies.look(connection, wanted)
    except ServerAwayError:
        raise
    except MailError as error:
        log.warning("no copies were looked for in the mailbox of %s: %s", user.address, error)
        return None


def _wanted(report: PhishingReport, settings: Settings) -> WantedMessage:
    """What is looked for: the reporter's own copy as it is, else what is known of it. Raises ServerAwayError."""
    try:
        with _mailbox(report.user, settings) as (_account, connection):
            at = copies.locate(connection, report.message_id, report.sender, report.subject)
            if at is not None:
                return copies.wanted_at(connection, *at)
    except ServerAwayError:
        raise
    except MailError as error:
        log.warning("the reported message of %s is not read: %s", report.user.address, error)
    return WantedMessage(report.message_id, report.sender, report.subject, report.created)


def _pull(run: TaskRun) -> dict[str, Any]:
    return _each(run, FindState.WANTED, _pulled)


def _return(run: TaskRun) -> dict[str, Any]:
    return _each(run, FindState.RETURNING, _returned)


def _each(run: TaskRun, state: FindState, act: Callable[[Connection, PhishingFind], bool]) -> dict[str, Any]:
    """Do it to all copies in this state; each is noted by itself, so after a kill those that are left are done."""
    report, scope = _allowed(run)
    cursor = run.cursor or {"after": 0, "done": 0, "moved": 0, "unreached": 0}
    total = cursor["done"] + finds.people_with(report, state)
    while (user := finds.next_user(report, state, cursor["after"])) is not None:
        _report, scope = _allowed(run)
        moved, reached = 0, scope.includes(user)
        if reached:
            try:
                with user_lock(user.id), _mailbox(user, run.settings) as (_account, connection):
                    moved = sum(act(connection, find) for find in finds.of_user(report, user, state))
            except ServerAwayError:
                raise
            except MailError as error:
                log.warning("the mailbox of %s is left as it is: %s", user.address, error)
                reached = False
        cursor = {
            "after": user.id, "done": cursor["done"] + 1, "moved": cursor["moved"] + moved,
            "unreached": cursor["unreached"] + (not reached),
        }  # fmt: skip
        with run.step(cursor, done=cursor["done"], total=max(total, cursor["done"])):
            pass
    return {"report": report.id, "moved": cursor["moved"], "people": cursor["done"], "unreached": cursor["unreached"]}


def _pulled(connection: Connection, find: PhishingFind) -> bool:
    """Whether a copy is in quarantine now."""
    moved = copies.put_away(connection, find.mailbox, find.uid, find.uidvalidity)
    if moved is not None and moved.uids:
        finds.note(find, FindState.PULLED, junk=moved.mailbox, junk_uidvalidity=moved.uidvalidity, junk_uid=moved.uids[0], told=0)
        return True
    before_kill = copies.in_quarantine(connection, find.message_id)  # moved, and not noted
    if before_kill is not None:
        junk, uidvalidity, uid = before_kill
        finds.note(find, FindState.PULLED, junk=junk, junk_uidvalidity=uidvalidity, junk_uid=uid, told=0)
        return True
    finds.note(find, FindState.GONE)
    return False


def _returned(connection: Connection, find: PhishingFind) -> bool:
    """Whether a copy is back where it was."""
    back = copies.bring_back(connection, find.junk, find.junk_uid, find.junk_uidvalidity, find.mailbox, find.flags.split())
    finds.note(find, FindState.BACK if back else FindState.GONE, **({"told": 0} if back else {}))
    return back


# --- parts -----------------------------------------------------------------------------------------------------------


def _allowed(run: TaskRun) -> tuple[PhishingReport, Scope]:
    """The report, and what the person is in charge of now. Raises TaskFailedError."""
    if not run.settings.token_key_file:
        raise TaskFailedError(NO_TOKENS)
    scope = scopes.for_user(account_management.of_number(run.user.id, EVERYBODY) or run.user)
    report = phishing_reports.of_scope(run.arguments["report"], scope.condition()) if scope else None
    if scope is None:
        raise TaskFailedError(NOT_ALLOWED)
    if report is None:
        raise TaskFailedError(GONE)
    return report, scope


@contextmanager
def _mailbox(user: User, settings: Settings) -> Iterator[tuple[Account, Connection]]:
    """A connection of its own, which ends with its use: nobody's stays open."""
    account = preferences.with_roles(settings.account(user.address), user)
    try:
        with imap.connect(account) as connection:
            yield account, connection
    finally:
        imap.close_all(account)


def reported_place(report: PhishingReport, settings: Settings) -> tuple[Account, str, int]:
    """Where the copy is that its reporter gave to read. Raises MailError, NoSuchMessageError where it is gone."""
    account = preferences.with_roles(settings.account(report.user.address), report.user)
    with imap.connect(account) as connection:
        at = copies.locate(connection, report.message_id, report.sender, report.subject)
    if at is None:
        raise NoSuchMessageError(f"{report.user.address} no longer has what they reported")
    return account, *at


KINDS = (TaskKind(SEARCH, _search), TaskKind(PULL, _pull), TaskKind(RETURN, _return))
