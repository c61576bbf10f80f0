"""The servers that the demo and the tests run on: delivery, refusals, sign-in by token, Sieve, quota, and the data's life."""

from __future__ import annotations

import json
import smtplib
import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email import message_from_bytes
from pathlib import Path

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from deploy.demo.services import Services
from deploy.dovecot import render
from tests.support.waiting import eventually
from webmail.account import TokenIssuer

ALICE, BOB = "alice@lycee.example", "bob@lycee.example"


@pytest.fixture
def submission(services):
    """A connection on which alice has signed in."""
    with smtplib.SMTP("127.0.0.1", services.ports.smtp, timeout=10) as smtp:
        smtp.login(ALICE, services.password)
        yield smtp


def letter(subject: str, body: str = "Bonjour,\r\n") -> bytes:
    return f"From: {ALICE}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@lycee.example>\r\n\r\n{body}".encode()


def bearer(address: str, token: str) -> str:
    return f"n,a={address},\x01auth=Bearer {token}\x01\x01"


# --- delivery ---------------------------------------------------------------------------------------------------------


def test_a_message_reaches_the_inbox_of_a_colleague(submission, imap_of, make_account, arrives):
    colleague = make_account()
    submission.sendmail(ALICE, [colleague], letter("conseil"))
    client = imap_of(colleague)
    uid = arrives(client, ["SUBJECT", "conseil"])
    headers = message_from_bytes(client.fetch([uid], ["BODY[HEADER]"])[uid][b"BODY[HEADER]"])
    assert headers["Return-Path"] == f"<{ALICE}>"
    assert any("with ESMTPA" in received for received in headers.get_all("Received"))


def test_each_recipient_of_one_message_gets_it(submission, imap_of, make_account, arrives):
    people = [make_account() for _ in range(3)]
    submission.sendmail(ALICE, people, letter("to-three"))
    for person in people:
        assert arrives(imap_of(person), ["SUBJECT", "to-three"])


def test_mail_for_elsewhere_is_kept_with_its_envelope(submission, outside):
    submission.sendmail(ALICE, ["jean@ailleurs.example"], letter("dehors"))
    envelopes = {file: json.loads(file.read_text()) for file in outside.glob("*.json")}
    kept = [file for file, envelope in envelopes.items() if envelope["recipient"] == "jean@ailleurs.example"]
    assert [envelopes[file]["sender"] for file in kept] == [ALICE]
    assert message_from_bytes(kept[0].with_suffix(".eml").read_bytes())["Subject"] == "dehors"


def test_an_outsider_writes_in_through_the_relay(services, imap_of, make_account, arrives):
    person = make_account()
    with smtplib.SMTP("127.0.0.1", services.ports.relay, timeout=10) as world:
        world.sendmail("editeur@livres.example", [person], letter("catalogue"))
    assert arrives(imap_of(person), ["SUBJECT", "catalogue"])


def test_an_address_with_accents_elsewhere_is_kept(submission, outside):
    submission.ehlo()
    submission.sendmail(ALICE, ["hélène@ailleurs.example"], letter("accents"), mail_options=["SMTPUTF8"])
    assert any(json.loads(file.read_text())["recipient"] == "hélène@ailleurs.example" for file in outside.glob("*.json"))


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_sender_may_not_be_somebody_else(submission):
    with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
        submission.sendmail(BOB, ["jean@ailleurs.example"], letter("spoofed"))
    assert refusal.value.smtp_code == 553


def test_nobody_submits_without_signing_in(services):
    with smtplib.SMTP("127.0.0.1", services.ports.smtp, timeout=10) as smtp:
        with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
            smtp.sendmail(ALICE, [BOB], letter("unsigned"))
        assert refusal.value.smtp_code == 530


def test_a_wrong_password_opens_nothing(services):
    with (
        smtplib.SMTP("127.0.0.1", services.ports.smtp, timeout=10) as smtp,
        pytest.raises(smtplib.SMTPAuthenticationError) as refusal,
    ):
        smtp.login(ALICE, "wrong")
    assert refusal.value.smtp_code == 535


def test_an_unknown_person_is_refused_at_once_and_the_others_still_get_it(submission, imap_of, make_account, arrives):
    known = make_account()
    refused = submission.sendmail(ALICE, ["nobody@lycee.example", known], letter("half"))
    assert {address: code for address, (code, _) in refused.items()} == {"nobody@lycee.example": 550}
    assert arrives(imap_of(known), ["SUBJECT", "half"])


def test_a_full_mailbox_answers_552(submission, imap_of, make_account):
    person = make_account(quota=20_000)
    imap_of(person).append("INBOX", letter("filling", "x" * 70 + "\r\n") + (b"y" * 70 + b"\r\n") * 260)
    with pytest.raises(smtplib.SMTPDataError) as too_big:
        submission.sendmail(ALICE, [person], letter("too-much") + (b"z" * 70 + b"\r\n") * 100)
    assert too_big.value.smtp_code == 552


