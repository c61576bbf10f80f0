"""What is queued for somebody: once, bounded, and in the transaction of whoever asks for it."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.support import postgresql
from tests.support.system_mail import SOPHIE, queued, turn
from webmail import system_mail
from webmail.config.settings import Settings
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import OutboxState, SystemMessage, User, now


def test_it_waits_for_the_worker_with_all_that_is_needed(here):
    row = queued("Sophie@Ailleurs.example")
    assert (row.recipient, row.kind, row.language, row.state) == (SOPHIE, "notice", "fr", OutboxState.WAITING)
    assert system_mail.sweep() == [row.id]
    assert here.server.connections == 0


def test_a_transaction_that_fails_queues_nothing(here):
    with pytest.raises(ZeroDivisionError), db.atomic():
        queued()
        1 / 0  # noqa: B018
    assert SystemMessage.select().count() == 0


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "recipient",
    ["", "sophie", "a@b.example, c@d.example", "Sophie <a@b.example>", "a@b.example\r\nBcc: c@d.example", "a b@c.example"],
)
def test_a_recipient_is_one_address(here, recipient):
    with pytest.raises(BadAddressError):
        queued(recipient)


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: all@lycee.example", "Hello\nX: y", "a\0b"])
def test_a_subject_is_one_line(here, subject):
    with pytest.raises(UnsafeValueError):
        queued(subject=subject)
    assert SystemMessage.select().count() == 0


@pytest.mark.parametrize("too_long", [{"subject": "x" * 301}, {"body": "x" * 50_001}])
def test_what_is_too_long_is_refused(here, too_long):
    with pytest.raises(ValueError, match="at most"):
        queued(**too_long)


# --- once ------------------------------------------------------------------------------------------------------------


def test_under_one_key_a_message_goes_once(here):
    first = queued(dedup="report 5")
    assert queued(dedup="report 5", subject="Another").id == first.id
    turn(here, first)
    assert queued(dedup="report 5").id == first.id  # sent already
    assert queued("bob@lycee.example", dedup="report 5").id != first.id
    assert system_mail.send(SOPHIE, "recovery", "s", "b", "fr", "report 5").id != first.id
    assert queued().id != queued().id


def both(say):
    """What two threads that call it at the same moment get."""
    found, start = [], threading.Barrier(2)

    def run() -> None:
        with db.connection_context():
            start.wait()
            found.append(say())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_two_at_once_queue_one(here):
    assert len({row.id for row in both(lambda: queued(dedup="once"))}) == 1
    assert SystemMessage.select().count() == 1


@pytest.fixture
def on_postgresql():
    if not postgresql.server_url():
        pytest.skip("no PostgreSQL here")
    before = db.obj
    with postgresql.fresh_database() as url:
        database = open_database(url)
        try:
            migrate()
            with db.connection_context():
                yield
        finally:
            database.close()
            db.initialize(before)


@pytest.mark.postgresql
def test_on_postgresql_too(on_postgresql):
    assert len({row.id for row in both(lambda: queued(dedup="once"))}) == 1
    with db.atomic():  # a key that is there breaks no transaction of the caller's
        queued(dedup="once")
        queued()
    assert SystemMessage.select().count() == 2
    assert sorted(system_mail.sweep()) == [row.id for row in SystemMessage.select().order_by(SystemMessage.id)]


# --- how many --------------------------------------------------------------------------------------------------------


def test_one_address_gets_thirty_a_day(here, caplog):
    rows = [queued() for _ in range(system_mail.PER_DAY)]
    assert system_mail.send(SOPHIE.upper(), "notice", "s", "b", "fr") is None
    assert SOPHIE not in caplog.text
    assert "notice not queued" in caplog.text
    assert queued("bob@lycee.example")
    SystemMessage.update(created=now() - timedelta(hours=25)).where(SystemMessage.id == rows[0].id).execute()
    assert queued()


def test_those_queued_at_the_same_moment_are_counted_when_they_are_sent(here):
    many = system_mail.PER_DAY + 5
    row = {"recipient": SOPHIE, "kind": "notice", "language": "fr", "subject": "s", "body": "b"}
    SystemMessage.insert_many([row | {"dedup": f"{number:064}"} for number in range(many)]).execute()
    for due in system_mail.sweep():
        system_mail.deliver(due, here.settings)
    assert here.server.copies(SOPHIE) == system_mail.PER_DAY
    failed = SystemMessage.select().where(SystemMessage.state == OutboxState.FAILED)
    assert [one.error for one in failed] == ["30 messages went to this address in a day"] * 5


# --- how long, and in which language ---------------------------------------------------------------------------------


def test_it_is_forgotten_after_thirty_days(here):
    old, young = queued(), queued()
    SystemMessage.update(created=now() - timedelta(days=30, minutes=1), state=OutboxState.SENT).where(
        SystemMessage.id == old.id
    ).execute()
    system_mail.sweep()
    assert [row.id for row in SystemMessage.select()] == [young.id]


def test_somebody_is_written_to_in_their_language():
    assert system_mail.in_language_of(User(language="en"), Settings(language="fr")) == "en"
    assert system_mail.in_language_of(User(language="en", spoken="fr"), Settings(language="fr")) == "en"
    assert system_mail.in_language_of(User(spoken="en"), Settings(language="fr")) == "en", "as their browser does"
    assert system_mail.in_language_of(User(language=""), Settings(language="fr")) == "fr"
