"""Postfix as deploy/postfix.sh sets it up: who may send what as whom, and what it takes for whom."""

from __future__ import annotations

import grp
import json
import os
import shutil
import smtplib
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from imapclient.exceptions import IMAPClientError

from deploy.demo import accounts, postfix
from deploy.demo.services import Services
from tests.support.postgresql import fresh_database, server_url
from tests.support.rooms import room
from tests.support.servers import closed_port
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from tests.support.worker import jobs_of
from webmail import smtp
from webmail.account import Account, TokenIssuer
from webmail.admin.people import renaming
from webmail.admin.people.record import COMMAND
from webmail.auth import account_management, aliases
from webmail.database.connection import db
from webmail.doctor.mail_servers import arrived, forgery, round_trip
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult
from webmail.models import Outbox, User
from webmail.people import groups, policies
from webmail.people.policies import Policy

FAR = "ann@far.example"
FORM = "form.compose-form"
needs_the_door = pytest.mark.skipif(bool(postfix.door_missing()), reason=postfix.door_missing())
Connect = Callable[..., smtplib.SMTP]


def letter(sender: str, subject: str, body: str = "Bonjour,\r\n") -> bytes:
    return f"From: {sender}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x.example>\r\n\r\n{body}".encode()


def refused_sender(client: smtplib.SMTP, sender: str) -> tuple[int, bytes]:
    """What Postfix says to this envelope sender: at RCPT, where it has all there is to know."""
    client.mail(sender)
    reply = client.rcpt("bob@lycee.example")
    client.rset()
    return reply


# --- port 25: from the outside world ----------------------------------------------------------------------------------


def test_mail_from_outside_arrives_in_the_inbox(from_outside: Connect, make_account, imap_of, arrives) -> None:
    person = make_account()
    from_outside().sendmail(FAR, [person], letter(FAR, "from-outside"))
    client = imap_of(person)
    uid = arrives(client, ["SUBJECT", "from-outside"])
    headers = message_from_bytes(client.fetch([uid], ["BODY[HEADER]"])[uid][b"BODY[HEADER]"])
    assert headers["Return-Path"] == f"<{FAR}>"
    assert any("with ESMTP " in received for received in headers.get_all("Received"))


def test_an_unknown_recipient_is_refused_at_once_and_the_others_still_get_it(from_outside: Connect, make_account) -> None:
    client = from_outside()
    refused = client.sendmail(FAR, [make_account(), "nobody@lycee.example"], letter(FAR, "partly-known"))
    assert {address: reply[0] for address, reply in refused.items()} == {"nobody@lycee.example": 550}


def test_mail_to_a_room_is_refused_with_words(from_outside: Connect, services: Services) -> None:
    with accounts.tables(services.database):
        wanted = room(f"Salle {time.time_ns()}")
    client = from_outside()
    client.mail(FAR)
    code, text = client.rcpt(wanted.address.upper())
    assert code == 550 and b"This is a room" in text


def test_somebody_who_was_unknown_a_moment_ago_gets_mail(from_outside: Connect, services: Services) -> None:
    client = from_outside()
    client.mail(FAR)
    assert client.rcpt("newcomer@lycee.example")[0] == 550
    services.add_account("newcomer@lycee.example")
    assert client.rcpt("newcomer@lycee.example")[0] == 250


def test_an_address_in_capitals_and_one_with_a_detail_are_the_same_person(
    from_outside: Connect, make_account, imap_of, arrives
) -> None:
    person = make_account()
    capitals, detail = person.upper(), person.replace("@", "+shop@")
    from_outside().sendmail(FAR, [capitals], letter(FAR, "capitals"))
    from_outside().sendmail(FAR, [detail], letter(FAR, "detail"))
    assert arrives(imap_of(person), ["SUBJECT", "capitals"]) and arrives(imap_of(person), ["SUBJECT", "detail"])


