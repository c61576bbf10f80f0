"""Who really sent a message: the line above it, as visits without scripts on a real Dovecot."""

from __future__ import annotations

import time

from tests.support.compose_form import write
from tests.support.strangers import OURS, line, message, warnings
from webmail.database.connection import db
from webmail.models import Correspondent, Outbox, User


def test_mail_from_inside_is_said_calmly(opened):
    page = opened(message(f"Bob Girard <bob@{OURS}>"))
    assert line(page) == f"✓ bob@{OURS} · inside your establishment"
    assert warnings(page) == []
    assert not page.all(".trust form")


def test_a_stranger_s_first_message_is_the_first_and_the_second_is_not(opened):
    assert "first message from this address" in line(opened(message()))
    assert "first message" not in line(opened(message()))
    assert "outside your establishment" in line(opened(message()))


def test_somebody_one_wrote_to_is_no_stranger(opened, alice):
    with db.connection_context():
        Correspondent.create(user=User.get(User.address == alice.address), address="ann@far.example", name="Ann")
    page = opened(message("Ann <Ann@Far.example>"))
    assert "you have written to this address" in line(page)
    assert "first message" not in line(page)


def test_who_was_sent_to_is_known_from_then_on(alice, opened, deliver):
    write(alice, to="Ann <ann@far.example>", subject="s", body="b", action="send-anyway")
    with db.connection_context():
        Outbox.update(due=Outbox.created).execute()
    deliver()
    assert "you have written to this address" in line(opened(message()))


def test_the_checks_of_our_server_are_told_in_words(opened):
    passed = f"{OURS}; spf=pass smtp.mailfrom=far.example; dkim=pass header.d=far.example; dmarc=pass header.from=far.example"
    page = opened(message(Authentication_Results=passed))
    assert "genuine" in line(page)
    assert "DKIM" in page.one(".trust dl").get_text()
    page = opened(message(Authentication_Results=f"{OURS}; dmarc=fail header.from=far.example"))
    assert "check failed" in line(page)
    assert warnings(page)[0].startswith("Danger: the checks of your mail server say")


def test_the_checks_of_others_are_nothing(opened):
    page = opened(message(Authentication_Results="evil.example; dmarc=pass header.from=far.example"))
    assert "genuine" not in line(page)
    assert "reported no check" in page.one(".trust dl").get_text()


def test_a_phishing_message_says_all_that_is_wrong_with_it(opened):
    text = "Urgent : confirmez votre mot de passe avant 24 heures."
    page = opened(message("Support <support@lycee.exarnple>", text, Reply_To="x@evil.example", subject="Votre compte"))
    told = " ".join(warnings(page))
    assert "asks for a password" in told
    assert "an answer would go to x@evil.example" in told
    assert warnings(page)[0].startswith("Danger:")


def test_a_colleague_s_name_with_another_address_is_told(opened, checking_app, alice):
    with db.connection_context():
        User.update(name="Alice Leroy").where(User.address == alice.address).execute()
    assert "this is the name of Alice Leroy" in " ".join(warnings(opened(message("Leroy Alicé <a@far.example>"))))


def test_hostile_headers_still_give_a_page_quickly(opened):
    many = b"".join(b"Authentication-Results: lycee.example; dmarc=pass " + b"(" * 9_000 + b"\r\n" for _ in range(100))
    long = b"Authentication-Results: lycee.example; " + b"dkim=pass;\r\n " * 80_000 + b"\r\n"
    for head in (many, long, b"Received: x\r\n" * 5000 + many):
        began = time.process_time()
        page = opened(head + message())
        assert "ann@far.example" in line(page)
        assert time.process_time() - began < 3


def test_odd_senders_still_give_a_page(opened):
    for sender in (
        b"",
        b"From: \r\n",
        b"From: a\r\n",
        b"From: <>\r\n",
        b'From: "@"@"\r\n',
        b"From: x@\xff\xfe\r\n",
        b"From: a@b, c@d\r\n",
    ):
        page = opened(sender + b"Subject: x\r\n\r\ntext\r\n")
        assert page.all(".trust")
