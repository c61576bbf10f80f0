"""Milter (the door) between a real Postfix and those who forge a sender: what is refused, and what is said of the rest."""

from __future__ import annotations

import re
import smtplib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from deploy.demo import postfix
from deploy.demo.services import Services
from tests.support.dns_zone import Zone
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from tests.support.worker import jobs_of
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.establishments.scope import EVERYTHING, Scope
from webmail.models import Establishment, Outbox, RefusedSender
from webmail.people import refused_senders

FAR = "ann@far.example"
US = "lycee.example"
FORGED = f"Authentication-Results: {US}; auth=pass (login) smtp.auth=head@{US} header.from=head@{US}"
Connect = Callable[..., smtplib.SMTP]

pytestmark = pytest.mark.skipif(bool(postfix.door_missing()), reason=postfix.door_missing())

SIGN = """
import sys, dkim
head, selector, domain, key, more = sys.argv[1:]
message = sys.stdin.buffer.read()
sys.stdout.buffer.write(dkim.sign(message, selector.encode(), domain.encode(), open(key, "rb").read(),
    include_headers=head.encode().split(b","), **eval(more)) + message)
"""


@pytest.fixture(autouse=True)
def _plain_zone(zone: Zone) -> Iterator[None]:
    zone.clear()
    zone.mode = "ok"
    yield


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A private key, and the DNS record of its public half."""
    file = tmp_path_factory.mktemp("dkim") / "key.pem"
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", file, "2048"], check=True, capture_output=True)
    told = subprocess.run(["openssl", "rsa", "-in", file, "-pubout"], check=True, capture_output=True, text=True).stdout
    return file, f"v=DKIM1; k=rsa; p={''.join(told.splitlines()[1:-1])}"


@pytest.fixture
def sign(key: tuple[Path, str], zone: Zone) -> Callable[..., bytes]:
    """`sign(message, "far.example")`: with a signature, whose key is published."""

    def signed(message: bytes, domain: str, heads: str = "from,subject", more: str = "{}", selector: str = "s1") -> bytes:
        zone[f"{selector}._domainkey.{domain}", "TXT"] = [key[1]]
        words = ["/usr/bin/python3", "-c", SIGN, heads, selector, domain, str(key[0]), more]
        return subprocess.run(words, input=message, check=True, capture_output=True).stdout

    return signed


@pytest.fixture
def read(imap_of: Any, arrives: Any) -> Callable[[str, str], list[str]]:
    """`read(address, subject)`: all Authentication-Results of a message that arrived, on one line each, topmost first."""

    def results(address: str, subject: str) -> list[str]:
        client = imap_of(address)
        uid = arrives(client, ["SUBJECT", subject])
        head = client.fetch([uid], ["BODY[HEADER]"])[uid][b"BODY[HEADER]"]
        return [" ".join(value.split()) for value in message_from_bytes(head).get_all("Authentication-Results", [])]

    return results


def letter(sender: str, subject: str, *more: str, body: str = "Bonjour,\r\n") -> bytes:
    lines = [f"From: {sender}", *more, f"Subject: {subject}", f"Message-ID: <{subject}@x.example>"]
    return "\r\n".join([*lines, "", body]).encode()


def refusal(client: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> tuple[int, str]:
    """What is said to the final dot."""
    try:
        client.sendmail(sender, [recipient], message)
    except smtplib.SMTPDataError as error:
        return error.smtp_code, error.smtp_error.decode()
    return 250, ""


# --- signed in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("starttls", [False, True], ids=["465", "587"])
def test_a_pupil_is_not_the_author_for_another(submitting: Connect, make_account, starttls: bool) -> None:
    pupil = make_account("pupil")
    client = submitting(pupil, starttls=starttls)
    code, words = refusal(client, pupil, "alice@lycee.example", letter("Bob <bob@lycee.example>", "forged"))
    assert code == 550 and words.startswith("5.7.1 ")
    assert f"{pupil} may not write from bob@lycee.example" in words
    assert refusal(client, pupil, "alice@lycee.example", letter(pupil, "honest"))[0] == 250  # on the same connection


BOB = "bob@lycee.example"


@pytest.mark.parametrize(
    "head",
    [
        f"From: {BOB}, {{me}}",
        f"From: {{me}}, Bob <{BOB}>",
        f"From: {{me}}\r\nFrom: {BOB}",
        f"From: {BOB}\r\nFROM: {{me}}",
        f"From : {BOB}",
        f"From: {{me}}\r\nFrom : {BOB}",
        f"From:\r\n {BOB}",
        f"From: staff: {{me}}, {BOB};",
        "From: staff: {me};",
        "From: undisclosed:;",
        "From:",
        "To: nobody",
        f"From: {BOB} <{{me}}>",
        f'From: "{BOB}" <{{me}}>',
        "From: =?utf-8?B?Ym9iQGx5Y2VlLmV4YW1wbGU=?= <{me}>",
        "From: =?utf-8?B?Ym9iQGx5Y2VlLmV4YW1wbGU=?=",
        f"From: <{{me}}> <{BOB}>",
        f"From: <{{me}}>{BOB}",
        f"From: {{me}} ({BOB})",
        "From: <@lycee.example:{me}>",
        'From: "bob"@lycee.example',
        f"From: <{BOB}\0{{me}}>",
        "From: {me}\r\nSender: " + BOB,
        "From: {me}\r\nSender: {me}\r\nSender: " + BOB,
        f"From: {BOB}\r\nResent-From: {{me}}",
        f"From: {FAR}\r\nResent-From: {BOB}",
        f"From: {FAR}",
        "From: x" + "x" * 9000 + "@lycee.example",
        "From: " + "(" * 3000 + BOB,
    ],
)
def test_no_way_of_writing_the_header_makes_somebody_another(submitting: Connect, make_account, head: str) -> None:
    pupil = make_account("pupil")
    message = head.format(me=pupil).encode() + b"\r\nSubject: forged\r\n\r\nx\r\n"
    code, words = refusal(submitting(pupil), pupil, "alice@lycee.example", message)
    assert (code, words[:6]) == (550, "5.7.1 "), words


@pytest.mark.parametrize(
    "author",
    [
        "{me}",
        "Alice <{me}>",
        '"Leroy, Alice" <{me}>',
        "=?utf-8?Q?Ren=C3=A9e?= <{me}>",
        "<{me}> (Alice)",
        "\r\n\tAlice\r\n <{me}>",
    ],
)
def test_what_is_taken_says_who_wrote_it(submitting: Connect, make_account, read, author: str) -> None:
    person, reader = make_account(), make_account()
    message = letter(author.format(me=person), "mine", f"Sender: {person}", FORGED, FORGED.lower())
    assert refusal(submitting(person), person, reader, message) == (250, "")
    said = f"{US}; auth=pass (login) smtp.auth={person} smtp.mailfrom={person} header.from={person}"
    assert read(reader, "mine") == [said]


def test_an_address_that_is_allowed_may_stand_in_the_header(submitting: Connect, make_account, app, read) -> None:
    person, reader = make_account(), make_account()
    office = person.replace("person", "office")
    message = letter(office, "office")
    assert refusal(submitting(person), person, reader, message)[0] == 550
    assert app.test_cli_runner().invoke(args=["accounts", "allow", person, office]).exit_code == 0
    assert refusal(submitting(person), office, reader, message)[0] == 250
    assert read(reader, "office") == [f"{US}; auth=pass (login) smtp.auth={person} smtp.mailfrom={office} header.from={office}"]


def test_a_foreign_message_is_redirected_without_proof_of_its_author(submitting: Connect, make_account, read) -> None:
    person, reader = make_account(), make_account()
    message = letter(FAR, "redirected", f"Resent-From: {person}", f"Sender: list@{US}")
    assert refusal(submitting(person), person, reader, message)[0] == 250
    assert read(reader, "redirected") == [f"{US}; auth=pass (redirected) smtp.auth={person} smtp.mailfrom={person}"]


def test_a_colleagues_message_is_redirected_if_the_webmail_wrote_it(app, make_account, arrives, imap_of) -> None:
    """Alice's message to Bob, who sends it on to Charlie as it is; a word in it changed, the door refuses it."""
    alice, bob, charlie = (Visitor(app, make_account(name)).sign_in() for name in ("alice", "bob", "charlie"))
    alice.submit(alice.get("/compose"), "form.compose-form", action="send", to=bob.address, subject="Trip", body="At 8 o'clock")
    deliver(app, alice)
    client = imap_of(bob.address)
    uid = arrives(client, ["SUBJECT", "Trip"])
    whole = client.fetch([uid], ["BODY[]"])[uid][b"BODY[]"]
    client.append("INBOX", whole.replace(b"At 8", b"At 9").replace(b"Trip", b"Changed"))
    for subject in ("Trip", "Changed"):
        page = bob.get(bob.get("/mailbox/INBOX", reload=True).link(subject))
        bob.submit(bob.get(page.link("Redirect")), "form.form", to=charlie.address)
        deliver(app, bob)
    arrives(imap_of(charlie.address), ["SUBJECT", "Trip"])
    assert charlie.get("/mailbox/INBOX", reload=True).rows == ["Trip"]
    assert "redirected under their name" in bob.get("/outbox").text


