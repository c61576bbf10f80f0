"""Keys in the Autocrypt header of messages that are neither signed nor encrypted: offered in the details, added by hand alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.protected_mail import head
from tests.support.visits import Page, Visitor
from webmail.crypto import external_programs, openpgp
from webmail.database.connection import db
from webmail.keys import known_certificates
from webmail.mime.protected import autocrypt_header
from webmail.models import User

Fill = Callable[..., list[int]]
CORPUS = Path(os.environ.get("TRABOULE_CORPORA", Path(__file__).parents[4] / "shared" / "corpora")) / "openpgp-thunderbird"
ADDRESS = "bob@outside.example"

pytestmark = pytest.mark.skipif(not external_programs.is_installed("sqop"), reason="sqop is not installed")


@pytest.fixture(scope="module")
def key() -> bytes:
    return openpgp.generate_key("Bob", ADDRESS, owner=0)


@pytest.fixture(scope="module")
def line(key: bytes) -> str:
    return autocrypt_header.written(ADDRESS, openpgp.certificate_of(key, owner=0), mutual=True).decode().replace("\r\n", "\n")


def page_of(person: Visitor, fill: Fill, more: str = "", kind: str = "text/plain") -> Page:
    return person.get(f"/message/{fill(person, head('Hello', kind, more=more) + b'Hello')[-1]}/INBOX")


def known_to(person: Visitor) -> list[tuple[str, str, bool]]:
    with db.connection_context():
        found = known_certificates.all_known(User.get(User.address == person.address).id)
        return [(one.address, one.origin.value, one.prefers_encryption) for one in found]


def test_it_is_added_by_hand_and_taken_out_again(person, fill, keeper, line):
    page = page_of(person, fill, line)
    assert "so that you can encrypt your replies" in page.one(".letterhead .headers .came-key").get_text()
    assert known_to(person) == []  # nothing by itself
    added = person.submit(page, ".came-key form")
    assert known_to(person) == [(ADDRESS, "autocrypt", True)] and f"The key of {ADDRESS} is in your list." in added.text
    assert "is in your list" in added.one(".came-key").get_text() and not added.soup.select(".came-key form")
    undone = person.submit(added, "#notices form")
    assert known_to(person) == [] and "no longer in your list" in undone.text


def test_a_message_without_the_header_asks_for_nothing(person, fill, keeper, line, monkeypatch):
    asked = []
    real = known_certificates.certificates_for
    monkeypatch.setattr(known_certificates, "certificates_for", lambda *given: asked.append(given) or real(*given))
    assert not page_of(person, fill).soup.select(".came-key") and asked == []
    assert page_of(person, fill, line).soup.select(".came-key") and len(asked) == 1


def test_without_keys_of_ones_own_nothing_is_offered(person, fill, line):
    assert not page_of(person, fill, line).soup.select(".came-key")


@pytest.mark.parametrize(
    "case", ["other address", "two", "unknown attribute", "report", "private key", "other name", "nonsense", "huge"]
)
def test_what_the_rules_refuse_is_not_offered(person, fill, keeper, line, key, case):
    other = openpgp.certificate_of(openpgp.generate_key("Eve", "eve@outside.example", owner=0), owner=0)
    kind = "text/plain"
    match case:
        case "other address":
            line = line.replace(f"addr={ADDRESS}", "addr=eve@outside.example")
        case "two":
            line += line
        case "unknown attribute":
            line = line.replace("keydata=", "critical=1; keydata=")
        case "report":
            kind = "multipart/report; report-type=delivery-status; boundary=x"
        case "private key":
            line = autocrypt_header.written(ADDRESS, key, mutual=False).decode().replace("\r\n", "\n")
        case "other name":
            line = autocrypt_header.written(ADDRESS, other, mutual=False).decode().replace("\r\n", "\n")
        case "nonsense":
            line = f"Autocrypt: addr={ADDRESS}; keydata=AAAA\n"
        case "huge":
            line = f"Autocrypt: addr={ADDRESS}; keydata=" + "\n ".join("A" * 76 for _number in range(400)) + "\n"
    page = page_of(person, fill, line, kind)
    assert page.status == 200 and not page.soup.select(".came-key")
    uid, token = page.one("input[name=uids]")["value"], page.one(".list-bar [name=csrf_token]")["value"]
    refused = person.post(f"/encryption/from-header/{uid}/INBOX", {"csrf_token": token})
    assert "no key in this message that can be used" in refused.text and known_to(person) == []


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpora beside the checkout or in TRABOULE_CORPORA")
def test_thunderbirds_own(person, fill, keeper):
    content = (CORPUS / "unsigned-unencrypted-0x3099ff1238852b9f-autocrypt.eml").read_bytes()
    page = person.get(f"/message/{fill(person, content)[-1]}/INBOX")
    assert "carol@example.com" in page.one(".came-key").get_text()
    person.submit(page, ".came-key form")
    assert [address for address, _origin, _prefers in known_to(person)] == ["carol@example.com"]
