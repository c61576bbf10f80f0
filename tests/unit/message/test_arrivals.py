"""What Dovecot tells of mail that arrived: kept for the worker, once a mailbox, and only where something is done with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.tokens import key_file
from webmail import imap
from webmail.doctor.mail_servers import arrivals
from webmail.doctor.result import OK, WARNING
from webmail.errors import RefusedError, ServerAwayError
from webmail.message.arrivals import arrival_rounds, missed_mail, searched_mailboxes
from webmail.models import SearchedMailbox, SentInvitation, User

KEY = {"X-Traboule-Key": "a-key-that-both-know"}


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    keys = {"doveadm_key": KEY["X-Traboule-Key"], "token_key_file": key_file(tmp_path)}
    with ground.application(tmp_path / "instance", **keys) as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> User:
    """Somebody whose guests may still reply."""
    user = ground.add("alice@lycee.example")
    awaits(user)
    return user


def awaits(user: User, end: str = "20301210T100000") -> None:
    uid = ground.put(ground.calendar_of(user.local), "Conseil", f":{end[:9]}090000", f":{end}")
    SentInvitation.create(user=user, digest=f"d{user.id}", uid=uid, method="REQUEST", recipient="bob@x.example", batch="b")


def tell(app: Flask, mailbox: str = "INBOX", user: str = "alice@lycee.example", headers=KEY, source="127.0.0.1"):
    return app.test_client().post(
        "/dovecot/arrivals", data={"user": user, "mailbox": mailbox}, headers=headers, environ_base={"REMOTE_ADDR": source}
    )


def waiting() -> list[str]:
    return sorted(row.mailbox for row in searched_mailboxes.to_read())


def test_what_arrived_is_kept_once_a_mailbox(app, alice):
    for mailbox in ("INBOX", "INBOX", "Réunions/Élèves & parents", "", "x" * 501):
        answer = tell(app, mailbox)
        assert (answer.status_code, answer.json) == (200, {"status": 0}) and not answer.headers.getlist("Set-Cookie")
    assert waiting() == ["INBOX", "Réunions/Élèves & parents"]


@pytest.mark.parametrize(
    ("headers", "source"),
    [({}, "127.0.0.1"), ({"X-Traboule-Key": "a-key-that-both-kno"}, "127.0.0.1"), ({"X-Traboule-Key": "é"}, "::1"), (KEY, "192.0.2.7")],
)  # fmt: skip
def test_nobody_else_can_tell(app, alice, headers, source):
    assert tell(app, headers=headers, source=source).status_code == 404
    assert not waiting() and not missed_mail.is_told()


def test_too_long_a_report_is_refused(app, alice):
    assert tell(app, "x" * 5000).status_code == 413


@pytest.mark.parametrize("user", ["bob@lycee.example", "nobody@lycee.example", "", "\0"])
def test_nothing_is_written_of_people_whom_nothing_concerns(app, alice, user):
    awaits(ground.add("bob@lycee.example"), "20201210T100000")  # over
    assert tell(app, user=user).status_code == 200
    assert not SearchedMailbox.select().exists() and missed_mail.is_told()


def test_the_doctor_says_whether_dovecot_tells(app, alice):
    settings = app.extensions["settings"]
    assert [one.state for one in arrivals.examine(settings)] == [WARNING]
    tell(app)
    assert [one.state for one in arrivals.examine(settings)] == [OK]
    assert not list(arrivals.examine(replace(settings, token_key_file="")))


def test_there_is_a_most_of_mailboxes_of_one_person(app, alice, monkeypatch):
    monkeypatch.setattr(searched_mailboxes, "MOST_MAILBOXES", 2)
    for number in range(4):
        tell(app, f"folder {number}")
    assert waiting() == ["folder 0", "folder 1"]


def test_a_mailbox_is_read_by_one_worker_and_what_arrives_meanwhile_by_the_next(app, alice):
    tell(app)
    [first], [second] = list(searched_mailboxes.to_read()), list(searched_mailboxes.to_read())
    assert searched_mailboxes.lease(first) and not searched_mailboxes.lease(second)
    tell(app)
    assert not waiting()
    searched_mailboxes.progress(first, 1, 8)
    searched_mailboxes.release(first, more=False)
    assert waiting() == ["INBOX"]
    [third] = searched_mailboxes.to_read()
    assert searched_mailboxes.lease(third) and third.uidnext == 8
    searched_mailboxes.release(third, more=False)
    assert not waiting()


def test_what_a_dead_worker_left_is_read_by_another_which_it_does_not_disturb(app, alice):
    tell(app)
    [dead] = searched_mailboxes.to_read()
    assert searched_mailboxes.lease(dead) and not waiting()
    SearchedMailbox.update(due=1).execute()  # its time is over
    dead.due = 1
    [other] = searched_mailboxes.to_read()
    assert searched_mailboxes.lease(other)
    searched_mailboxes.progress(dead, 1, 99)
    searched_mailboxes.release(dead, more=True)
    row = SearchedMailbox.get()
    assert (row.uidnext, row.told, row.due) == (0, 0, other.due)


def test_only_mailboxes_with_something_new_are_read_and_those_that_are_gone_forgotten(app, alice):
    tell(app, "Gone")
    SearchedMailbox.update(told=0, due=0).execute()
    SearchedMailbox.create(user=alice, mailbox="INBOX", uidvalidity=7, uidnext=5)
    positions = {"INBOX": (7, 5), "Other": (3, 9)}
    assert searched_mailboxes.note_missed(alice, positions, whole=True) == 1
    assert waiting() == ["Other"] and {row.mailbox for row in SearchedMailbox.select()} == {"INBOX", "Other"}
    searched_mailboxes.note_missed(alice, {"INBOX": (7, 6)}, whole=False)
    assert waiting() == ["INBOX", "Other"]
    searched_mailboxes.note_missed(alice, {"INBOX": (8, 6)}, whole=False)
    assert waiting() == ["INBOX", "Other"]


def test_reading_is_asked_of_an_index(app, alice):
    [plan] = ground.plans_of(lambda: list(searched_mailboxes.to_read()))
    assert "SCAN" not in plan, plan


# --- rounds: what is sent to one holds up no other --------------------------------------------------------------------------


@pytest.fixture
def arrived(app: Flask, alice: User, monkeypatch) -> list[tuple[str, int]]:
    """Three messages with a calendar part in the inboxes of two people; which of them were read."""
    awaits(ground.add("bob@lycee.example"))
    read: list[tuple[str, int]] = []

    def one(uid: int, _validity: int, _mailbox: str, user: User, *_more: object) -> int:
        read.append((user.local, uid))
        return 0

    monkeypatch.setattr(arrival_rounds, "_news", news)
    monkeypatch.setattr(arrival_rounds, "_read_message", one)
    for user in ("alice", "bob"):
        tell(app, user=f"{user}@lycee.example")
    return read


def news(row: SearchedMailbox, *_more: object) -> object:
    return arrival_rounds._News(1, [uid for uid in (1, 2, 3) if uid >= row.uidnext], 4, False, 0)


def test_messages_that_take_long_let_others_pass(app, arrived, monkeypatch):
    clock = iter(range(0, 1_000, 4))
    monkeypatch.setattr(arrival_rounds, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    arrival_rounds.sweep(app.extensions["settings"])
    assert arrived == [("alice", 1), ("alice", 2), ("bob", 1), ("bob", 2)]
    arrival_rounds.sweep(app.extensions["settings"])
    assert arrived[4:] == [("alice", 3), ("bob", 3)] and not waiting()


def test_a_mailbox_that_breaks_holds_up_no_other(app, arrived, monkeypatch):
    def broken(row: SearchedMailbox, *more: object) -> object:
        if row.user.local == "alice":
            raise ValueError("a structure that nobody has thought of")
        return news(row, *more)

    monkeypatch.setattr(arrival_rounds, "_news", broken)
    arrival_rounds.sweep(app.extensions["settings"])
    assert arrived == [("bob", 1), ("bob", 2), ("bob", 3)]


@pytest.mark.parametrize("error", [ValueError("odd bytes"), RecursionError(), RefusedError("BAD")])
def test_a_message_that_breaks_holds_up_none_after_it(app, alice, monkeypatch, error):
    def read(*_arguments: object, **_more: object) -> object:
        raise error

    tell(app)
    monkeypatch.setattr(arrival_rounds, "_news", news)
    monkeypatch.setattr(imap, "connect", lambda *_arguments: nullcontext())
    monkeypatch.setattr(imap.messages, "read", read)
    arrival_rounds.sweep(app.extensions["settings"])
    assert SearchedMailbox.get().uidnext == 4 and not waiting()


def test_where_the_mail_server_is_away_nothing_is_passed_over(app, alice, monkeypatch):
    def read(*_arguments: object, **_more: object) -> object:
        raise ServerAwayError("gone")

    tell(app)
    monkeypatch.setattr(arrival_rounds, "_news", news)
    monkeypatch.setattr(imap, "connect", lambda *_arguments: nullcontext())
    monkeypatch.setattr(imap.messages, "read", read)
    arrival_rounds.sweep(app.extensions["settings"])
    row = SearchedMailbox.get()
    assert row.uidnext == 0 and row.due