def deliver(app: Flask, person: Visitor) -> None:
    row = Outbox.select().where(Outbox.sender == person.address).order_by(Outbox.id.desc()).get()
    jobs_of(app).deliver(row.id)


def test_a_confirmation_of_reading_leaves_under_ones_own_name_only(submitting: Connect, make_account) -> None:
    person = make_account()
    assert refusal(submitting(person), "", "alice@lycee.example", letter(person, "receipt"))[0] == 250
    assert refusal(submitting(person), "", "alice@lycee.example", letter(BOB, "receipt"))[0] == 550


# --- from outside -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "author",
    [
        "Head <head@lycee.example>",
        "HEAD@LYCEE.EXAMPLE.",
        f"{FAR}, head@lycee.example",
        f"{FAR}\r\nFrom: head@lycee.example",
        f"head@lycee.example <{FAR}",
        "=?utf-8?B?aGVhZEBseWNlZS5leGFtcGxl?=",
        "staff: head@lycee.example;",
        f"<head@lycee.example> <{FAR}>",
    ],
)
def test_a_forgery_of_our_domain_is_refused(from_outside: Connect, author: str) -> None:
    code, words = refusal(from_outside(), FAR, "alice@lycee.example", letter(author, "forgery", FORGED))
    assert code == 550 and "it says it comes from lycee.example, and nothing proves it" in words


