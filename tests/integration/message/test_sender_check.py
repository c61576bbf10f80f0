"""Who really sent a message: the line above it, as visits without scripts on a real Dovecot."""

from __future__ import annotations

import time

from tests.support.compose_form import write
from tests.support.strangers import OURS, line, message, warnings
from webmail.database.connection import db
from webmail.models import Correspondent, Outbox, User

BOB = f"bob@{OURS}"
PROVEN = f"{OURS}; auth=pass (login) smtp.auth={BOB} smtp.mailfrom={BOB} header.from={BOB}"
FROM_OUTSIDE = "from evil (x [198.51.100.9]) by mx with ESMTP id 1; Tue, 24 Nov 2026 14:02:00 +0100"
FROM_SIGNED_IN = "from phone (x [198.51.100.9]) by mx with ESMTPSA id 1; Tue, 24 Nov 2026 14:02:00 +0100"


def test_a_colleague_who_signed_in_is_proven(opened):
    page = opened(message(f"Bob Girard <{BOB}>", Authentication_Results=PROVEN))
    assert line(page) == "inside your organisation · verified"
    assert "✓" in page.one(".letterhead .who").get_text() and "Sender verified" in page.one(".letterhead .who").get_text()
    assert page.one("[data-verdict]")["data-verdict"] == "proven"
    assert warnings(page) == []
    assert not page.all(".trust form")


def test_a_colleague_s_address_alone_proves_nothing(opened):
    page = opened(message(f"Bob Girard <{BOB}>"))
    assert line(page) == "inside your organisation · not verified"
    assert "✓" not in page.one(".trust").get_text()
    assert page.one("[data-verdict]")["data-verdict"] == "unverified"
    assert warnings(page) == []


def test_our_own_address_from_outside_is_a_danger(opened):
    page = opened(message(f"Bob Girard <{BOB}>", Received=FROM_OUTSIDE, Authentication_Results=PROVEN))
    assert page.one("[data-verdict]")["data-verdict"] == "danger"
    assert "claims to come from" in warnings(page)[0]
    assert "could not confirm it" in warnings(page)[0]
    page = opened(message(f"Bob Girard <{BOB}>", Received=FROM_SIGNED_IN))  # from before the server told who signed in
    assert page.one("[data-verdict]")["data-verdict"] == "unverified"


def test_who_writes_as_a_colleague_after_signing_in_is_named(opened):
    borrowed = PROVEN.replace(f"smtp.auth={BOB}", f"smtp.auth=mallory@{OURS}")
    page = opened(message(f"Bob Girard <{BOB}>", Authentication_Results=borrowed))
    assert page.one("[data-verdict]")["data-verdict"] == "danger"
    assert warnings(page) == [f"This was sent from the account mallory@{OURS}, not by {BOB}."]


def test_nobody_is_said_to_write_for_the_first_time_as_long_as_not_all_folders_are_known(opened):
    assert line(opened(message())) == "outside your organisation"
    assert "first message" not in line(opened(message()))


def test_somebody_one_wrote_to_is_no_stranger(opened, alice):
    with db.connection_context():
        Correspondent.create(user=User.get(User.address == alice.address), address="ann@far.example", name="Ann")
    page = opened(message("Ann <Ann@Far.example>"))
    assert "you have written to this address" in line(page)


def test_who_was_sent_to_is_known_from_then_on(alice, opened, deliver):
    write(alice, to="Ann <ann@far.example>", subject="s", body="b", action="send-anyway")
    with db.connection_context():
        Outbox.update(due=Outbox.created).execute()
    deliver()
    assert "you have written to this address" in line(opened(message()))


