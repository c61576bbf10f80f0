"""Attachments that hide more than they show, as visits on a real Dovecot: wrapped messages, winmail.dat, archives, links that lie."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Callable
from email.message import EmailMessage
from email.mime.message import MIMEMessage
from email.mime.text import MIMEText
from pathlib import Path

import pytest

from deploy.demo.letters.tnef import attribute, properties, winmail
from tests.support.attachments import PNG, file, letter, opened, packed, zipped
from tests.support.visits import Visitor
from webmail.mime.formats.tnef import _EMBEDDED

Fill = Callable[..., list[int]]


def wrapped(inner: bytes, encoding: str) -> bytes:
    """A message that carries another one under an encoding, as RFC 2046 section 5.2.1 forbids."""
    body = base64.encodebytes(inner) if encoding == "base64" else quopri.encodestring(inner)
    head = (
        "Subject: Dehors\nFrom: Bob Girard <bob@lycee.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nVoir\n--b\nContent-Type: message/rfc822\nContent-Disposition: attachment\n"
        f"Content-Transfer-Encoding: {encoding}\n\n"
    )
    return (head.encode() + body + b"\n--b--\n").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def inner_letter() -> EmailMessage:
    innermost = EmailMessage()
    innermost["Subject"], innermost["From"] = "Le plus profond", "zoe@x.example"
    innermost.set_content("Au fond")
    innermost.add_attachment(b"%PDF-1.5", "application", "pdf", filename="fond.pdf")
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "Élections", "Claire Rey <claire@x.example>", "alice@lycee.example"
    made.set_content("En texte")
    made.add_alternative('<p>En <b>HTML</b> <img src="cid:logo"></p>', subtype="html")
    made.get_payload()[1].add_related(PNG, "image", "png", cid="<logo>")  # type: ignore[union-attr, index]
    made.add_attachment("Le plan", filename="plan.txt")
    made.add_attachment(innermost)
    return made


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_message_under_an_encoding_opens_in_place(person: Visitor, fill: Fill, encoding: str) -> None:
    uid = fill(person, wrapped(bytes(inner_letter()), encoding))[-1]
    page = person.get(f"/message/{uid}/INBOX")
    assert "Claire Rey" in page.one(".attached").get_text()
    inside = person.get(page.link("Élections"))
    assert inside.status == 200 and inside.one("h1").get_text() == "Élections"
    body = person.get(inside.one("iframe")["src"])
    assert body.one("b").get_text() == "HTML"
    assert person.get(body.one("img")["src"]).response.data == PNG
    assert "En texte" in person.get(inside.link("Show as plain text")).one("[data-message-body]").get_text()
    assert person.get(inside.link("plan.txt")).response.data.strip() == b"Le plan"
    assert "Le plan" in person.get(inside.link("Open plan.txt")).text
    assert "Claire Rey" in person.get(inside.link("Show all headers")).text
    assert b"Subject: =?utf-8?" in person.get(inside.link("Save as a file (.eml)")).response.data
    assert person.get(f"/zip/{uid}/INBOX?part=2").response.data.startswith(b"PK")
    deepest = person.get(inside.link("Le plus profond"))
    assert "Au fond" in deepest.one("[data-message-body]").get_text()
    assert person.get(deepest.link("fond.pdf")).response.data == b"%PDF-1.5"
    assert "fond.pdf" in person.get(deepest.link("Forward")).text
    assert "> En texte" in person.get(inside.link("Reply")).one("textarea").get_text()


def test_a_card_in_a_message_under_an_encoding_is_added_to_contacts(person: Visitor, fill: Fill) -> None:
    inner = inner_letter()
    inner.add_attachment(
        "BEGIN:VCARD\nVERSION:3.0\nFN:Nina Idrissi\nEMAIL:nina@x.example\nEND:VCARD\n", "vcard", filename="nina.vcf"
    )
    uid = fill(person, wrapped(bytes(inner), "base64"))[-1]
    inside = person.get(person.get(f"/message/{uid}/INBOX").link("Élections"))
    done = person.submit(inside, "form[action*='/contacts/from/']")
    assert "1 contact added" in done.notices
    assert "Nina Idrissi" in person.get("/contacts").text


def test_ways_that_lead_to_no_message_are_not_found(person: Visitor, fill: Fill) -> None:
    uid = fill(person, wrapped(bytes(inner_letter()), "base64"))[-1]
    for address in ("/inside/{}/2~9/INBOX", "/inside/{}/1~1/INBOX", "/inside/{}/2~1/INBOX", "/part/{}/2~7/INBOX", "/part/{}/2~/INBOX",
                    "/inside/{}/2~x/INBOX", "/inside/{}/2" + "~1" * 20 + "/INBOX", "/body/{}/INBOX?part=2~9", "/headers/{}/INBOX?part=2~9",
                    "/view/{}/~/INBOX"):  # fmt: skip
        assert person.get(address.format(uid)).status == 404, address


def test_winmail_shows_its_html_its_pictures_and_its_messages(person: Visitor, fill: Fill) -> None:
    rich = rb"{\rtf1\fromhtml1 {\*\htmltag64 <p>}Bonjour <b>tous</b>{\*\htmltag84 <img src=cid:logo><script>x()</script>}}"
    data = winmail() + attribute(1, 0x9003, properties({(0x0102, 0x1009): packed(rich)})) + attribute(2, 0x9002, bytes(14))
    data += attribute(2, 0x9005, properties({(0x1E, 0x3707): b"logo.png\0", (0x0102, 0x3701): PNG, (0x1E, 0x3712): b"logo\0"}))
    inner = winmail("Au fond", {"facture.exe": b"MZ"}) + attribute(1, 0x8004, b"Compte rendu\0")
    data += attribute(2, 0x9002, bytes(14))
    data += attribute(2, 0x9005, properties({(0x1E, 0x3001): b"CR\0", (0x0D, 0x3701): _EMBEDDED + inner}))
    _, page = opened(person, fill, letter("Outlook", file("winmail.dat", data, "ms-tnef")))
    address = page.link("Open winmail.dat")
    _, alone = opened(person, fill, letter("Seul", file("winmail.dat", data, "ms-tnef"), text=""))
    assert alone.one("[data-message-body] a")["href"].split("?")[0].endswith("/2/INBOX")
    shown = person.get(address)
    body = person.get(shown.one("iframe")["src"])
    assert "Bonjour" in body.text and "x()" not in body.text and "default-src 'none'" in body.headers["Content-Security-Policy"]
    picture = person.get(body.one("img")["src"])
    assert picture.response.data == PNG and picture.headers["Content-Type"] == "image/png"
    inside = person.get(shown.link("Open CR.dat"))
    assert (
        inside.one("h1").get_text() == "Compte rendu" and "Au fond" in inside.text and "facture.exe is a program" in inside.text
    )
    assert person.get(inside.link("facture.exe")).response.data == b"MZ"
    for more in ("&in=1", "&in=2.1", "&in=x", "&in=9", "&file=7", "&in=2&body=1"):
        assert person.get(address + more).status == 404, more


def test_archives_are_looked_into_before_they_are_opened(person: Visitor, fill: Fill) -> None:
    far = letter("Facture", file("facture.zip", zipped("facture.pdf.exe", filler=60_000), "zip"))
    far.replace_header("From", "x@far.example")
    _, page = opened(person, fill, far)
    assert "facture.zip (facture.pdf.exe) is an archive containing a program" in page.one(".trust").get_text()
    locked = letter("Facture", file("facture.zip", zipped("facture.pdf", locked=True), "zip"))
    locked.replace_header("From", "x@far.example")
    _, page = opened(person, fill, locked)
    assert "facture.zip is password-protected" in page.one(".trust").get_text()
    _, page = opened(person, fill, letter("Dehors", MIMEMessage(letter("Dedans", file("x.exe", b"MZ")))))
    assert "x.exe is a program" in person.get(page.link("Dedans")).one(".notice").get_text()


def test_a_link_that_lies_is_told_above_the_message(person: Visitor, fill: Fill) -> None:
    made = EmailMessage()
    made["Subject"], made["From"] = "Compte", "x@far.example"
    made.set_content('<p><a href="https://evil.example/login">www.ma-banque.fr</a></p>', subtype="html")
    _, page = opened(person, fill, made)
    assert "A link shows www.ma-banque.fr but leads to evil.example" in page.one(".trust").get_text()


def test_a_file_within_a_text_is_saved(person: Visitor, fill: Fill) -> None:
    uid = fill(person, (Path(__file__).parents[2] / "samples/uuencoded.eml").read_bytes())[-1]
    page = person.get(f"/message/{uid}/INBOX")
    assert "[notes.txt]" in page.one("[data-message-body]").get_text() and "begin 644" not in page.text
    saved = person.get(page.link("notes.txt"))
    assert saved.response.data.startswith(b"Le contenu du fichier") and "attachment" in saved.headers["Content-Disposition"]
    for address in ("/packed/{}/1/2/INBOX", "/packed/{}/9/1/INBOX", "/packed/{}/1/0/INBOX"):
        assert person.get(address.format(uid)).status == 404, address


def test_texts_stand_apart_and_no_text_is_said(person: Visitor, fill: Fill) -> None:
    one, other = MIMEText("Sommaire"), MIMEText("Pied de page")
    _, page = opened(person, fill, letter("Digest", one, other, text=""))
    assert page.one("[data-message-body]").get_text(" ").split() == ["Sommaire", "Pied", "de", "page"] and page.one(
        ".text-body hr"
    )
    _, page = opened(person, fill, letter("Rien", text=" \n"))
    assert "This message has no text" in page.one("[data-message-body]").get_text()
