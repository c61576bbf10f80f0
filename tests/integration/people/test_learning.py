"""Learning the people of one's mail: from the first sign-in, in the background, whom one wrote to and who wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support import worker
from tests.support.task_work import work_all, worker_for
from tests.support.user_rows import user_of
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.imap.bulk import people as people_of
from webmail.imap.connections.connection import Connection
from webmail.models import Acquaintance, AllowedName, Correspondent, PeopleLearned, Task, TaskState, User, now
from webmail.people.correspondents import has_written
from webmail.people.suggestions import mail_scan

Fill = Callable[..., None]


@pytest.fixture
def work(app: Flask) -> Iterator[Callable[[], int]]:
    """What a worker does; while the test lasts, one is alive."""
    worker.alive()
    yield worker_for(app)
    worker.gone()


@pytest.fixture
def put(imap_of: Callable[[str], IMAPClient]) -> Fill:
    """`put(address, "Sent", head, head)` files messages with these headers."""

    def put(address: str, mailbox: str, *heads: str, flags: tuple[bytes, ...] = ()) -> None:
        client = imap_of(address)
        messages = [{"msg": f"{head}\nSubject: s\n\nt\n".replace("\n", "\r\n").encode(), "flags": flags} for head in heads]
        for at in range(0, len(messages), 500):
            client.multiappend(mailbox, messages[at : at + 500])

    return put


def rows(table: Any, address: str) -> dict[str, tuple[str, int]]:
    with db.connection_context():
        return {row.address: (row.name, row.count) for row in table.select().where(table.user == user_of(address))}


def tasks(address: str) -> list[Task]:
    with db.connection_context():
        return list(Task.select().where((Task.user == user_of(address)) & (Task.kind == mail_scan.NAME)))


# --- what is learned -------------------------------------------------------------------------------------------------


def test_the_first_sign_in_learns_whom_one_wrote_to_and_who_wrote(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int]
) -> None:
    me = make_account("kim")
    put(
        me,
        "Sent",
        *[f"From: {me}\nTo: Kari Nordmann <kari@fjord.example>"] * 3,
        f"From: Kim <{me}>\nTo: a@x.example\nCc: B <b@x.example>",
    )
    put(
        me, "INBOX", "From: Zoe Lindqvist <zoe@x.example>", "From: Shop <news@shop.example>\nList-Unsubscribe: <https://x.example>",
        "From: no-reply@bank.example", "From: R <r@x.example>\nAuto-Submitted: auto-replied", "From: L <l@x.example>\nPrecedence: list",
        "Return-Path: <>\nFrom: Mail <m@x.example>", f"From: {me}",
    )  # fmt: skip
    put(me, "INBOX", "From: Spam <spam@x.example>", flags=(b"$Junk",))
    put(me, "Junk", "From: Bad <bad@x.example>")
    Visitor(app, me).sign_in()
    assert work() == 1
    assert rows(Correspondent, me) == {
        "kari@fjord.example": ("Kari Nordmann", 3),
        "a@x.example": ("", 1),
        "b@x.example": ("B", 1),
    }
    assert rows(Acquaintance, me) == {"zoe@x.example": ("Zoe Lindqvist", 1)}
    with db.connection_context():
        assert has_written(user_of(me), "kari@fjord.example")
        assert not has_written(user_of(me), "zoe@x.example")


def test_who_pretends_to_be_a_colleague_is_not_learned(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int]
) -> None:
    me, head = make_account("kim"), make_account("head")
    with db.connection_context():
        AllowedName.create(user=user_of(head), name="Odile Vasseur-Ferrand")
    put(me, "INBOX", "From: Odile Vasseur-Ferrand <odile@evil.example>", "From: Paul Vrai <paul@x.example>")
    put(me, "Sent", f"From: {me}\nTo: Odile Vasseur-Ferrand <ov@x.example>")
    Visitor(app, me).sign_in()
    work()
    assert rows(Acquaintance, me) == {"paul@x.example": ("Paul Vrai", 1)}
    assert rows(Correspondent, me) == {"ov@x.example": ("", 1)}  # written to, but not under that name


def test_of_a_header_too_long_to_be_read_no_half_address_is_learned(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int]
) -> None:
    me = make_account("kim")
    many = [f"person{number}@a-rather-long-name-of-a-school-of-the-city-{number}.example" for number in range(400)]
    to = ",\n ".join(many)
    put(
        me,
        "Sent",
        *[f"{pad}From: {me}\nTo: {to}" for pad in ("", f"Bcc: {'x' * 20}@x.example\n", f"Bcc: {'x' * 40}@x.example\n")],
    )
    put(me, "INBOX", f"To: {to}\nFrom: a@x.example")
    Visitor(app, me).sign_in()
    work()
    learned = rows(Correspondent, me)
    assert len(learned) > 100 and {one for one in learned if not one.startswith("xx")} <= set(many)
    assert rows(Acquaintance, me) == {}


def test_names_with_anything_in_them_are_learned(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int]
) -> None:
    me = make_account("kim")
    put(
        me, "INBOX", "From: =?utf-8?q?A=00B?= <nul@x.example>", "From: =?utf-8?q?=ED=A0=80?= <half@x.example>",
        "From: =?utf-7?q?+2AA-?= <seven@x.example>", "From: =?utf-16?b?2AA=?= <sixteen@x.example>", f"From: {'é' * 3000} <long@x.example>",
        "From: =?utf-8?q?=F0=9F=98=80?= <smile@x.example>", f"From: {'a' * 3000}@x.example", "From: a\x01b@x.example",
        "From: =?raw-unicode-escape?q?=5Cud800?= <raw@x.example>", "From: =?unicode-escape?q?=5Cx00=5Cud800?= <esc@x.example>",
    )  # fmt: skip
    Visitor(app, me).sign_in()
    work()
    [task] = tasks(me)
    assert task.state == TaskState.DONE
    assert {"nul@x.example", "half@x.example", "seven@x.example", "long@x.example"} <= rows(Acquaintance, me).keys()


def test_what_others_wrote_in_sent_makes_nobody_trusted(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int]
) -> None:
    me = make_account("kim")
    put(me, "Sent", "From: old.me@former.example\nTo: Ann Lindqvist <ann@x.example>")
    Visitor(app, me).sign_in()
    work()
    assert (rows(Correspondent, me), rows(Acquaintance, me)) == ({}, {"ann@x.example": ("Ann Lindqvist", 1)})


def test_mail_received_gives_no_trust_and_no_remote_images(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int], imap_of: Callable[[str], IMAPClient]
) -> None:
    me = make_account("kim")
    html = "Content-Type: text/html\n\n<img src='https://pictures.example/a.png'>Bonjour"
    put(me, "INBOX", f"From: Zoe Lindqvist <zoe@x.example>\nMessage-ID: <1@x>\n{html}")
    person = Visitor(app, me).sign_in()
    work()
    assert "zoe@x.example" in rows(Acquaintance, me)
    with db.connection_context():
        User.update(preferences='{"images": "known"}').where(User.address == me).execute()
    page = person.get(person.get("/mailbox/INBOX").all("[data-row] .s a")[0]["href"])
    assert "You have written to this address" not in page.text
    assert not page.all("iframe[src*='images=1']")


def test_learning_again_counts_nothing_twice_and_leaves_what_was_sent_here(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int]
) -> None:
    me = make_account("kim")
    put(me, "Sent", *[f"From: {me}\nTo: ann@x.example"] * 4)
    put(me, "INBOX", *["From: zoe@x.example"] * 2)
    person = Visitor(app, me).sign_in()
    work()
    with db.connection_context():
        Correspondent.create(user=user_of(me), address="bcc@x.example", count=7)
    page = person.submit(person.get("/contacts/people"), "form[action='/contacts/people/learn']")
    assert "in the background" in page.notices
    assert work() == 1
    assert rows(Correspondent, me) == {"ann@x.example": ("", 4), "bcc@x.example": ("", 7)}
    assert rows(Acquaintance, me) == {"zoe@x.example": ("", 2)}


def test_nobody_learns_from_somebody_elses_mail(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int]
) -> None:
    me, other = make_account("kim"), make_account("lee")
    put(other, "Sent", f"From: {other}\nTo: secret@x.example")
    Visitor(app, other).sign_in()
    person = Visitor(app, me).sign_in()
    work()
    assert rows(Correspondent, other) and rows(Correspondent, me) == {}
    assert "secret@x.example" not in person.get("/recipients?words=secret").text + person.get("/contacts/people").text


# --- when ------------------------------------------------------------------------------------------------------------


def test_two_sign_ins_at_once_begin_one_task_and_the_next_ones_none(
    app: Flask, make_account: Callable[..., str], work: Callable[[], int]
) -> None:
    me = make_account("kim")
    Visitor(app, me, password="wrong").submit(
        Visitor(app, me).get("/login"), "form[action='/login']", username=me, password="wrong"
    )
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _n: Visitor(app, me).sign_in(), range(4)))
    assert len(tasks(me)) == 1
    assert work() == 1
    Visitor(app, me).sign_in()
    assert [task.state for task in tasks(me)] == [TaskState.DONE]
    with db.connection_context():
        PeopleLearned.update(at=now() - timedelta(days=31)).where(PeopleLearned.user == user_of(me)).execute()
    Visitor(app, me).sign_in()
    assert len(tasks(me)) == 2


def test_without_a_worker_no_password_waits_for_one(app: Flask, make_account: Callable[..., str]) -> None:
    worker.gone()
    me = make_account("kim")
    Visitor(app, me).sign_in()
    assert tasks(me) == []


def test_a_killed_task_goes_on_with_the_folder_that_was_under_way(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = make_account("kim")
    put(me, "Sent", *[f"From: {me}\nTo: ann@x.example"] * 3)
    put(me, "INBOX", *["From: zoe@x.example"] * 2)
    Visitor(app, me).sign_in()
    read: list[str] = []
    whole = people_of.newest

    def dies(account: Any, mailbox: str, most: int) -> Any:
        read.append(mailbox)
        if mailbox == "INBOX" and read.count("INBOX") == 1:
            raise KeyboardInterrupt  # the process goes in the midst of it
        return whole(account, mailbox, most)

    monkeypatch.setattr(people_of, "newest", dies)
    with pytest.raises(KeyboardInterrupt):
        work()
    with db.connection_context():
        Task.update(lease=now() - timedelta(seconds=1)).where(Task.kind == mail_scan.NAME).execute()
    assert work_all(app) == 1
    assert read == ["Sent", "INBOX", "INBOX"]
    assert (rows(Correspondent, me), rows(Acquaintance, me)) == ({"ann@x.example": ("", 3)}, {"zoe@x.example": ("", 2)})


def test_three_thousand_sent_messages_take_few_round_trips(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    me = make_account("kim")
    put(
        me, "Sent", *[f"From: {me}\nTo: Person {n % 700} <p{n % 700}@x.example>, Kari <kari@fjord.example>" for n in range(3_000)]
    )
    put(me, "INBOX", *[f"From: Writer {n % 900} <w{n % 900}@y.example>" for n in range(2_500)])
    Visitor(app, me).sign_in()
    trips: list[int] = []
    run = Connection._run
    monkeypatch.setattr(Connection, "_run", lambda self, *given: trips.append(1) or run(self, *given))  # type: ignore[func-returns-value]
    assert work() == 1
    assert rows(Correspondent, me)["kari@fjord.example"] == ("Kari", 2_000)
    assert (len(rows(Correspondent, me)), len(rows(Acquaintance, me))) == (701, 900)
    assert len(trips) <= 22
    found = Visitor(app, me).sign_in().get("/recipients?words=kari")
    assert found.all("[role=option]")[0]["data-entry"] == "Kari <kari@fjord.example>"


def test_dates_are_those_of_the_messages(
    app: Flask, make_account: Callable[..., str], put: Fill, work: Callable[[], int]
) -> None:
    me = make_account("kim")
    put(me, "Sent", f"From: {me}\nTo: ann@x.example\nDate: Mon, 3 Mar 2025 10:00:00 +0100")
    Visitor(app, me).sign_in()
    work()
    with db.connection_context():
        [row] = Correspondent.select().where(Correspondent.user == user_of(me))
    assert row.last.replace(tzinfo=UTC) == datetime(2025, 3, 3, 9, tzinfo=UTC)
