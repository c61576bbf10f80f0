"""Mail scan for the people of somebody's mail: a task that reads the headers of the newest messages in Sent and INBOX.

Begun at a person's first sign-in, again a month later at the earliest, and when they ask. Whom they wrote to are correspondents,
which trust goes by; who only wrote to them are acquaintances, which are suggested and nothing else. Counts are set to what the
folders hold and never added to, so that it may be done again, whole or in part, without counting anything twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import peewee as pw

from webmail import imap
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.database.prepared import Prepared
from webmail.errors import SignInRefusedError
from webmail.imap.bulk import people as people_of
from webmail.imap.bulk.people import MessagePeople
from webmail.mail import Address, Role
from webmail.models import Acquaintance, AllowedAddress, Correspondent, PeopleLearned, Task, User, WritingIdentity, now
from webmail.people import impostors
from webmail.people.suggestions.tally import Met, Tally
from webmail.tasks import heartbeat, store
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun, TaskStoppedError
from webmail.tasks.mail_account import account_of, seal

NAME = "learn-people"
MOST_SENT = MOST_RECEIVED = 2_000  # messages that are looked at, the newest
AGAIN = timedelta(days=30)
MOST_ACQUAINTANCES = 5_000  # of one person: those not met for longest are forgotten
_WRITTEN_AT_ONCE = 200
_AT_ONCE = 100  # senders that are compared with colleagues and contacts together


@dataclass(slots=True)
class Progress:
    """Which folders are read (name, whether it holds what was sent, how many messages), and how far the work is."""

    folders: list[tuple[str, bool, int]]
    done: int = 0  # folders
    messages: int = 0
    people: int = 0


# --- when ------------------------------------------------------------------------------------------------------------


_learned = Prepared(lambda slot: PeopleLearned.select().where(PeopleLearned.user == slot("user")))


def last_learned(user: User) -> PeopleLearned | None:
    """When and from how many messages; None if never. 1 query."""
    found: PeopleLearned | None = _learned.first(user=user.id)
    return found


def begin_if_due(user: User, settings: Settings, password: str) -> Task | None:
    """Put the task in the queue at a sign-in, if it is time and a worker is alive (so that no credential lies about waiting).

    Of several sign-ins at once, all get the same task; one that failed is tried again on another day. 1 query for most people.
    Raises LimitReachedError.
    """
    learned = last_learned(user)
    if (learned and learned.at > now() - AGAIN) or not heartbeat.is_alive(heartbeat.last_seen()):
        return None
    credential = seal(user, settings, None if settings.token_key_file else password)
    name = f"{NAME} {learned.at if learned else ''} {now().date()}"
    return store.start(user, NAME, {}, task_id=store.id_of_form(user, name), alone=True, credential=credential)


def begin(user: User, credential: bytes | None) -> Task:
    """Put the task in the queue because the person asks; the one that is under way, if there is one. Raises LimitReachedError."""
    return store.start(user, NAME, {}, alone=True, credential=credential)


# --- the work --------------------------------------------------------------------------------------------------------


def _work(run: TaskRun) -> dict[str, Any]:
    try:
        account = account_of(run)
        progress = Progress(**run.cursor) if run.cursor else Progress(_folders(account, run.user))
        own = own_addresses(run.user)
        while progress.done < len(progress.folders):
            _learn_folder(run, account, own, progress)
    except SignInRefusedError as error:
        raise TaskFailedError("sign-in") from error
    with run.step(asdict(progress), done=len(progress.folders)):
        _forget_most_distant(run.user)
        learned = {"at": now(), "messages": progress.messages}
        PeopleLearned.insert(user=run.user, **learned).on_conflict(conflict_target=[PeopleLearned.user], update=learned).execute()
    return {"messages": progress.messages, "people": progress.people}


def _folders(account: Account, user: User) -> list[tuple[str, bool, int]]:
    """What is read: Sent, the other folders that identities file their copies in, and INBOX. 1 round trip or 2."""
    with imap.connect(account) as connection:
        there = [m for m in imap.mailboxes.overview(connection).mailboxes if m.selectable and not m.owner]
    filed: Any = WritingIdentity.select(WritingIdentity.sent_mailbox).where(WritingIdentity.user == user).tuples()
    others = {name for (name,) in filed}
    sent = [m for m in there if m.role is Role.SENT or (m.name in others and m.role is not Role.INBOX)]
    left, found = MOST_SENT, []
    for folder in sorted(sent, key=lambda m: m.role is not Role.SENT):
        if left > 0:
            found.append((folder.name, True, left))
            left -= folder.messages
    return [*found, ("INBOX", False, MOST_RECEIVED)]


def own_addresses(user: User) -> frozenset[str]:
    """The addresses that a person writes from, in lower case. 2 queries."""
    allowed: Any = AllowedAddress.select(AllowedAddress.address).where(AllowedAddress.user == user).tuples()
    named: Any = WritingIdentity.select(WritingIdentity.address).where(WritingIdentity.user == user).tuples()
    return frozenset(address.lower() for (address,) in [(user.address,), *allowed, *named])


def _learn_folder(run: TaskRun, account: Account, own: frozenset[str], progress: Progress) -> None:
    """Read one folder, then write what it holds. After a kill the folder that was under way is read again."""
    mailbox, sent, most = progress.folders[progress.done]
    written, met, count = Tally(own), Tally(own), 0
    with closing(people_of.newest(account, mailbox, most)) as batches:
        for batch in batches:
            if run.stopping.is_set():
                raise TaskStoppedError("the worker stops")
            for message in batch:
                _add(message, sent, own, written, met)
            count += len(batch)
    known = _without_pretended_names(run.user, written, run.settings)
    wrote = _without_impostors(run.user, met, run.settings)
    _write(run, progress, Correspondent, known)
    _write(run, progress, Acquaintance, wrote)
    progress.done, progress.messages, progress.people = progress.done + 1, progress.messages + count, progress.people
    progress.people += len(known) + len(wrote)
    with run.step(asdict(progress), done=progress.done, total=len(progress.folders)):
        pass


def _add(message: MessagePeople, sent: bool, own: frozenset[str], written: Tally, met: Tally) -> None:
    """What lies in Sent under another From was written elsewhere, or by somebody else: those people are met, not written to."""
    if not sent:
        met.add_received(message)
    elif any(one.email.lower() in own for one in message.sender):
        written.add_sent(message)
    else:
        met.add_sent(message)


def _write(run: TaskRun, progress: Progress, table: Any, people: dict[str, Met]) -> None:
    rows = sorted(people.items())  # in the order of `correspondents.note`: two in other orders could wait for each other
    for at in range(0, len(rows), _WRITTEN_AT_ONCE):
        with run.step(asdict(progress), done=progress.done, total=len(progress.folders)):
            _keep(table, run.user, rows[at : at + _WRITTEN_AT_ONCE])


def _impostors(user: User, tally: Tally, settings: Settings) -> set[str]:
    """The addresses whose names pretend to be a colleague, the establishment or somebody known. 5 queries for _AT_ONCE."""
    people = [Address(met.name, email) for email, met in tally.people.items()]
    pieces = (people[at : at + _AT_ONCE] for at in range(0, len(people), _AT_ONCE))
    return {one.email for piece in pieces for one in impostors.marked(user, piece, settings)}


def _without_impostors(user: User, tally: Tally, settings: Settings) -> dict[str, Met]:
    pretending = _impostors(user, tally, settings)
    return {email: met for email, met in tally.people.items() if email not in pretending}


def _without_pretended_names(user: User, tally: Tally, settings: Settings) -> dict[str, Met]:
    """Who was written to was written to, but a pretended name is not learned."""
    pretending = _impostors(user, tally, settings)
    return {email: Met("", met.count, met.last) if email in pretending else met for email, met in tally.people.items()}


def _keep(table: Any, user: User, people: Iterable[tuple[str, Met]]) -> None:
    """Never less than is known: messages sent here count too, and older ones may be gone from the folder. 1 query."""
    rows = [{"user": user.id, "address": email, **asdict(met)} for email, met in people]
    fresh = pw.EXCLUDED
    better = {
        table.count: pw.Case(None, [(table.count < fresh.count, fresh.count)], table.count),
        table.last: pw.Case(None, [(table.last < fresh.last, fresh.last)], table.last),
        table.name: pw.Case(None, [(table.name == "", fresh.name)], table.name),
    }
    table.insert_many(rows).on_conflict(conflict_target=[table.user, table.address], update=better).execute()


def _forget_most_distant(user: User) -> None:
    mine = Acquaintance.user == user
    rows: Iterable[Any] = (
        Acquaintance.select(Acquaintance.last).where(mine).order_by(Acquaintance.last.desc()).offset(MOST_ACQUAINTANCES).limit(1)
    ).tuples()
    for (last,) in rows:
        Acquaintance.delete().where(mine & (Acquaintance.last <= last)).execute()


KIND = TaskKind(NAME, _work)
