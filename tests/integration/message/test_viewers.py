"""Each kind of part in its viewer, as visits on a real Dovecot."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from email.mime.image import MIMEImage
from email.mime.message import MIMEMessage
from email.mime.text import MIMEText

from deploy.demo.letters.tnef import winmail
from tests.support.attachments import PNG, file, letter, opened
from tests.support.messages import message
from tests.support.settings_pages import choose
from tests.support.visits import Visitor

Fill = Callable[..., list[int]]

INVITATION = """BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VEVENT
UID:1@lycee.example
SUMMARY:Conseil de classe
DTSTART:20261201T170000Z
DTEND:20261201T183000Z
LOCATION:Salle 12
ORGANIZER;CN=Claire Rey:mailto:claire@lycee.example
ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@lycee.example
RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=3
END:VEVENT
END:VCALENDAR
"""
CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Zoé Dupont\nN:Dupont;Zoé;;;\nEMAIL:zoe@x.example\nTEL:+33 4 72 00 00 00\nORG:Lycée Ampère\nEND:VCARD\n"
STATUS = """Reporting-MTA: dns; mx.lycee.example

Final-Recipient: rfc822; personne@x.example
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp; 550 5.1.1 <personne@x.example>: Recipient address rejected: User unknown
"""


def report(subject: str, kind: str, *parts: tuple[str, str]) -> bytes:
    """A multipart/report (RFC 6522) as it comes, its parts as (type, content)."""
    head = f'Subject: {subject}\nFrom: MAILER-DAEMON@lycee.example\nContent-Type: multipart/report; report-type={kind}; boundary="b"\n'
    body = "".join(f"--b\nContent-Type: {one}\n\n{content}\n" for one, content in parts)
    return f"{head}MIME-Version: 1.0\n\n{body}--b--\n".replace("\n", "\r\n").encode()


def test_an_attached_message_opens_in_place_to_any_depth(person: Visitor, fill: Fill) -> None:
    innermost = letter("Le plus profond", file("plan.pdf", b"%PDF-1.4", "pdf"), text="Au fond")
    middle = letter("Au milieu", MIMEMessage(innermost), text="Entre les deux")
    _, page = opened(person, fill, letter("Dehors", MIMEMessage(middle)))
    card = page.one(".attached")
    assert "Au milieu" in card.get_text() and "Bob Girard" in card.get_text()
    inside = person.get(page.link("Au milieu"))
    assert inside.status == 200
    assert inside.one("h1").get_text() == "Au milieu"
    assert "Entre les deux" in inside.one("[data-message-body]").get_text()
    deepest = person.get(inside.link("Le plus profond"))
    assert "Au fond" in deepest.one("[data-message-body]").get_text()
    saved = person.get(deepest.link("plan.pdf"))
    assert saved.response.data == b"%PDF-1.4"
    forwarded = person.get(deepest.link("Forward"))
    assert "Le plus profond" in forwarded.one("[name=subject]")["value"]
    assert "plan.pdf" in forwarded.text
    reply = person.get(inside.link("Reply"))
    assert "> Entre les deux" in reply.one("textarea[name=text], textarea[name=body]").get_text()
    headers = person.get(inside.link("Show all headers"))
    assert "Au milieu" in headers.text


def test_an_attached_html_message_has_its_frame_and_its_pictures(person: Visitor, fill: Fill) -> None:
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "Belle", "bob@lycee.example"
    inner.set_content("Sans images")
    inner.add_alternative('<p>Avec <img src="cid:logo" alt="logo"></p>', subtype="html")
    inner.get_payload()[1].add_related(PNG, "image", "png", cid="<logo>")  # type: ignore[union-attr, index]
    _, page = opened(person, fill, letter("Dehors", MIMEMessage(inner)))
    inside = person.get(page.link("Belle"))
    body = person.get(inside.one("iframe")["src"])
    assert "Avec" in body.text
    picture = person.get(body.one("img")["src"])
    assert picture.headers["Content-Type"] == "image/png" and picture.response.data == PNG


def test_what_is_no_attached_message_is_not_found(person: Visitor, fill: Fill) -> None:
    uid, _ = opened(person, fill, letter("Rien", file("a.bin", b"x")))
    for address in ("/inside/{}/2/INBOX", "/inside/{}/7.1/INBOX", "/inside/{}/x/INBOX", "/body/{}/INBOX?part=2", "/view/{}/2/INBOX",
                    "/winmail/{}/2/INBOX", "/winmail/{}/9/INBOX", "/headers/{}/INBOX?part=0"):  # fmt: skip
        assert person.get(address.format(uid)).status == 404, address


def test_a_bounce_says_who_was_not_reached_and_why(person: Visitor, fill: Fill) -> None:
    bounce = report(
        "Undelivered Mail",
        "delivery-status",
        ("text/plain", "I could not deliver your message."),
        ("message/delivery-status", STATUS),
        ("text/rfc822-headers", "Subject: =?utf-8?q?R=C3=A9union?=\nTo: personne@x.example\n"),
    )
    _, page = opened(person, fill, bounce)
    card = page.one("[aria-label='Delivery report']")
    assert "personne@x.example: not delivered" in card.h3.get_text()
    assert "This address does not exist" in card.get_text()
    assert "User unknown" in card.details.get_text()
    assert "Réunion" in page.one("[aria-label='Your message']").get_text()
    assert not page.all(".files")
    assert "Reporting-MTA" in person.get(page.all("[aria-label='Delivery report'] a")[-1]["href"]).text


def test_a_receipt_is_told_in_words(person: Visitor, fill: Fill) -> None:
    words = "Final-Recipient: rfc822; zoe@x.example\nDisposition: manual-action/MDN-sent-manually; displayed\n"
    receipt = report("Lu", "disposition-notification", ("text/plain", "Lu."), ("message/disposition-notification", words))
    _, page = opened(person, fill, receipt)
    assert "opened by zoe@x.example" in page.one("[aria-label='Read receipt']").get_text()


def test_an_invitation_is_a_card_in_local_time(person: Visitor, fill: Fill) -> None:
    calendar = MIMEText(INVITATION, "calendar", "utf-8")
    calendar.set_param("method", "REQUEST")
    _, page = opened(person, fill, letter("Invitation", calendar))
    card = page.one("[aria-label=Invitation]").get_text(" ", strip=True)
    assert "Conseil de classe" in card and "Salle 12" in card and "Claire Rey" in card
    assert "1 December 2026" in card and "18:00" in card and "19:30" in card  # Europe/Paris
    assert "every week on Tuesday, 3 times" in card
    assert person.get(page.link("Save the calendar file (.ics)")).response.data.startswith(b"BEGIN:VCALENDAR")


def test_a_visiting_card_is_a_card(person: Visitor, fill: Fill) -> None:
    _, page = opened(person, fill, letter("Carte", MIMEText(CARD, "vcard", "utf-8")))
    card = page.one("[aria-label=Contact]")
    assert "Zoé Dupont" in card.get_text() and "Lycée Ampère" in card.get_text() and "+33 4 72 00 00 00" in card.get_text()
    assert card.find("a", string="zoe@x.example") or "to=zoe" in str(card)


def test_broken_cards_stay_files(person: Visitor, fill: Fill) -> None:
    parts = [("text/calendar", "BEGIN:VCALENDAR\nnothing"), ("text/vcard", "hello"), ("message/delivery-status", "x")]
    _, page = opened(person, fill, report("Broken", "delivery-status", ("text/plain", "Hello"), *parts))
    assert page.status == 200
    assert len(page.all(".files li")) == 3 and not page.all(".cards")


def test_winmail_is_unpacked(person: Visitor, fill: Fill) -> None:
    data = winmail("Bonjour à tous", {"Emploi du temps été.txt": b"lundi", "../../etc/passwd": b"x"})
    _, page = opened(person, fill, letter("Outlook", file("winmail.dat", data, "ms-tnef")))
    inside = person.get(page.link("Open winmail.dat"))
    assert "Bonjour à tous" in inside.text
    saved = person.get(inside.link("Emploi du temps été.txt"))
    assert saved.response.data == b"lundi" and "attachment" in saved.headers["Content-Disposition"]
    assert "passwd" in inside.text and "etc/" not in inside.text
    assert person.get(str(inside.all(".files a")[0]["href"]).replace("file=1", "file=9")).status == 404


def test_a_broken_winmail_says_so(person: Visitor, fill: Fill) -> None:
    _, page = opened(person, fill, letter("Outlook", file("winmail.dat", b"\x78\x9f\x3e\x22" + b"\xff" * 60, "ms-tnef")))
    inside = person.get(page.link("Open winmail.dat"))
    assert inside.status == 200 and "could not be read" in inside.text and "This file is empty" not in inside.text
    _, page = opened(person, fill, letter("Outlook 2", file("winmail.dat", b"no", "ms-tnef")))
    assert "could not be read" in person.get(page.link("Open winmail.dat")).text


def test_pictures_are_shown_small_and_not_on_slow_lines(person: Visitor, fill: Fill) -> None:
    picture = MIMEImage(PNG, "png")
    picture.add_header("Content-Disposition", "attachment", filename="vue.png")
    uid, page = opened(person, fill, letter("Photos", picture, file("dessin.svg", b"<svg/>", "svg+xml")))
    image = page.one(".previews img")
    assert image["loading"] == "lazy" and image["alt"] == "vue.png"
    shown = person.get(image["src"])
    assert shown.headers["Content-Type"] == "image/png" and "inline" in shown.headers["Content-Disposition"]
    assert len(page.all(".files li")) == 1
    person.client.environ_base["HTTP_SAVE_DATA"] = "on"
    assert not person.get(f"/message/{uid}/INBOX").all(".previews")
    del person.client.environ_base["HTTP_SAVE_DATA"]


def test_text_files_open_on_a_page_where_nothing_runs(person: Visitor, fill: Fill) -> None:
    _, page = opened(
        person, fill,
        letter("Notes", file("notes.csv", "a;b\n<script>alert(1)</script>;é\n".encode(), "octet-stream"), file("page.html", b"<p>Salut<script>x()</script>", "octet-stream")),
    )  # fmt: skip
    shown = person.get(page.link("Open notes.csv"))
    assert "<script>alert(1)</script>;é" in shown.text and not shown.all(".text-body script")
    assert not [a for a in page.all("a") if a.get("aria-label") == "Open page.html"]


def test_all_files_come_as_one_archive_with_names_of_their_own(person: Visitor, fill: Fill) -> None:
    uid, page = opened(
        person, fill, letter("Dossier : été", file("a.txt", b"1"), file("A.TXT", b"2"), file("../b.pdf", b"%PDF", "pdf"))
    )
    answer = person.get(page.link("Save all (.zip)"))
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.response.data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.txt", "A (2).TXT", "b.pdf"]
        assert archive.read("A (2).TXT") == b"2"
    assert person.get(f"/zip/{fill(person, message('Vide'))[-1]}/INBOX").status == 404


def test_large_files_are_streamed_into_the_archive(person: Visitor, fill: Fill) -> None:
    large = bytes(range(256)) * 8_000
    uid, _ = opened(person, fill, letter("Gros", file("a.txt", b"1"), file("gros.bin", large), file("z.txt", b"2")))
    with zipfile.ZipFile(io.BytesIO(person.get(f"/zip/{uid}/INBOX").response.data)) as archive:
        assert archive.namelist() == ["a.txt", "gros.bin", "z.txt"]
        assert archive.read("gros.bin") == large and archive.read("z.txt") == b"2"


def test_a_message_with_more_parts_than_are_looked_at_makes_no_archive(person: Visitor, fill: Fill) -> None:
    uid, page = opened(person, fill, letter("Mille", *(file(f"{n}.bin", b"x") for n in range(1_100))))
    assert "more files than are shown" in page.text and not page.all("a[href^='/zip/']")
    answer = person.get(f"/zip/{uid}/INBOX")
    assert answer.status == 422 and "won’t fit in one ZIP file" in answer.text


def test_an_archive_that_breaks_off_is_an_error_page(person: Visitor, fill: Fill, monkeypatch) -> None:
    from webmail.errors import ServerAwayError
    from webmail.imap.reading import messages

    uid, _ = opened(person, fill, letter("Dossier", file("a.txt", b"1"), file("b.txt", b"2")))

    def broken(*_args: object) -> None:
        raise ServerAwayError("broke off")

    monkeypatch.setattr(messages, "parts", broken)
    answer = person.get(f"/zip/{uid}/INBOX")
    assert answer.status == 502 and "mail server is not responding" in answer.text


def test_headers_are_shown_in_their_order(person: Visitor, fill: Fill) -> None:
    _, page = opened(person, fill, message("Réunion", X_Odd="one " * 60))
    shown = person.get(page.link("Show all headers"))
    names = [dt.get_text() for dt in shown.all("dl.facts dt")]
    assert names.index("From") < names.index("Subject") < names.index("X-Odd")
    assert "Réunion" in shown.text and ("one " * 60).strip() in shown.text


def test_printing_needs_no_script_and_shows_everything(person: Visitor, fill: Fill) -> None:
    made = message("Long", "réponse\n\n" + "\n".join(f"> ligne {n}" for n in range(20)))
    uid, page = opened(person, fill, made)
    printed = person.get(page.link("Print"))
    assert "ligne 19" in printed.text and not printed.all("details, script, nav, form")
    made = EmailMessage()
    made["Subject"], made["From"] = "Belle", "bob@lycee.example"
    made.set_content("<h2>Titre</h2><script>alert(1)</script>", subtype="html")
    uid, page = opened(person, fill, made)
    printed = person.get(f"/print/{uid}/INBOX")
    assert printed.one(".mail h2").get_text() == "Titre" and not printed.all("script")
    assert "sandbox" in printed.headers["Content-Security-Policy"] and "no-store" in printed.headers["Cache-Control"]


def test_text_first_for_slow_lines(person: Visitor, fill: Fill) -> None:
    made = EmailMessage()
    made["Subject"], made["From"] = "Deux formes", "bob@lycee.example"
    made.set_content("La forme simple")
    made.add_alternative("<p>La belle forme</p>", subtype="html")
    uid, page = opened(person, fill, made)
    assert page.all("iframe")
    choose(person, prefer_text="y")
    page = person.get(f"/message/{uid}/INBOX")
    assert "La forme simple" in page.one("[data-message-body]").get_text() and not page.all("iframe")
    assert person.get(page.link("Show original formatting")).all("iframe")
    made.clear_content()
    made.set_content("<p>Rien que la belle</p>", subtype="html")
    _, page = opened(person, fill, made)
    assert page.all("iframe")  # there is no text to go first


def test_a_text_that_only_asks_for_html_is_not_put_first(person: Visitor, fill: Fill) -> None:
    made = EmailMessage()
    made["Subject"], made["From"] = "Lettre", "bob@lycee.example"
    made.set_content("Ce message nécessite un lecteur HTML.")
    made.add_alternative('<p>La belle forme</p><img src="https://news.example/a.png">', subtype="html")
    around = letter("Dehors", MIMEMessage(made))
    choose(person, prefer_text="y")
    uid, page = opened(person, fill, made)
    body = page.one(".html-body iframe")
    assert "La belle forme" in person.get(body["src"]).text
    assert "nécessite un lecteur" not in page.one("main").get_text()
    assert page.all("form.images")  # they were looked for in the HTML
    as_text = person.get(page.link("Show as plain text"))
    assert "nécessite un lecteur" in as_text.text and not as_text.all(".html-body")
    assert "La belle forme" in person.get(f"/print/{uid}/INBOX").text
    assert person.get(f"/conversation/{uid}/INBOX").all(".html-body iframe")
    *_, outer = fill(person, around)
    assert person.get(f"/inside/{outer}/2/INBOX").all(".html-body iframe")


def test_the_pages_come_as_fragments(person: Visitor, fill: Fill) -> None:
    uid, _ = opened(person, fill, letter("Dehors", MIMEMessage(letter("Dedans")), file("n.txt", b"x", "octet-stream")))
    for address in (f"/inside/{uid}/2/INBOX", f"/view/{uid}/3/INBOX", f"/headers/{uid}/INBOX"):
        answer = person.get(address, htmx="main")
        assert answer.status == 200 and answer.all("main") and not answer.all("body"), address
