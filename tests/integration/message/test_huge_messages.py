"""Messages made to be too much: rows and pages stay small, and say what they leave out."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.message import EmailMessage

from tests.support.messages import message
from tests.support.visits import Visitor
from webmail import imap
from webmail.account import Account

Fill = Callable[..., list[int]]
SENTENCE = "The rest is not shown"


def crowd(header: str, subject: str) -> bytes:
    people = ",\r\n ".join(f"person {number} <p{number}@example.org>" for number in range(30_000))
    fields = {"From": "ann@example.org", "To": "bob@example.org", header: people}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, f"Subject: {subject}", "Date: Mon, 02 Nov 2026 10:00:00 +0000", "", "text"]).encode()


def test_a_crowd_in_from_or_to_hides_neither_subject_nor_date_and_is_not_fetched(
    person: Visitor, fill: Fill, account_of: Callable[..., Account]
) -> None:
    fill(person, message("Before"), crowd("To", "Many to"), crowd("From", "Many from"), message("After"))
    with imap.connect(account_of(person.address), "INBOX") as connection:
        read: list[int] = []
        file = connection.client._imap.file
        take, take_line = file.read, file.readline

        class Counting:
            def read(self, size: int) -> bytes:
                read.append(size)
                return take(size)

            def readline(self, limit: int = -1) -> bytes:
                return take_line(limit)

            def close(self) -> None:
                file.close()

        connection.client._imap.file = Counting()
        trips = connection.round_trips
        listing = imap.listing.page(connection, "INBOX")
        assert connection.round_trips - trips <= 3
        again = connection.round_trips
        imap.listing.page(connection, "INBOX")
        assert connection.round_trips - again == 1, "the rows are remembered"
        connection.client._imap.file = file
    assert [row.subject for row in listing.rows] == ["After", "Many from", "Many to", "Before"]
    many_from, many_to = listing.rows[1:3]
    assert many_from.sent and many_to.sent
    assert many_to.sender[0].email == "ann@example.org" and many_from.to[0].email == "bob@example.org"
    assert (len(many_from.sender), len(many_to.to)) == (20, 5) and many_to.to[0].name == "person 0"
    assert sum(read) < 100_000


def test_a_row_keeps_no_long_subject_and_no_long_name(person: Visitor, fill: Fill, account_of: Callable[..., Account]) -> None:
    long = b"x" * 3000
    fill(person, b"From: " + long + b" <a@example.org>\r\nTo: b@example.org\r\nSubject: " + long + b"\r\n\r\ntext")
    with imap.connect(account_of(person.address), "INBOX") as connection:
        row = imap.listing.page(connection, "INBOX").rows[0]
    assert len(row.subject) == len(row.sender[0].name) == 500
    assert row.sender[0].email == "a@example.org"


def many(kind: str, text: str, number: int = 20) -> EmailMessage:
    made = message("Many texts")
    made.make_mixed()
    made.set_payload([])
    for place in range(number):
        part = EmailMessage()
        part.set_content(f"part {place} {text}", subtype=kind, cte="7bit")
        made.attach(part)
    return made


def test_the_texts_of_a_message_together_are_bounded_and_the_page_says_so(person: Visitor, fill: Fill) -> None:
    fill(person, many("plain", ("words " * 10 + "\n") * 15_000))  # 900 KB each
    page = person.get(person.get("/mailbox/INBOX").link("Many texts"))
    assert len(page.text) < 2_500_000
    assert "part 0 words" in page.text and "part 2 words" in page.text and "part 3 words" not in page.text
    assert SENTENCE in page.text


def test_a_text_left_out_is_said_where_no_part_is_cut(person: Visitor, fill: Fill) -> None:
    fill(person, many("plain", ("words " * 10 + "\n") * 7_500))  # 450 KB each: every one that is there is whole, or nearly so
    page = person.get(person.get("/mailbox/INBOX").link("Many texts"))
    assert "part 4 words" in page.text and "part 5 words" not in page.text
    assert page.text.count(SENTENCE) == 1


def test_a_message_with_a_few_short_texts_is_whole(person: Visitor, fill: Fill) -> None:
    fill(person, many("plain", "short"))
    page = person.get(person.get("/mailbox/INBOX").link("Many texts"))
    assert "part 19 short" in page.text and SENTENCE not in page.text


def test_html_bodies_together_are_bounded_and_the_frame_says_so(
    person: Visitor, fill: Fill, account_of: Callable[..., Account]
) -> None:
    (uid,) = fill(person, many("html", ("<p>words</p>\n") * 60_000))  # 800 KB each
    with imap.connect(account_of(person.address), "INBOX") as connection:
        source, _, cut = imap.messages.html(connection, "INBOX", uid)
    assert len(source) <= 2_000_000 and cut
    page = person.get(person.get("/mailbox/INBOX").link("Many texts"))
    began = time.process_time()
    frame = person.get(page.one("iframe")["src"])
    assert time.process_time() - began < 20
    assert "part 0 " in frame.text and "part 3 " not in frame.text and SENTENCE in frame.text
    assert len(frame.text) < 3_000_000


def test_a_reply_to_many_texts_quotes_a_bounded_part(person: Visitor, fill: Fill) -> None:
    fill(person, many("plain", ("words " * 10 + "\n") * 15_000))
    page = person.get(person.get("/mailbox/INBOX").link("Many texts"))
    assert len(person.get(page.link("Reply")).text) < 3_000_000