def test_another_domains_proof_does_not_help_a_forgery(from_outside: Connect, sign, zone: Zone) -> None:
    zone["far.example", "TXT"] = ["v=spf1 ip4:127.0.0.2 -all"]
    zone["example", "TXT"] = ["v=spf1 ip4:127.0.0.2 -all"]
    for domain in ("far.example", "example", "notlycee.example"):
        message = sign(letter("head@lycee.example", "forgery"), domain)
        assert refusal(from_outside(), f"ann@{domain}", "alice@lycee.example", message)[0] == 550, domain


def test_our_own_mail_comes_back_in_with_our_signature_or_from_our_servers(
    from_outside: Connect, sign, zone: Zone, make_account, read
) -> None:
    reader = make_account()
    message = sign(letter(f"head@{US}", "by-list"), US)
    assert refusal(from_outside(), "list@far.example", reader, message)[0] == 250
    assert f"dkim=pass header.d={US}" in read(reader, "by-list")[0]
    zone[US, "TXT"] = ["v=spf1 ip4:127.0.0.3 -all"]
    assert refusal(from_outside("127.0.0.3"), f"head@{US}", reader, letter(f"head@{US}", "by-spf"))[0] == 250
    assert read(reader, "by-spf") == [f"{US}; spf=pass smtp.mailfrom=head@{US}; dkim=none; dmarc=pass header.from={US}"]
    assert refusal(from_outside("127.0.0.2"), f"head@{US}", reader, letter(f"head@{US}", "not-by-spf"))[0] == 550


@pytest.mark.parametrize("mode", ["fail", "silent"])
def test_while_dns_is_away_our_domain_waits_and_others_come_in_unproven(
    from_outside: Connect, sign, zone: Zone, make_account, read, mode: str
) -> None:
    reader, message = make_account(), sign(letter(f"head@{US}", "waits"), US)
    foreign = sign(letter(FAR, "unproven"), "far.example")
    zone.mode = mode
    code, words = refusal(from_outside(), f"head@{US}", reader, message)
    assert (code, words[:6]) == (451, "4.7.1 ")
    assert refusal(from_outside(), FAR, reader, foreign)[0] == 250
    assert re.search(r"spf=temperror .*; dkim=temperror .*; dmarc=temperror", read(reader, "unproven")[0])