def test_when_one_of_two_mailboxes_is_full_the_sender_gets_a_report(submission, imap_of, make_account, arrives):
    full, fine = make_account(quota=5_000), make_account()
    submission.sendmail(ALICE, [full, fine], letter("partly") + (b"z" * 70 + b"\r\n") * 100)
    assert arrives(imap_of(fine), ["SUBJECT", "partly"])
    client = imap_of(ALICE)
    uid = arrives(client, ["SUBJECT", "Undelivered", "BODY", full])
    report = message_from_bytes(client.fetch([uid], ["BODY[]"])[uid][b"BODY[]"])
    assert report.get_content_type() == "multipart/report"
    assert "5.2.2" in report.get_payload(1).as_string()


# --- sign-in by token -------------------------------------------------------------------------------------------------


def test_imap_takes_a_token(services, issuer):
    client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False)
    client.oauthbearer_login(ALICE, issuer.token(ALICE))
    assert client.select_folder("INBOX")
    client.logout()


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_smtp_takes_a_token(services, issuer, mechanism):
    token = issuer.token(ALICE)
    credential = bearer(ALICE, token) if mechanism == "OAUTHBEARER" else f"user={ALICE}\x01auth=Bearer {token}\x01\x01"
    with smtplib.SMTP("127.0.0.1", services.ports.smtp, timeout=10) as smtp:
        smtp.ehlo()
        assert smtp.auth(mechanism, lambda challenge=None: credential)[0] == 235
        with pytest.raises(smtplib.SMTPSenderRefused):
            smtp.sendmail(BOB, ["jean@ailleurs.example"], letter("spoofed-by-token"))


def test_a_token_is_refused_when_old_or_forged_or_for_another_person(services, issuer):
    render.make_keys(services.base / "web" / "forged.pem", services.base / "web" / "forged", "traboule", "wm1")
    forger = TokenIssuer((services.base / "web" / "forged.pem").read_text(), issuer.issuer, issuer.client, issuer.key_id)
    stranger = TokenIssuer(issuer.key, "https://elsewhere.example", issuer.client, issuer.key_id)
    tokens = [issuer.token(ALICE, -100), forger.token(ALICE), stranger.token(ALICE), issuer.token(BOB)]
    for token in tokens:
        client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False)
        with pytest.raises(LoginError):
            client.oauthbearer_login(ALICE, token)
        client.shutdown()
        with smtplib.SMTP("127.0.0.1", services.ports.smtp, timeout=10) as smtp:
            smtp.ehlo()
            words = iter([bearer(ALICE, token), "\x01"])
            with pytest.raises(smtplib.SMTPAuthenticationError):
                smtp.auth("OAUTHBEARER", lambda challenge=None, words=words: next(words))


# --- mailboxes --------------------------------------------------------------------------------------------------------


def test_no_folder_of_the_server_itself_is_listed_as_a_mailbox(imap_of, make_account):
    client = imap_of(make_account())
    client.create_folder("Projets/Leeds")
    client.append("INBOX", letter("hedgehogs"))
    client.append("Projets/Leeds", letter("hedgehogs"))
    for mailbox in ("INBOX", "Projets/Leeds"):
        client.select_folder(mailbox)
        assert client.search(["TEXT", "hedgehogs"])  # the full-text index exists now
    listed = {name for _, _, name in client.list_folders()}
    assert listed == {"INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash", "Projets", "Projets/Leeds"}


def test_mailboxes_created_while_the_indexer_works_do_not_break_the_session(imap_of, make_account):
    """With Dovecot 2.4.1's list index one of six such sessions died ("Resource deadlock avoided")."""

    def use(client: IMAPClient) -> int:
        for mailbox in ("INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"):
            client.multiappend(mailbox, [letter("many")] * 25)
        for mailbox in ("A/B/C", "X Y", "Z/é"):
            client.create_folder(mailbox)
            client.multiappend(mailbox, [letter("many")] * 10)
        return int(client.folder_status("Z/é", ["MESSAGES"])[b"MESSAGES"])

    clients = [imap_of(make_account()) for _ in range(12)]
    with ThreadPoolExecutor(4) as four:
        assert list(four.map(use, clients)) == [10] * 12


def test_a_shared_mailbox_is_read_by_the_colleague_with_marks_of_their_own(imap_of, make_account):
    owner, colleague = make_account(), make_account()
    mine, theirs = imap_of(owner), imap_of(colleague)
    mine.create_folder("Projet")
    mine.append("Projet", letter("shared"))
    mine.setacl("Projet", colleague, "lrsw")
    shared = f"shared/{owner}/Projet"
    assert shared in {name for _, _, name in theirs.list_folders()}
    theirs.select_folder(shared)
    uid = theirs.search(["SUBJECT", "shared"])[0]
    theirs.add_flags([uid], [b"\\Seen"])
    assert mine.folder_status("Projet", ["UNSEEN"])[b"UNSEEN"] == 1
    assert theirs.folder_status(shared, ["UNSEEN"])[b"UNSEEN"] == 0
    stranger = imap_of(make_account())
    assert not [name for _, _, name in stranger.list_folders() if name.startswith("shared/")]


