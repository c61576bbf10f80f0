"""Space task: a worker counts who sent how much, from headers and sizes alone; its result is the report until it is made anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from webmail import imap
from webmail.account import Account
from webmail.errors import MailboxChangedError, NoSuchMailboxError, NotAllowedError, RefusedError, SignInRefusedError
from webmail.imap.mailbox_list.mailboxes import overview
from webmail.imap.mailbox_list.space_usage import counted
from webmail.mailbox.quota.space_report import MOST_NEWSLETTERS, MOST_SENDERS, OLD_DAYS, RoomReport, counted_mailboxes
from webmail.models import Task, TaskState, User, now
from webmail.tasks import store
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun
from webmail.tasks.mail_account import account_of

NAME = "mail-room"
_AT_ONCE = 500  # messages fetched in one round trip
_LEFT_OUT = (NoSuchMailboxError, MailboxChangedError, NotAllowedError, RefusedError)  # what can't be read is not counted


@dataclass(slots=True)
class _Scan:
    """How far it is: which mailbox, the sequence number that comes next, what was counted."""

    names: list[str]
    report: RoomReport
    total: int
    at: int = 0
    next: int = 1

    @property
    def cursor(self) -> dict[str, Any]:
        kept = {"names": self.names, "total": self.total, "at": self.at, "next": self.next}
        return {**kept, "report": self.report.dumped()}


def _work(run: TaskRun) -> dict[str, Any]:
    try:
        account = account_of(run)
        scan = _begun(run, account)
        while scan.at < len(scan.names):
            _count_some(account, scan)
            with run.step(scan.cursor, done=scan.report.messages, total=max(scan.total, scan.report.messages)):
                pass
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    _forget_before(run)
    return scan.report.dumped(MOST_SENDERS, MOST_NEWSLETTERS)


def _begun(run: TaskRun, account: Account) -> _Scan:
    if kept := run.cursor:
        return _Scan(kept["names"], RoomReport.load(kept["report"]), kept["total"], kept["at"], kept["next"])
    with imap.connect(account) as connection:
        found = overview(connection)
    names = counted_mailboxes(found)
    total = sum(m.messages for m in found.mailboxes if m.name in names)
    before = (now() - timedelta(days=OLD_DAYS)).date()
    return _Scan(names, RoomReport(before.isoformat()), total)


def _count_some(account: Account, scan: _Scan) -> None:
    """Count the next messages of a mailbox, then go on to the next one. By sequence number: no list of UIDs has to be kept."""
    name = scan.names[scan.at]
    try:
        with imap.connect(account, name) as connection:
            connection.select(name)
            last = min(scan.next + _AT_ONCE - 1, connection.exists)
            if scan.next <= last:
                scan.report.add(counted(connection, scan.next, last), name, connection.uidvalidity)
            ended = last >= connection.exists
    except _LEFT_OUT:
        ended = True
    scan.at, scan.next = (scan.at + 1, 1) if ended else (scan.at, scan.next + _AT_ONCE)


def _forget_before(run: TaskRun) -> None:
    """One report is enough."""
    for task in store.other_results(run.task):
        task.delete_instance()


def latest(user: User) -> tuple[Task | None, Task | None]:
    """The count that is under way, and the last one that was finished. 1 query."""
    mine = Task.select().where((Task.user == user) & (Task.kind == NAME)).order_by(Task.created.desc())
    tasks = list(mine.limit(20))
    under_way = next((task for task in tasks if task.state in store.OPEN), None)
    return under_way, next((task for task in tasks if task.state == TaskState.DONE), None)


def forget_newsletter(user: User, address: str) -> None:
    """Its old messages are gone: the last count no longer shows it."""
    _under_way, done = latest(user)
    if done:
        told = store.result_of(done)
        told["newsletters"] = [row for row in told["newsletters"] if row["address"] != address]
        store.set_result(done, told)


KIND = TaskKind(NAME, _work)