def test_a_signature_that_is_right_passes(from_outside: Connect, sign, zone: Zone, make_account, read) -> None:
    reader = make_account()
    for canonical in ("simple", "relaxed"):
        more = f"{{'canonicalize': (b'{canonical}', b'{canonical}')}}"
        text = letter(FAR, f"signed-{canonical}", "X-Odd:   two  blanks\t", FORGED, body="..\r\nÉté\r\n\r\n\r\n")
        message = sign(text, "far.example", "from,subject,x-odd", more)
        assert refusal(from_outside(), FAR, reader, message)[0] == 250
        [said] = read(reader, f"signed-{canonical}")
        assert said.startswith(f"{US}; spf=none smtp.mailfrom={FAR}; dkim=pass header.d=far.example")
        assert said.endswith("dmarc=pass header.from=far.example")


def test_below_our_domain_its_policy_for_subdomains_holds(from_outside: Connect, zone: Zone, make_account, read) -> None:
    reader, ent = make_account(), f"notes@ent.{US}"
    zone[f"_dmarc.{US}", "TXT"] = ["v=DMARC1; p=none; sp=reject"]
    assert refusal(from_outside(), ent, reader, letter(ent, "refused"))[0] == 550
    zone[f"_dmarc.ent.{US}", "TXT"] = [
        "v=DMARC1; p=none; sp=reject"
    ]  # its own record comes first, of which sp is for those below
    assert refusal(from_outside(), ent, reader, letter(ent, "own record"))[0] == 250
    assert "dmarc=fail (p=none)" in read(reader, "own record")[0]
    zone.clear()
    zone[f"_dmarc.{US}", "TXT"] = ["v=DMARC1; p=reject"]
    assert refusal(from_outside(), ent, reader, letter(ent, "p for all"))[0] == 550


def test_a_message_that_was_changed_fails(from_outside: Connect, sign, zone: Zone, make_account, read) -> None:
    reader = make_account()
    zone["_dmarc.far.example", "TXT"] = ["v=DMARC1; p=reject"]
    zone["far.example", "TXT"] = ["v=spf1 -all"]
    message = sign(letter(FAR, "changed"), "far.example")
    assert refusal(from_outside(), FAR, reader, message.replace(b"Bonjour", b"Bonsoir"))[0] == 250
    [said] = read(reader, "changed")
    assert "spf=fail" in said and "dkim=fail (the body was changed)" in said
    assert said.endswith("dmarc=fail (p=reject) header.from=far.example")
    assert refusal(from_outside(), FAR, reader, message.replace(b"Subject: changed", b"Subject: altered"))[0] == 250
    assert "dkim=fail header.d=far.example" in read(reader, "altered")[0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("{'length': True}", "dkim=policy (a part of the body is not signed)"),
        ("{'signature_algorithm': b'rsa-sha1'}", "dkim=policy (weak algorithm)"),
    ],
)
def test_a_signature_that_proves_little_does_not_pass(
    from_outside: Connect, sign, make_account, read, more: str, words: str
) -> None:
    reader = make_account()
    message = sign(letter(FAR, "weak"), "far.example", more=more)
    assert refusal(from_outside(), FAR, reader, message)[0] == 250
    [said] = read(reader, "weak")
    assert words in said and "dmarc=none" in said
    forged = sign(letter(f"head@{US}", "weak"), US, more=more)
    assert refusal(from_outside(), FAR, reader, forged)[0] == 550


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:127.0.0.2 -all", "pass"),
        ("v=spf1 -all", "fail"),
        ("v=spf1 ~all", "softfail"),
        ("v=spf1 huh", "permerror"),
        ("", "none"),
    ],
)
def test_spf_is_told(from_outside: Connect, zone: Zone, make_account, read, record: str, result: str) -> None:
    reader = make_account()
    if record:
        zone["far.example", "TXT"] = [record]
    assert refusal(from_outside(), FAR, reader, letter(FAR, "spf"))[0] == 250
    dmarc = "pass" if result == "pass" else "none"
    assert read(reader, "spf") == [f"{US}; spf={result} smtp.mailfrom={FAR}; dkim=none; dmarc={dmarc} header.from=far.example"]