# --- Sieve ------------------------------------------------------------------------------------------------------------


def test_sieve_redirects_to_a_colleague_and_outside(imap_of, make_account, submission, arrives, outside, put_script):
    person, colleague = make_account(), make_account()
    at_home = person.replace("lycee", "ailleurs")
    put_script(person, f'require "copy";\r\nredirect :copy "{colleague}";\r\nredirect :copy "{at_home}";\r\n')
    submission.sendmail(ALICE, [person], letter("redirected"))
    assert arrives(imap_of(person), ["SUBJECT", "redirected"])
    assert arrives(imap_of(colleague), ["SUBJECT", "redirected"])
    eventually(lambda: any(at_home in file.read_text() for file in outside.glob("*.json")))


def test_a_vacation_reply_comes_back(imap_of, make_account, submission, arrives, put_script):
    person = make_account()
    text = f"From: {ALICE}\r\nTo: {person}\r\nSubject: question\r\n\r\nBonjour\r\n"
    put_script(
        person, f'require "vacation";\r\nvacation :addresses ["{person}"] :subject "Absent {person}" "Je reviens lundi.";\r\n'
    )
    submission.sendmail(ALICE, [person], text)
    assert arrives(imap_of(ALICE), ["SUBJECT", f"Absent {person}"])


@pytest.fixture
def put_script(services):
    """Stores and activates a Sieve script over ManageSieve."""
    from sievelib.managesieve import Client

    def put(address: str, script: str) -> None:
        client = Client("127.0.0.1", services.ports.sieve)
        assert client.connect(address, services.password, authmech="PLAIN")
        assert client.putscript("main", script), client.errmsg
        assert client.setactive("main")
        client.logout()

    return put


# --- the data's life --------------------------------------------------------------------------------------------------


def test_dovecot_reads_what_the_web_process_has_just_written(services, imap_of, make_account):
    """The database is in WAL mode; one process, perhaps root's, writes while Dovecot's ordinary user reads."""
    if not isinstance(services.database, Path):
        pytest.skip("about the file of an SQLite database")
    with closing(sqlite3.connect(services.database)) as held_open:
        held_open.execute("PRAGMA journal_mode=WAL")
        person = make_account()
        held_open.execute("UPDATE accounts SET quota_bytes = 777216 WHERE address = ?", [person])
        held_open.commit()
        quota = imap_of(person).get_quota()
        assert [(q.resource, q.limit) for q in quota if q.resource == "STORAGE"] == [("STORAGE", 777216 // 1024)]


def test_a_second_start_keeps_mail_accounts_and_key(demo_folder):
    base = demo_folder
    with Services(base, web=False) as first:
        first.add_account("zoe@lycee.example")
        client = IMAPClient("127.0.0.1", first.ports.imap, ssl=False)
        client.login("zoe@lycee.example", first.password)
        client.append("INBOX", letter("kept"))
        client.logout()
        key = first.base / "web" / "token.pem"
        before = key.read_bytes()
        assert key.stat().st_mode & 0o077 == 0
    assert not (base / "services.json").exists()
    with Services(base, web=False) as second:
        client = IMAPClient("127.0.0.1", second.ports.imap, ssl=False)
        client.login("zoe@lycee.example", second.password)
        client.select_folder("INBOX")
        assert len(client.search(["SUBJECT", "kept"])) == 1
        client.logout()
        assert (second.base / "web" / "token.pem").read_bytes() == before


def test_the_production_configuration_is_one_dovecot_accepts(tmp_path):
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=mail.lycee.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    values = render.Values(
        production=True,
        etc=tmp_path / "dovecot",
        mail=Path("/var/vmail"),
        database=Path("/var/lib/traboule/traboule.sqlite"),
        hostname="mail.lycee.example",
        domain="lycee.example",
        issuer="https://webmail.lycee.example",
        user="nobody",
        uid=65534,
        gid=65534,
        tls_certificate=certificate,
        tls_key=key,
        database_group="nogroup",
    )
    file = render.write(values)
    result = subprocess.run(["doveconf", "-c", file, "-n"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "Warning" not in result.stderr
    for line in ("ssl = required", "private/dovecot-lmtp {", "private/auth {", "private/quota-status {"):
        assert line in result.stdout
    assert "127.0.0.1:25" in result.stdout
    assert "auth_allow_cleartext = yes" not in result.stdout