def test_nobody_relays_through_port_25(from_outside: Connect, submitting: Connect) -> None:
    for sender in (FAR, "alice@lycee.example"):
        client = from_outside()
        client.mail(sender)
        code, words = client.rcpt("jean@ailleurs.example")
        assert (code, b"Relay access denied" in words) == (554, True), words


def test_port_25_takes_no_passwords(from_outside: Connect) -> None:
    client = from_outside()
    client.ehlo()
    assert not client.has_extn("auth") and client.has_extn("starttls")


def test_a_mailbox_without_room_is_refused_before_the_message_is_sent(
    from_outside: Connect, submitting: Connect, make_account, imap_of
) -> None:
    person = make_account(quota=20_000)
    imap_of(person).append("INBOX", letter(FAR, "filling", "x" * 15_000))
    for client in (from_outside(), submitting("alice@lycee.example")):
        client.ehlo()
        client.mail("alice@lycee.example", ["SIZE=10000"])
        code, words = client.rcpt(person)
        assert (code, b"5.2.2" in words) == (552, True), words
        assert client.rcpt("bob@lycee.example")[0] == 250


def test_what_turns_out_too_large_for_a_mailbox_comes_back_as_a_report(
    submitting: Connect, make_account, imap_of, arrives
) -> None:
    writer, person = make_account(), make_account(quota=5_000)
    client = submitting(writer)
    client.mail(writer)  # without its size
    client.rcpt(person)
    client.data(letter(writer, "too-much", "z" * 70 + "\r\n" + ("z" * 70 + "\r\n") * 100))
    box = imap_of(writer)
    uid = arrives(box, ["SUBJECT", "Undelivered"])
    report = message_from_bytes(box.fetch([uid], ["BODY[]"])[uid][b"BODY[]"])
    assert report.get_content_type() == "multipart/report" and "5.2.2" in report.get_payload(1).as_string()