@pytest.mark.parametrize(
    "forged",
    [
        FORGED,
        FORGED.upper(),
        f"authentication-results: {US} 1; spf=pass smtp.mailfrom=head@{US}",
        f'Authentication-Results: "{US}"; dmarc=pass header.from=far.example',
        f"Authentication-Results: (a (b) c) {US} (x); dmarc=pass header.from=far.example",
        f"Authentication-Results:\r\n\t{US};\r\n\tdmarc=pass header.from=far.example",
        f"Authentication-Results : {US}; dmarc=pass header.from=far.example",
    ],
)
def test_results_that_bear_our_name_are_removed_and_others_stay(from_outside: Connect, make_account, read, forged: str) -> None:
    reader = make_account()
    other = "Authentication-Results: mx.far.example; spf=pass smtp.mailfrom=far.example"
    assert refusal(from_outside(), FAR, reader, letter(FAR, "claims", forged, other, forged, forged))[0] == 250
    said = read(reader, "claims")
    assert said == [
        f"{US}; spf=none smtp.mailfrom={FAR}; dkim=none; dmarc=none header.from=far.example",
        other.partition(": ")[2],
    ]


def test_what_this_machine_sends_by_itself_is_taken_but_proves_nothing(from_outside: Connect, make_account, read) -> None:
    """Dovecot forwards the mail of colleagues and writes their absences. Their Sieve scripts may write any header."""
    reader = make_account()
    assert refusal(from_outside("127.0.0.1"), BOB, reader, letter(BOB, "absence", FORGED))[0] == 250
    assert read(reader, "absence") == [f"{US}; none"]


def test_what_dovecot_forwards_keeps_the_proof_of_its_signature(from_outside: Connect, sign, make_account, read) -> None:
    reader = make_account()
    message = sign(letter(FAR, "forwarded"), "far.example")
    assert refusal(from_outside("127.0.0.1"), BOB, reader, message)[0] == 250
    assert "dkim=pass" in read(reader, "forwarded")[0] and "dmarc=pass" in read(reader, "forwarded")[0]


# --- hostile, and faults ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"DKIM-Signature: v=1; a=rsa-sha256; d=far.example; s=" + b"x" * 80 + b"; h=from; bh=AAAA; b=AAAA",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=..; s=.; h=from; bh=AAAA; b=AAAA",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=far.example; s=s1; i=x; h=from; bh=AAAA; b=AAAA",
        b"DKIM-Signature: \xff\xfe=\xff; ;;;===",
        b"DKIM-Signature:",
        b"DKIM-Signature: v=1; a=none; d=far.example; l=99999999999999999999; s=s1; h=from; bh=AAAA; b=AAAA",
    ],
)
def test_a_malformed_signature_is_only_that(from_outside: Connect, make_account, read, head: bytes) -> None:
    reader = make_account()
    assert refusal(from_outside(), FAR, reader, head + b"\r\n" + letter(FAR, "odd"))[0] == 250
    assert " dkim=pass" not in read(reader, "odd")[0]


def test_runs_of_blanks_take_no_quadratic_time(from_outside: Connect, key, zone: Zone, make_account, read) -> None:
    """dkimpy's own way to strip them takes minutes for these 12 MB."""
    reader = make_account()
    zone["s1._domainkey.far.example", "TXT"] = [key[1]]
    line = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=far.example; s=s1; h=from; bh=AAAA; b=AAAA\r\n" * 5
    body = (" " * 990 + "x\r\n") * 12_000 + "\r\n" * 100_000
    assert refusal(from_outside(), FAR, reader, line.encode() + letter(FAR, "blanks", body=body))[0] == 250
    assert read(reader, "blanks")[0].count("dkim=fail (the body was changed)") == 5


def test_of_many_signatures_five_are_looked_at(from_outside: Connect, sign, zone: Zone, make_account, read) -> None:
    reader, message = make_account(), letter(FAR, "many")
    for number in range(9):
        message = sign(message, "far.example", "from", selector=f"s{number}")
    zone.asked.clear()
    assert refusal(from_outside(), FAR, reader, message)[0] == 250
    assert read(reader, "many")[0].count("dkim=") == 5
    assert len([name for name in zone.asked if "_domainkey" in name]) == 5


def test_a_header_with_thousands_of_fields_is_refused(from_outside: Connect) -> None:
    fields = [f"X-{number}: x" for number in range(1500)]
    code, words = refusal(from_outside(), FAR, "alice@lycee.example", letter(FAR, "fields", *fields))
    assert (code, words) == (550, "5.6.0 The message is refused: its header is too large.")