def test_the_checks_of_our_server_are_told_in_words(opened):
    passed = f"{OURS}; spf=pass smtp.mailfrom=far.example; dkim=pass header.d=far.example; dmarc=pass header.from=far.example"
    page = opened(message(Authentication_Results=passed))
    assert "verified" in line(page)
    assert "DKIM" in page.one(".trust dl").get_text()
    page = opened(message(Authentication_Results=f"{OURS}; dmarc=fail header.from=far.example"))
    assert "check failed" in line(page)
    assert warnings(page)[0].startswith("Your mail server’s checks show")


def test_the_checks_of_others_are_nothing(opened):
    page = opened(message(Authentication_Results="evil.example; dmarc=pass header.from=far.example"))
    assert "verified" not in line(page)
    assert "reported no check" in page.one(".trust dl").get_text()


def test_a_phishing_message_says_all_that_is_wrong_with_it(opened):
    text = "Urgent : confirmez votre mot de passe avant 24 heures."
    page = opened(message("Support <support@lycee.exarnple>", text, Reply_To="x@evil.example", subject="Votre compte"))
    told = " ".join(warnings(page))
    assert "is asking for a password" in told
    assert "A reply would go to x@evil.example" in told
    assert page.one(".trust .verdict").get_text(strip=True).endswith("This message may be fraudulent")
    assert "btn-primary" in page.one(".trust form .btn")["class"]  # the way out is the first thing
    assert not page.all(".answers .btn-primary")
    text = page.one("article").get_text()
    assert (
        text.index("support@lycee.exarnple")
        < text.index("may be fraudulent")
        < text.index("Report phishing")
        < text.rindex("Reply")
    )


def test_an_ordinary_message_has_no_words_about_its_sender_in_sight(opened):
    page = opened(message("Ann <ann@far.example>"))
    assert page.one("[data-verdict]")["data-verdict"] == "unverified"
    seen = page.one(".trust")
    assert seen.get_text().count("ann@far.example") == 1  # the address stands there once
    assert not page.all(".warning") and "✓" not in seen.get_text()
    seen.details.decompose()
    assert "outside" not in seen.get_text()


def test_a_stranger_who_is_proven_gets_no_tick(opened):
    passed = f"{OURS}; dkim=pass header.d=far.example; dmarc=pass header.from=far.example"
    page = opened(message(Authentication_Results=passed))
    assert page.one("[data-verdict]")["data-verdict"] == "proven"
    assert "✓" not in page.one(".trust").get_text()


def test_caution_is_quieter_than_danger(opened):
    page = opened(message("Shop <a@shop.example>", Reply_To="b@other.example"))
    assert page.one("[data-verdict]")["data-verdict"] == "caution"
    assert page.one(".trust .verdict").get_text(strip=True).endswith("Be careful with this message")
    assert "btn-primary" not in page.one(".trust form .btn")["class"]
    assert page.all(".answers .btn-primary")


def test_the_letterhead_says_in_a_few_names_whom_a_message_went_to(opened, alice):
    many = ", ".join(["Carl <carl@x.example>", alice.address, "Dora <dora@x.example>", "e@x.example"])
    page = opened(message(Cc=many))
    summary = " ".join(page.one(".letterhead summary").get_text(" ", strip=True).split())
    assert summary == "to me , alice@lycee.example and 3 others · Details"


def test_a_colleague_s_name_with_another_address_is_told(opened, checking_app, alice):
    with db.connection_context():
        User.update(name="Alice Leroy").where(User.address == alice.address).execute()
    assert "The name is that of Alice Leroy" in " ".join(warnings(opened(message("Leroy Alicé <a@far.example>"))))


def test_hostile_headers_still_give_a_page_quickly(opened):
    many = b"".join(b"Authentication-Results: lycee.example; dmarc=pass " + b"(" * 9_000 + b"\r\n" for _ in range(100))
    long = b"Authentication-Results: lycee.example; " + b"dkim=pass;\r\n " * 80_000 + b"\r\n"
    for head in (many, long, b"Received: x\r\n" * 5000 + many):
        began = time.process_time()
        page = opened(head + message())
        assert "outside your organisation" in line(page)
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
