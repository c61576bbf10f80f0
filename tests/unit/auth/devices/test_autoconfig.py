"""What Thunderbird and Outlook are told by themselves: bounded, the same for everybody of a domain, never from a Host header."""

from __future__ import annotations

import time
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest

from tests.support.auth_app import Browser, build
from webmail.auth.devices import autoconfig
from webmail.config.devices import Devices
from webmail.config.tables import Domain

WELL_KNOWN, OF_HOST = "/.well-known/autoconfig/mail/config-v1.1.xml", "/mail/config-v1.1.xml"
SPELLINGS = ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml", "/AutoDiscover/AutoDiscover.xml"]
REQUEST = """<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>
<EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request></Autodiscover>"""
A = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)


@pytest.fixture
def settings(settings):
    return replace(
        settings,
        mail_server="mail.lycee.example",
        public_url="https://webmail.lycee.example",
        domains=(Domain("college.example"),),
        devices=Devices(smtp_host="smtp.lycee.example", smtp_port=587, smtp_security="starttls"),
    )


def asked(address: str = "alice@lycee.example", schema: str = autoconfig.OUTLOOK) -> bytes:
    return REQUEST.format(address=address, schema=schema).encode()


def post(visitor, body: bytes, path: str = SPELLINGS[0], **more):
    return visitor.client.post(path, data=body, content_type="text/xml", base_url=visitor.base, **more)


@pytest.mark.parametrize("path", [WELL_KNOWN, OF_HOST])
def test_thunderbird_finds_the_servers(visitor, path):
    answer = visitor.get(f"{path}?emailaddress=alice%40lycee.example")
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    root = fromstring(answer.data)
    assert [one.text for one in root.iter("domain")] == ["lycee.example", "college.example"]
    told = [[child.text for child in server] for server in root.find("emailProvider") if "Server" in server.tag]
    assert told == [
        ["mail.lycee.example", "993", "SSL", "password-cleartext", "%EMAILADDRESS%"],
        ["smtp.lycee.example", "587", "STARTTLS", "password-cleartext", "%EMAILADDRESS%"],
    ]
    assert root.find("calendar") is None


def test_calendars_and_contacts_only_where_there_are_some(app, visitor, monkeypatch):
    monkeypatch.setitem(app.extensions, "dav", True)
    root = fromstring(visitor.get(WELL_KNOWN).data)
    for tag, kind in (("addressBook", "carddav"), ("calendar", "caldav")):
        part = root.find(tag)
        assert part.get("type") == kind
        assert part.findtext("serverURL") == "https://webmail.lycee.example/dav/"


def test_the_mail_server_s_own_names_of_people(settings, alice):
    visitor = Browser(build(replace(settings, sign_in="imap", login_name="local")))
    assert "<username>%EMAILLOCALPART%</username>" in visitor.get(WELL_KNOWN).text


@pytest.mark.parametrize("path", SPELLINGS)
def test_outlook_finds_the_servers(visitor, path):
    answer = post(visitor, asked(), path)
    assert (answer.status_code, answer.mimetype) == (200, "text/xml")
    imap, smtp = fromstring(answer.data).iter(f"{A}Protocol")
    told = [[part.findtext(f"{A}{tag}") for tag in ("Type", "Server", "Port", "SSL", "Encryption")] for part in (imap, smtp)]
    assert told == [["IMAP", "mail.lycee.example", "993", "on", "SSL"], ["SMTP", "smtp.lycee.example", "587", "off", "TLS"]]
    assert imap.findtext(f"{A}LoginName") == "alice@lycee.example"


def test_who_has_an_account_is_not_told(visitor):
    there, not_there = (post(visitor, asked(f"{name}@lycee.example")).text for name in ("alice", "zelda"))
    assert there.replace("alice", "zelda") == not_there
    there, not_there = (visitor.get(f"{WELL_KNOWN}?emailaddress={name}@lycee.example").data for name in ("alice", "zelda"))
    assert there == not_there


@pytest.mark.parametrize("address", ["alice@elsewhere.example", "alice@lycee.example.evil.example", "x@", "@"])
def test_other_domains_have_no_servers_here(visitor, address):
    assert visitor.get(WELL_KNOWN, query_string={"emailaddress": address}).status_code == 404
    assert post(visitor, asked(address)).status_code == 404


def test_a_domain_is_ours_in_the_letters_of_its_language_too(settings, alice):
    visitor = Browser(build(replace(settings, domains=(Domain("collège.example"),))))
    for domain in ("collège.example", "Collège.example", "xn--collge-6ua.example"):
        assert visitor.get(WELL_KNOWN, query_string={"emailaddress": f"alice@{domain}"}).status_code == 200
        assert post(visitor, asked(f"alice@{domain}")).status_code == 200
    assert visitor.get(WELL_KNOWN, query_string={"emailaddress": f"alice@{'é' * 80}.example"}).status_code == 404


def test_activesync_is_said_not_to_be_here(visitor):
    answer = post(visitor, asked(schema="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"))
    assert answer.status_code == 200
    assert "<ErrorCode>601</ErrorCode>" in answer.text
    assert "mail.lycee.example" not in answer.text


def test_where_no_server_is_known_by_a_name_there_is_nothing(settings, alice):
    visitor = Browser(build(replace(settings, mail_server="", devices=Devices())))
    assert visitor.get(WELL_KNOWN).status_code == 404
    assert post(visitor, asked()).status_code == 404


def test_no_name_comes_from_the_request(app):
    visitor = Browser(app, "https://evil.example")
    for answer in (visitor.get(WELL_KNOWN), post(visitor, asked())):
        assert answer.status_code == 200
        assert "evil" not in answer.text


def test_an_address_is_never_markup(visitor):
    answer = post(visitor, asked("&lt;b>&amp;\"'@lycee.example"))
    assert "<b>" not in answer.text
    assert fromstring(answer.data).findtext(f".//{A}DisplayName") == "<b>&\"'@lycee.example"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<",
        b"\x00" * 100,
        "é".encode("latin-1"),
        b"emailaddress=alice@lycee.example",
        b"<?xml version='1.0' encoding='utf-7'?><a/>",
        b"<?xml version='1.0' encoding='rot13'?><a/>",
        asked("alice"),
        asked("x" * 250 + "@lycee.example"),
        asked("a&#10;b@lycee.example"),
        BOMB.encode() + asked("&j;@lycee.example").partition(b"?>")[2],
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b'<!DOCTYPE x [<!ENTITY % d SYSTEM "http://127.0.0.1/">%d;]><x/>',
        b"<a>" * 1000,
        b"<a b='" + b"x" * 8000 + b"'/>",
    ],
    ids=str,
)
def test_what_is_no_request_is_refused_at_once(visitor, body):
    began = time.process_time()
    answer = post(visitor, body)
    assert answer.status_code == 400
    assert time.process_time() - began < 1  # the first page of a process among them


def test_a_large_one_is_not_read(visitor):
    assert post(visitor, asked("x" * 10_000 + "@lycee.example")).status_code == 413
    assert post(visitor, b"<a>" * 10_000_000).status_code == 413


def test_it_sets_no_cookie_and_is_read_without_one(visitor):
    for answer in (visitor.get(WELL_KNOWN), post(visitor, asked())):
        assert "Set-Cookie" not in answer.headers