@contextmanager
def away(services: Services) -> Iterator[None]:
    """The milter is killed, and runs again afterwards."""
    child = next(one for one in services.children if one.name == "milter")
    child.stop()
    services.children.remove(child)
    yield
    services.start_door()
    eventually(lambda: listens(services.ports.milter))


def try_again(act: Callable[[], Any]) -> bool:
    """Whether the server answers 4xx."""
    try:
        answer = act()
    except smtplib.SMTPResponseException as error:
        answer = (error.smtp_code,)
    return 400 <= answer[0] < 500


def listens(port: int) -> bool:
    return f":{port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()


def test_while_the_door_is_away_nothing_is_taken(
    services: Services, submitting: Connect, from_outside: Connect, make_account
) -> None:
    person = make_account()
    inside, outside = submitting(person), from_outside()
    with away(services):
        for client, sender in ((inside, person), (outside, FAR)):
            with pytest.raises(smtplib.SMTPResponseException) as refused:
                client.sendmail(sender, [BOB], letter(sender, "away"))
            assert 400 <= refused.value.smtp_code < 500
        for connect in (lambda: submitting(person), lambda: from_outside().mail(FAR)):
            assert try_again(connect)


def test_mail_comes_in_again_once_the_door_is_back(from_outside: Connect, make_account, read) -> None:
    reader = make_account()
    assert refusal(from_outside(), FAR, reader, letter(FAR, "back"))[0] == 250
    assert read(reader, "back")[0].startswith(US)


def test_while_the_accounts_cannot_be_asked_submission_waits(submitting: Connect, services: Services, make_account) -> None:
    person = make_account()
    client = submitting(person)
    hidden = Path(services.database).with_suffix(".hidden") if isinstance(services.database, Path) else None
    if hidden is None:
        pytest.skip("the accounts are in PostgreSQL, which other tests use too")
    client.mail(person)
    client.rcpt(BOB)
    Path(services.database).rename(hidden)
    try:
        code, words = client.data(letter(person, "later"))
    finally:
        hidden.rename(services.database)
    assert (code, words[:6]) == (451, b"4.3.0 ")


# --- senders that an administrator refuses ---------------------------------------------------------------------------


@pytest.fixture
def refuse(app: Flask) -> Iterator[Callable[..., None]]:
    """`refuse("@far.example")` for everybody; with domains, for the people of an establishment that has these."""

    def refused(entry: str, *domains: str) -> None:
        with app.app_context(), db.connection_context():
            scope = EVERYTHING
            if domains:
                school = establishments.make("Collège")
                establishments.set_domains(school, list(domains))
                scope = Scope(False, (school.id,), frozenset(domains))
            refused_senders.refuse(entry, scope, "chief@lycee.example", app.extensions["settings"])

    yield refused
    with app.app_context(), db.connection_context():
        RefusedSender.delete().execute()
        Establishment.delete().execute()


@pytest.mark.parametrize(
    ("entry", "sender", "head", "code"),
    [
        ("ann@far.example", FAR, FAR, 550),
        ("@far.example", FAR, f"Ann <{FAR}>", 550),
        ("@far.example", "x@mail.far.example", "x@mail.far.example", 550),
        ("ann@far.example", "bounces@list.example", FAR, 550),
        ("@list.example", "bounces@list.example", FAR, 550),
        ("bob@far.example", FAR, FAR, 250),
        ("@ar.example", FAR, FAR, 250),
    ],
)
def test_a_refused_sender_reaches_nobody_from_the_next_message_on(
    from_outside: Connect, make_account, refuse, entry: str, sender: str, head: str, code: int
) -> None:
    ann = make_account("ann")
    client = from_outside()
    assert refusal(client, sender, ann, letter(head, "before"))[0] == 250
    refuse(entry)
    told, words = refusal(client, sender, ann, letter(head, "after"))
    assert told == code and ("not taken here" in words) == (code == 550)


def test_an_establishment_refuses_a_sender_for_its_own_people_alone(from_outside: Connect, make_account, refuse) -> None:
    ann, client = make_account("ann"), from_outside()
    refuse("@far.example", "college.example")
    assert refusal(client, FAR, ann, letter(FAR, "of others"))[0] == 250
    with db.connection_context():
        Establishment.delete().execute()
    refuse("@far.example", US)
    assert refusal(client, FAR, ann, letter(FAR, "of ours"))[0] == 550