def test_an_address_with_accents_is_taken_from_one_who_says_smtputf8(
    from_outside: Connect, make_account, imap_of, arrives
) -> None:
    person = make_account()
    client = from_outside()
    client.ehlo()
    client.command_encoding = "utf-8"
    assert client.mail("renée@éloigné.example", ["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
    assert client.rcpt(person)[0] == 250
    assert client.data(letter("Renée <renée@éloigné.example>", "accents"))[0] == 250
    box = imap_of(person)
    uid = arrives(box, ["SUBJECT", "accents"])
    assert "renée@éloigné.example".encode() in box.fetch([uid], ["BODY[HEADER]"])[uid][b"BODY[HEADER]"]


def test_what_dovecot_sends_by_itself_leaves(submitting: Connect, from_outside: Connect, services: Services, outside) -> None:
    """Forwarding and vacation replies come from this machine, without signing in."""
    from_outside("127.0.0.1").sendmail("alice@lycee.example", ["jean@ailleurs.example"], letter(FAR, "redirected"))
    assert eventually(lambda: any(b"Subject: redirected" in file.read_bytes() for file in outside.glob("*.eml")))


# --- ports 465 and 587: signed in -------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("token", [True, False], ids=["token", "password"])
def test_people_send_by_either_port_with_token_or_password(
    account_of: Callable[..., Account], make_account, imap_of, arrives, security: str, token: bool
) -> None:
    writer, reader = make_account(), make_account()
    account = account_of(writer, token=token, security=security)
    assert smtp.send(account, writer, [reader], letter(writer, "submitted"), before_final_dot=lambda: None) == {}
    client = imap_of(reader)
    uid = arrives(client, ["SUBJECT", "submitted"])
    headers = message_from_bytes(client.fetch([uid], ["BODY[HEADER]"])[uid][b"BODY[HEADER]"])
    assert "with ESMTPSA" in "".join(headers.get_all("Received"))


@pytest.mark.parametrize("starttls", [False, True], ids=["465", "587"])
def test_nobody_submits_without_signing_in(submitting: Connect, starttls: bool) -> None:
    client = submitting(starttls=starttls)
    for sender in ("alice@lycee.example", FAR, ""):
        code, words = refused_sender(client, sender)
        assert (code, b"Access denied" in words) == (554, True), words


def test_a_password_in_clear_text_is_neither_asked_for_nor_taken(services: Services) -> None:
    with smtplib.SMTP("127.0.0.1", services.ports.submission, timeout=20) as client:
        client.ehlo()
        assert client.has_extn("starttls") and not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AGFsaWNlAGRlbW8=")[0] >= 500
        assert client.docmd("MAIL FROM:<alice@lycee.example>")[0] == 530


@pytest.mark.parametrize("starttls", [False, True], ids=["465", "587"])
def test_a_wrong_password_is_refused(submitting: Connect, starttls: bool) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        submitting("alice@lycee.example", password="wrong", starttls=starttls)
    assert refused.value.smtp_code == 535


def test_a_token_for_somebody_else_is_refused(submitting: Connect, issuer: TokenIssuer) -> None:
    words = iter([f"n,a=bob@lycee.example,\1auth=Bearer {issuer.token('alice@lycee.example')}\1\1", "\1"])
    with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
        submitting().auth("OAUTHBEARER", lambda challenge=None: next(words))
    assert refused.value.smtp_code == 535


@pytest.mark.parametrize("starttls", [False, True], ids=["465", "587"])
def test_nobody_is_the_envelope_sender_for_another(submitting: Connect, make_account, starttls: bool) -> None:
    client = submitting(make_account(), starttls=starttls)
    for other in ("bob@lycee.example", "BOB@LYCEE.EXAMPLE", "nobody@lycee.example", FAR):
        code, words = refused_sender(client, other)
        assert (code, b"not owned by user" in words) == (553, True), words


def test_the_null_sender_is_anybodys(submitting: Connect, make_account) -> None:
    """Confirmations of reading leave without a sender (RFC 8098 section 3)."""
    assert refused_sender(submitting(make_account()), "")[0] == 250


def test_an_address_that_is_allowed_is_taken_until_it_is_taken_back(submitting: Connect, make_account, app: Flask) -> None:
    person = make_account()
    client = submitting(person)
    run = app.test_cli_runner().invoke
    assert refused_sender(client, "direction@lycee.example")[0] == 553
    assert run(args=["accounts", "allow", person, "direction@lycee.example"]).exit_code == 0
    assert refused_sender(client, "Direction@lycee.example")[0] == 250
    assert refused_sender(submitting(make_account()), "direction@lycee.example")[0] == 553
    assert run(args=["accounts", "disallow", person, "direction@lycee.example"]).exit_code == 0
    assert refused_sender(client, "direction@lycee.example")[0] == 553


def test_somebody_suspended_sends_and_gets_no_more(submitting: Connect, from_outside: Connect, make_account, app: Flask) -> None:
    person = make_account()
    signed_in_before = submitting(person)
    assert app.test_cli_runner().invoke(args=["accounts", "disable", person]).exit_code == 0
    assert signed_in_before.mail(person)[0] == 421, "what is open ends with the account"

    def refused() -> bool:
        try:
            submitting(person)
        except smtplib.SMTPAuthenticationError:
            return True
        return False

    assert eventually(refused)
    client = from_outside()
    client.mail(FAR)
    assert client.rcpt(person)[0] == 550


def test_mail_goes_on_to_and_from_a_former_address(
    from_outside: Connect, submitting: Connect, make_account, imap_of, arrives, app: Flask
) -> None:
    before = make_account("formerly")
    with app.app_context(), db.connection_context():
        renaming.rename(User.get(User.address == before), f"now-{before.partition('@')[0]}", COMMAND, app.extensions["settings"])
    time.sleep(1)  # connections of the second in which credentials ended are ended too
    after = f"now-{before}"
    for number, address in enumerate((before, after)):
        from_outside().sendmail("ann@world.test", [address], f"From: ann@world.test\r\nSubject: to-{number}\r\n\r\nx\r\n")
        assert arrives(imap_of(after), ["SUBJECT", f"to-{number}"])
    for login in (before, after):
        for author in (before, after):
            assert submitting(login).sendmail(author, [after], f"From: {author}\r\nSubject: x\r\n\r\nx\r\n") == {}
    other = make_account("other")
    client = submitting(other)
    client.mail(before)
    assert client.rcpt(after)[0] == 553


def test_a_colleague_who_does_not_exist_is_refused_while_one_writes(submitting: Connect, make_account) -> None:
    client = submitting(writer := make_account())
    client.mail(writer)
    assert client.rcpt("nobody@lycee.example")[0] == 550


def test_mail_for_elsewhere_reaches_the_outside_world(submitting: Connect, make_account, outside: Path) -> None:
    writer = make_account()
    submitting(writer).sendmail(writer, ["jean@ailleurs.example"], letter(writer, "far-away"))

    def envelopes() -> list[dict[str, Any]]:
        found = (json.loads(file.read_text()) for file in outside.glob("*.json"))
        return [one for one in found if one["sender"] == writer]

    assert [one["recipient"] for one in eventually(envelopes)] == ["jean@ailleurs.example"]


# --- the webmail in front of it ---------------------------------------------------------------------------------------


def test_alice_writes_and_bob_reads(app: Flask, make_account, arrives, imap_of) -> None:
    alice, bob = Visitor(app, make_account("alice")).sign_in(), Visitor(app, make_account("bob")).sign_in()
    alice.submit(alice.get("/compose"), FORM, action="send", to=bob.address, subject="Été", body="Bonjour Bob.\n.\nœuf")
    row = Outbox.get(Outbox.sender == alice.address)
    jobs_of(app).deliver(row.id)
    assert "Été" in alice.get("/mailbox/Sent").rows
    arrives(imap_of(bob.address), ["SUBJECT", "Été"])
    inbox = bob.get("/mailbox/INBOX", reload=True)
    assert inbox.rows == ["Été"]
    page = bob.get(inbox.link("Été"))
    assert "Bonjour Bob." in page.text
    if not postfix.door_missing():
        assert page.one("[data-verdict]")["data-verdict"] == "proven"
        assert "Sign-in" in page.one(".trust dl").get_text()


def test_the_page_says_that_a_colleague_does_not_exist(app: Flask, make_account) -> None:
    alice = Visitor(app, make_account("alice")).sign_in()
    alice.submit(alice.get("/compose"), FORM, action="send", to="nobody@lycee.example", subject="lost", body="b")
    jobs_of(app).deliver(Outbox.get(Outbox.sender == alice.address).id)
    assert "nobody@lycee.example" in alice.get("/outbox").text


# --- the doctor's forgery ---------------------------------------------------------------------------------------------


def forged(app: Flask, services: Services, recipient: str, source: str, **changed: str) -> CheckResult:
    with app.app_context():
        [told] = forgery.examine(recipient, replace(app.extensions["settings"], **changed), services.ports.relay, source)
    return told


@needs_the_door
def test_the_doctor_says_that_a_forgery_from_outside_is_refused(app: Flask, services: Services, make_account) -> None:
    told = forged(app, services, make_account(), "127.0.0.2")
    assert (told.state, "nothing proves it" in told.words) == (OK, True), told.words


@needs_the_door
def test_the_doctor_says_that_one_from_the_server_itself_arrives_without_proof(
    app: Flask, services: Services, make_account
) -> None:
    told = forged(app, services, make_account(), "127.0.0.1")
    assert (told.state, told.words.startswith("arrived, without proof")) == (WARNING, True), told.words


@needs_the_door
def test_the_doctor_says_that_anybody_may_claim_what_nobody_removes(app: Flask, services: Services, make_account) -> None:
    """A name that the server does not write under."""
    told = forged(app, services, make_account(), "127.0.0.1", authserv_id="elsewhere.example")
    assert (told.state, "anyone can send messages in your name" in told.words) == (PROBLEM, True), told.words


# --- the doctor's round trip ------------------------------------------------------------------------------------------


def test_the_doctor_sends_itself_a_message_on_each_way_and_takes_it_away(
    app: Flask, services: Services, make_account, imap_of
) -> None:
    address = make_account()
    with app.app_context():
        told = list(round_trip.examine(address, app.extensions["settings"], services.ports.relay, "127.0.0.2"))
    assert [check.state for check in told] == [OK, OK], told
    assert [check.words.split(":")[0] for check in told] == ["by submission", f"by port {services.ports.relay}"]
    client = imap_of(address)
    for mailbox in ("INBOX", "Junk"):
        assert client.select_folder(mailbox)[b"EXISTS"] == 0


def test_the_doctor_says_which_way_is_shut(app: Flask, make_account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrived, "wait_for", lambda *_words, **_more: None)
    with app.app_context():
        lost, away = round_trip.examine(make_account(), app.extensions["settings"], closed_port())
    assert (lost.state, "not in the mailbox within 30 s" in lost.words) == (PROBLEM, True)
    assert (away.state, "connection refused" in away.words) == (WARNING, True)


# --- the script itself ------------------------------------------------------------------------------------------------


def test_the_script_turns_debians_configuration_into_one_that_postfix_accepts(services: Services, tmp_path: Path) -> None:
    """With its usual values, twice: the second run leaves what the first one wrote."""
    folder = tmp_path / "etc"
    folder.mkdir()
    shutil.copy("/usr/share/postfix/main.cf.debian", folder / "main.cf")
    shutil.copy(postfix.MASTER, folder / "master.cf")
    accounts = tmp_path / "traboule.sqlite"
    accounts.touch()
    os.chown(accounts, -1, grp.getgrnam("postfix").gr_gid)

    def run(*words: str | Path) -> str:
        environment = {**postfix.ENVIRONMENT, "MAIL_CONFIG": str(folder)}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    run("/bin/sh", postfix.SCRIPT, "lycee.example college.example", accounts)
    first = [run("postconf", option) for option in ("-n", "-M", "-P")]
    run("/bin/sh", postfix.SCRIPT, "lycee.example college.example", accounts)
    assert [run("postconf", option) for option in ("-n", "-M", "-P")] == first
    assert "virtual_mailbox_domains = lycee.example college.example" in first[0]
    assert [line.split()[0] for line in first[1].splitlines()][-2:] == ["submissions", "submission"]
    assert f"proxy:sqlite:{folder}/traboule-senders.cf" in first[0]
    for name in ("people", "senders"):
        assert (folder / f"traboule-{name}.cf").stat().st_mode & 0o777 == 0o640


# --- the accounts in PostgreSQL ---------------------------------------------------------------------------------------


def test_accounts_in_postgresql_say_who_there_is_and_who_may_write_as_whom(tmp_path: Path) -> None:
    if why := postfix.missing("pgsql"):
        pytest.skip(why)
    if not server_url():
        pytest.skip("no PostgreSQL server: the package postgresql is not installed")
    base = tmp_path / "demo"
    with fresh_database() as url, Services(base, web=False, jobs=False, database_url=url, postfix=True) as services:
        with closing(smtplib.SMTP("127.0.0.1", services.ports.relay, source_address=("127.0.0.2", 0), timeout=20)) as client:
            client.ehlo("far.example")
            client.mail(FAR)
            assert client.rcpt("Alice@lycee.example")[0] == 250
            assert client.rcpt("nobody@lycee.example")[0] == 550
        with closing(smtplib.SMTP("127.0.0.1", services.ports.submission, timeout=20)) as client:
            client.starttls()
            client.login("alice@lycee.example", services.password)
            assert refused_sender(client, "bob@lycee.example")[0] == 553
            assert refused_sender(client, "alice@lycee.example")[0] == 250
    shutil.rmtree(base.resolve())


# --- aliases ----------------------------------------------------------------------------------------------------------


def test_mail_to_an_alias_and_to_whoever_nobody_is_reaches_their_account(
    from_outside: Connect, submitting: Connect, services: Services, make_account, imap_of, arrives
) -> None:
    person, other = make_account(), make_account()
    domain = f"d{time.time_ns()}.example"
    with accounts.tables(services.database):
        user = User.get(User.address == person)
        aliases.add(user, f"alias-{person}")
    from_outside().sendmail(FAR, [f"ALIAS-{person}", f"alias-{person}".replace("@", "+x@")], letter(FAR, f"alias-{domain}"))
    submitting("alice@lycee.example").sendmail(
        "alice@lycee.example", [f"alias-{person}"], letter("alice@lycee.example", f"own-{domain}")
    )
    client = imap_of(person)
    assert arrives(client, ["SUBJECT", f"alias-{domain}"]) and arrives(client, ["SUBJECT", f"own-{domain}"])
    with accounts.tables(services.database):
        aliases.add(user, "@lycee.example")
        closed = User.get(User.address == make_account())
        closed.active = 0
        closed.save()
    try:
        from_outside().sendmail(FAR, ["who-is-this@lycee.example"], letter(FAR, f"caught-{domain}"))
        from_outside().sendmail(FAR, [other], letter(FAR, f"not-caught-{domain}"))
        assert arrives(client, ["SUBJECT", f"caught-{domain}"]) and arrives(imap_of(other), ["SUBJECT", f"not-caught-{domain}"])
        assert not client.search(["SUBJECT", f"not-caught-{domain}"])
        outside = from_outside()
        outside.mail(FAR)
        assert outside.rcpt(closed.address)[0] == 550
    finally:
        with accounts.tables(services.database):
            aliases.remove(user, "@lycee.example")


def test_who_was_renamed_signs_in_and_sends_by_the_former_address(
    submitting: Connect, services: Services, make_account, imap_of, arrives
) -> None:
    person = make_account()
    with accounts.tables(services.database):
        user = User.get(User.address == person)
        aliases.add(user, f"former-{person}", former=True)
        aliases.add(user, f"other-{person}")
        account_management.allow(user, address=f"former-{person}")
    submitting(f"former-{person}").sendmail(f"former-{person}", [person], letter(f"former-{person}", "formerly-me"))
    assert arrives(imap_of(f"former-{person}"), ["SUBJECT", "formerly-me"])
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submitting(f"other-{person}")


# --- policies ---------------------------------------------------------------------------------------------------------


def test_a_group_gives_its_people_so_many_messages_and_no_more(
    from_outside: Connect, services: Services, make_account, imap_of, arrives
) -> None:
    person = make_account()
    with accounts.tables(services.database):
        user = User.get(User.address == person)
        small = groups.create("lycee.example", f"Small {time.time_ns()}")
        policies.set_group(small, Policy(quota_messages=2, quota_bytes=2 * 1024**3))
        groups.add(small, [user])
    client = imap_of(person)
    for number in range(2):
        client.append("INBOX", letter(FAR, f"one-of-two-{number}"))
    assert {(one.resource, one.limit) for one in client.get_quota()} == {("STORAGE", 2 * 1024**2), ("MESSAGE", 2)}
    with pytest.raises(IMAPClientError, match="Quota"):
        client.append("INBOX", letter(FAR, "the third"))

    def answer() -> int:
        outside = from_outside()
        outside.mail(FAR)
        return outside.rcpt(person)[0]

    assert answer() == 552
    with accounts.tables(services.database):
        groups.remove(small, [user])
    eventually(lambda: answer() == 250)
