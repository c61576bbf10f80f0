"""Signed and encrypted messages on their page, as visits on a real Dovecot."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.protected_mail import crlf, encrypted, head, knows, open_keys, signed, state
from tests.support.visits import Page, Visitor
from webmail.crypto import external_programs, openpgp, openpgp_certificates
from webmail.database.connection import db
from webmail.keys import known_certificates
from webmail.models import User

Fill = Callable[..., list[int]]
_CORPORA = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
SECRET_WORD = "callaloo-zinzolin"

pytestmark = pytest.mark.skipif(not external_programs.is_installed("sqop"), reason="sqop is not installed")


INSIDE = crlf(
    'Content-Type: multipart/mixed; boundary=in; hp="cipher"\nSubject: The real subject\nFrom: Bob <bob@outside.example>\n\n--in\n'
    f'Content-Type: text/html\n\n<p>{SECRET_WORD}</p><img src="https://track.example/x.png"><script>alert(1)</script>\n--in\n'
    "Content-Type: text/plain; name=notes.txt\nContent-Disposition: attachment; filename=notes.txt\n\nfile of bob\n--in--\n"
)


def page_of(person: Visitor, fill: Fill, content: bytes) -> Page:
    page = person.get(f"/message/{fill(person, content)[-1]}/INBOX")
    assert page.status == 200
    return page


def test_a_signed_message_looks_as_ever_with_its_verdict(person, fill, bob):
    knows(person, bob)
    page = page_of(person, fill, signed(crlf("Content-Type: text/plain\n\nHello there"), bob))
    assert state(page, "signature") == ["good"]
    assert "Hello there" in page.one("[data-message-body]").get_text()
    assert "Signed by Bob" in page.text
    assert "s.asc" not in page.text
    changed = signed(crlf("Content-Type: text/plain\n\nHello there"), bob).replace(b"there", b"THERE")
    assert state(page_of(person, fill, changed), "signature") == ["bad"]


def test_a_footer_makes_it_partial_and_frames_the_part(person, fill, bob):
    knows(person, bob)
    inner = signed(crlf("Content-Type: text/plain\n\nHello there"), bob)
    inner = inner[inner.index(b"Content-Type: multipart/signed") :]
    content = (
        head("List", "multipart/mixed; boundary=list") + b"--list\r\n" + inner + b"\r\n--list\r\n\r\nThe footer\r\n--list--\r\n"
    )
    page = page_of(person, fill, content)
    assert state(page, "signature") == ["partial", "partial"]
    assert "The footer" in page.one("[data-message-body]").get_text() and "Hello there" not in page.text
    frame = person.get(str(page.one(".sealed-part iframe")["src"]))
    assert "Hello there" in frame.text and "footer" not in frame.text


def test_an_encrypted_message_opens_by_the_passphrase(person, fill, bob, keeper):
    knows(person, bob)
    page = page_of(person, fill, encrypted(INSIDE, keeper, bob))
    assert state(page, "encryption") == ["locked"]
    assert page.one("h1").get_text() == "..." and not page.soup.select("iframe")
    page = open_keys(page, person)
    assert state(page, "encryption") == ["decrypted"] and state(page, "signature") == ["good"]
    assert page.one("h1").get_text() == "The real subject"
    assert SECRET_WORD not in page.text  # it stands in its frame alone
    frame = person.get(str(page.one("iframe")["src"]))
    assert SECRET_WORD in frame.text and "track.example" not in frame.text and "<script" not in frame.text
    assert (
        frame.headers["Cache-Control"] == "no-store, no-cache"
        and "default-src 'none'" in frame.headers["Content-Security-Policy"]
    )
    file = person.get(page.link("notes.txt"))
    assert file.response.get_data() == b"file of bob" and "no-store" in file.headers["Cache-Control"]


def test_what_is_tampered_with_or_not_for_one_is_not_shown(person, fill, bob, keeper):
    page = page_of(person, fill, encrypted(INSIDE, openpgp.certificate_of(bob, owner=0)))
    assert state(page, "encryption") == ["failed"] and not page.soup.select("iframe, .seal-form")
    message = encrypted(INSIDE, keeper)
    at = message.index(b"-----END PGP MESSAGE") - 200
    altered = message[:at] + (b"A" if message[at : at + 1] != b"A" else b"B") + message[at + 1 :]
    page = open_keys(page_of(person, fill, altered), person)
    assert state(page, "encryption") == ["failed"] and not page.soup.select("iframe")


def test_nothing_is_opened_deeper_than_a_top_part(person, fill, keeper):
    inner = encrypted(INSIDE, keeper)
    inner = inner[inner.index(b"Content-Type: multipart/encrypted") :]
    around = b"Content-Type: multipart/mixed; boundary=m2\r\n\r\n--m2\r\nContent-Type: text/html\r\n\r\n<img src='https://x.example/?\r\n--m2\r\n"
    content = head("Look", "multipart/mixed; boundary=m1") + b"--m1\r\n" + around + inner + b"\r\n--m2--\r\n--m1--\r\n"
    page = page_of(person, fill, content)
    assert state(page, "encryption") == [] and "left closed" in page.text


def test_pages_that_open_none_say_so(person, fill, keeper):
    uid = fill(person, encrypted(INSIDE, keeper))[-1]
    for page in ("conversation", "print"):
        assert "This message is encrypted" in person.get(f"/{page}/{uid}/INBOX").text


def test_a_message_that_is_neither_costs_and_says_nothing(person, fill):
    page = page_of(person, fill, head("Plain", "text/plain") + b"Hello")
    assert state(page, "signature") == state(page, "encryption") == []


def with_key(certificate: bytes, name: str = "key.asc", kind: str = "application/pgp-keys") -> bytes:
    armoured = openpgp.armoured(certificate, owner=0).replace(b"\n", b"\r\n")
    part = f"Content-Type: {kind}; name={name}\r\nContent-Disposition: attachment; filename={name}\r\n\r\n".encode()
    return (
        head("My key", "multipart/mixed; boundary=mix")
        + b"--mix\r\nContent-Type: text/plain\r\n\r\nHere\r\n--mix\r\n" + part + armoured + b"\r\n--mix--\r\n"
    )  # fmt: skip


def known_to(person: Visitor) -> list[tuple[str, str]]:
    with db.connection_context():
        return [
            (one.address, one.fingerprint) for one in known_certificates.all_known(User.get(User.address == person.address).id)
        ]


@pytest.mark.parametrize("kind", ["application/pgp-keys", "application/octet-stream"])
def test_a_key_that_came_as_a_file_is_added_and_taken_out_again(person, fill, bob, keeper, kind):
    certificate = openpgp.certificate_of(bob, owner=0)
    page = page_of(person, fill, with_key(certificate, kind=kind))
    assert known_to(person) == []  # looking at it adds nothing
    added = person.submit(page, ".key-offer")
    fingerprint = openpgp_certificates.read_certificate(certificate).facts().fingerprint
    assert known_to(person) == [("bob@outside.example", fingerprint)]
    assert "The key of bob@outside.example is in your list." in added.text
    again = person.submit(added, ".key-offer")
    assert "You already have the key of bob@outside.example." in again.text and len(known_to(person)) == 1
    undone = person.submit(added, "#notices form")
    assert "The key is no longer in your list." in undone.text and known_to(person) == []


def test_a_sender_adds_no_key_for_the_others_whom_it_names(person, fill, keeper):
    both = openpgp.generate_key("Bob", "bob@outside.example", owner=0, also=["head@lycee.example"])
    person.submit(page_of(person, fill, with_key(openpgp.certificate_of(both, owner=0))), ".key-offer")
    assert [address for address, _fingerprint in known_to(person)] == ["bob@outside.example"]


def test_a_key_of_somebody_else_is_told_apart(person, fill, keeper):
    eve = openpgp.certificate_of(openpgp.generate_key("Eve", "eve@outside.example", owner=0), owner=0)
    added = person.submit(page_of(person, fill, with_key(eve)), ".key-offer")
    assert "It is not the sender’s" in added.text and [one for one, _key in known_to(person)] == ["eve@outside.example"]


def test_what_is_no_key_adds_nothing_and_private_keys_are_not_taken(person, fill, bob, keeper):
    nonsense = with_key(openpgp.certificate_of(bob, owner=0)).replace(b"-----BEGIN PGP", b"-----BEGUN PGP")
    for content in (with_key(bob), nonsense):
        answer = person.submit(page_of(person, fill, content), ".key-offer")
        assert "There is no key in this file that can be used here." in answer.text and known_to(person) == []


def test_nothing_is_offered_to_who_has_no_keys_or_for_other_files(person, fill, bob):
    page = page_of(person, fill, with_key(openpgp.certificate_of(bob, owner=0)))
    assert not page.soup.select(".key-offer")


# --- messages attached to others ---------------------------------------------------------------------------------------


def attached(content: bytes, encoding: str = "8bit") -> bytes:
    body = content if encoding == "8bit" else base64.encodebytes(content).replace(b"\n", b"\r\n")
    part = f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    top = crlf(
        "From: Eve <eve@outside.example>\nSubject: Fwd\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=fwd\n\n"
    )
    return top + b"--fwd\r\nContent-Type: text/plain\r\n\r\nSee below\r\n--fwd\r\n" + part + body + b"\r\n--fwd--\r\n"


@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_an_attached_message_is_opened_on_a_page_of_its_own(person, fill, bob, keeper, encoding):
    knows(person, bob)
    outer = page_of(person, fill, attached(encrypted(INSIDE, keeper, bob), encoding))
    assert state(outer, "encryption") == state(outer, "signature") == [] and SECRET_WORD not in outer.text
    uid = outer.one("input[name=uids]")["value"]
    page = person.get(f"/inside/{uid}/2/INBOX")
    assert state(page, "encryption") == ["locked"]
    page = open_keys(page, person)
    assert page.response.request.path.startswith("/inside/")
    assert state(page, "encryption") == ["decrypted"] and state(page, "signature") == ["good"]
    assert page.one("h1").get_text() == "The real subject" and SECRET_WORD not in page.text
    frame = person.get(str(page.one("iframe")["src"]))
    assert SECRET_WORD in frame.text and "track.example" not in frame.text and "<script" not in frame.text
    assert person.get(page.link("notes.txt")).response.get_data() == b"file of bob"
    assert not page.soup.select(".keep-offer")


@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_an_attached_message_that_is_signed(person, fill, bob, encoding):
    knows(person, bob)
    inner = signed(crlf("Content-Type: text/plain\n\nHello there"), bob)
    uid = fill(person, attached(inner, encoding))[-1]
    page = person.get(f"/inside/{uid}/2/INBOX")
    assert state(page, "signature") == ["good"] and "Hello there" in page.one("[data-message-body]").get_text()
    uid = fill(person, attached(inner.replace(b"there", b"THERE"), encoding))[-1]
    assert state(person.get(f"/inside/{uid}/2/INBOX"), "signature") == ["bad"]


def test_keys_in_attached_messages_are_not_noted(person, fill, keeper, bob):
    certificate = openpgp.armoured(openpgp.certificate_of(bob, owner=0), owner=0).replace(b"\n", b"\r\n")
    key = b"Content-Type: application/pgp-keys\r\nContent-Disposition: attachment; filename=k.asc\r\n\r\n" + certificate
    content = b"Content-Type: multipart/mixed; boundary=k\r\n\r\n--k\r\n\r\nHi\r\n--k\r\n" + key + b"\r\n--k--\r\n"
    uid = fill(person, attached(signed(content, bob)))[-1]
    for _time in range(2):
        assert state(person.get(f"/inside/{uid}/2/INBOX"), "signature") == ["unknown"]
    assert known_to(person) == []
