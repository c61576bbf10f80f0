"""Attaching messages and files from one's own mail: visits without scripts."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

import pytest

from tests.support.compose_form import FORM, text_of, value_of, write
from webmail.imap.connections.connection import Connection
from webmail.models import AttachmentRow, DraftRow

LIST = "main form"


def letter(subject="Dossier", files=(), size=300):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Bob <bob@x.example>", "alice@x.example", subject
    message.set_content("Voici.\n")
    for name in files:
        content = (name.encode() * (size // len(name) + 1))[:size]
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes(policy=email.policy.SMTP)


@pytest.fixture
def put(imap_of):
    def append(person, content, mailbox="INBOX"):
        client = imap_of(person.address)
        if not client.folder_exists(mailbox):
            client.create_folder(mailbox)
        client.append(mailbox, content)
        client.select_folder(mailbox, readonly=True)
        return client.search()[-1]

    return append


def choose(person, **fields):
    return write(person, action="from-mail", **fields)


def values(page):
    return {tag.find_parent("tr").get_text(" ", strip=True): tag["value"] for tag in page.all("input[name=ticked]")}


def value_for(page, words):
    return next(value for text, value in values(page).items() if words in text)


def button(page, words):
    return next(tag["value"] for tag in page.all("button[name=action]") if words in tag.get("aria-label", ""))


def names():
    return [row.filename for row in AttachmentRow.select().order_by(AttachmentRow.id)]


def contents(app):
    root = app.extensions["settings"].uploads_folder
    return [open(f"{root}/{a.draft_id}/{a.stored}", "rb").read() for a in AttachmentRow.select().order_by(AttachmentRow.id)]


def test_a_message_and_a_file_are_attached_and_the_text_stays(alice, app, put):
    first = letter("Re: Sortie/juin")
    put(alice, first)
    put(alice, letter("Papiers", ["plan.pdf", "liste.pdf"]))
    page = choose(alice, to="bob@x.example", subject="Voici", body="Comme promis")
    assert list(values(page))[0].startswith("Papiers"), "newest first"
    assert "attach another 2.2 MB" in page.text.replace("\xa0", " ")
    page = alice.submit(page, LIST, ticked=[value_for(page, "juin")], action=button(page, "Files in “Papiers”"))
    assert "1 more is selected on other pages" in page.text
    page = alice.submit(page, LIST, ticked=[value_for(page, "liste.pdf")], action="attach")
    assert page.address.startswith("/compose/") and "at=attachments" in page.address
    assert "Attached: “Re Sortie-juin.eml”, “liste.pdf”." in page.notices.replace("\xa0", " ")
    assert page.one("#attachments").has_attr("autofocus") and len(page.all("[autofocus]")) == 1
    assert (value_of(page, "subject"), text_of(page)) == ("Voici", "Comme promis")
    assert names() == ["Re Sortie-juin.eml", "liste.pdf"]
    assert contents(app) == [first, (b"liste.pdf" * 40)[:300]]
    assert [row.type for row in AttachmentRow.select().order_by(AttachmentRow.id)] == ["message/rfc822", "application/pdf"]
    assert len(DraftRow.select()) == 1


def test_ticks_survive_pages_searches_and_folders(alice, put):
    for number in range(53):
        put(alice, letter(f"Mot {number:02d}"))
    put(alice, letter("Ailleurs"), "Projets")
    alice.get("/mailbox/INBOX", reload=True)  # the folders are counted anew
    page = choose(alice)
    assert len(values(page)) == 50
    page = alice.submit(page, LIST, ticked=[value_for(page, "Mot 50")], action="page:2")
    assert len(values(page)) == 3
    page = alice.submit(page, LIST, ticked=[value_for(page, "Mot 00")], **{"for": "subject:ailleurs", "in": "*"}, action="search")
    assert list(values(page)) == [next(iter(values(page)))] and "Ailleurs" in page.text and "2 more are selected" in page.text
    page = alice.submit(page, LIST, ticked=[value_for(page, "Ailleurs")], **{"for": "", "in": "INBOX"}, action="search")
    assert [box["value"] for box in page.all("input[name=ticked][checked]")] == [value_for(page, "Mot 50")]
    page = alice.submit(page, LIST, ticked=[], action="attach")
    assert names() == ["Mot 00.eml", "Ailleurs.eml"], "one that is unticked does not come"
    page = alice.submit(choose(alice), LIST, action="attach")
    assert "Select messages or files first" in page.notices.replace("\xa0", " ")


def test_what_cannot_be_attached_is_named_and_the_others_come(alice, put, imap_of):
    put(alice, letter("Grand", ["film.pdf"], 1_200_000))
    put(alice, letter("Enorme", ["trop.pdf"], 2_600_000))
    put(alice, letter("Petit"))
    put(alice, letter("Parti"))
    page = choose(alice)
    assert page.one(f"input[value='{value_for(page, 'Enorme')}']").has_attr("disabled") and "too large" in page.text
    chosen = [value_for(page, word) for word in ("Grand", "Enorme", "Petit", "Parti")]
    client = imap_of(alice.address)
    client.select_folder("INBOX")
    client.delete_messages([client.search()[-1]])
    client.expunge()
    page = alice.submit(page, LIST, ticked=chosen, action="attach")
    assert names() == ["Grand.eml", "Petit.eml"]
    assert "Could not attach “Enorme.eml”. Messages are limited to 3 MB" in page.notices.replace("\xa0", " ")
    assert "1 selected item is no longer there" in page.notices.replace("\xa0", " ")


def test_a_folder_made_anew_says_so(alice, put):
    put(alice, letter("Ancien"), "Projets")
    page = alice.submit(choose(alice), LIST, **{"in": "Projets"}, action="search")
    uid, validity, folder = value_for(page, "Ancien").split(":")
    stale = f"{uid}:{int(validity) - 1}:{folder}"
    after = alice.submit(page, LIST, ticked=[stale], action="attach")
    assert "changed on the server" in after.notices and not names()
    assert alice.submit(page, LIST, action=f"files:{stale}").status == 410


def test_other_peoples_drafts_and_words_that_make_no_sense(alice, bob, put):
    uid = put(bob, letter("Secret"))
    page = choose(alice)
    stranger = page.address.partition("?")[0]
    piece = alice.get(page.address, htmx="main")
    assert piece.one("main h1").get_text() == "Attach from my mail" and not piece.all("html")
    assert bob.get(stranger).status == 404
    token = bob.get("/compose").one("main [name=csrf_token]")["value"]
    assert bob.post(stranger, {"csrf_token": token, "action": "attach", "ticked": f"{uid}:1:INBOX"}).status == 404
    assert alice.get(f"{stranger}/99999999999/INBOX").status == 404
    assert alice.get(f"{stranger}/7/INBOX").status == 404
    assert alice.get(f"{stranger}/7/Nowhere").status == 404
    page = alice.submit(page, LIST, ticked=["x", "7:1", "7/../2:1:INBOX", "7:1:Nowhere"], action="attach")
    assert "1 selected item is no longer there" in page.notices and not names()


def test_a_large_message_is_never_whole_in_memory(alice, app, put, monkeypatch):
    object.__setattr__(app.extensions["settings"], "message_limit_mb", 30)
    put(alice, letter("Gros", ["film.pdf"], 8_000_000))
    page = choose(alice)
    sizes, run = [], Connection._run

    def measured(self, commands):
        answer = run(self, commands)
        sizes.extend(
            len(piece) for lines in answer.values() for line in lines for piece in (line or ()) if isinstance(piece, bytes)
        )
        return answer

    monkeypatch.setattr(Connection, "_run", measured)
    alice.submit(page, LIST, ticked=[value_for(page, "Gros")], action="attach")
    assert names() == ["Gros.eml"] and len(contents(app)[0]) > 8_000_000
    assert max(sizes) <= 512 * 1024


def test_a_selection_is_forwarded_as_attachments(alice, app, put, work, bob, stored):
    one, two = put(alice, letter("Un")), put(alice, letter("Deux"))
    page = alice.get("/mailbox/INBOX")
    url, button = page.one("#messages")["action"], page.one("#messages [value=together]")
    assert button.get_text(strip=True) == "Forward as attachments"
    validity = page.one("#messages [name=v]")["value"]
    token = page.one("#messages [name=csrf_token]")["value"]
    sent = {"csrf_token": token, "v": validity, "back": "/mailbox/INBOX", "action": "together"}
    assert "Select messages first" in alice.post(url, sent).notices
    page = alice.post(url, {**sent, "uids": [str(two), str(one)]})
    assert page.address.startswith("/compose/") and names() == ["Un.eml", "Deux.eml"]
    alice.submit(page, FORM, to=bob.address, subject="Les deux", body="Voir", action="send")
    work()
    message = stored(bob, "INBOX")[0]
    assert [part.get_content_type() for part in message.iter_attachments()] == ["message/rfc822"] * 2
    page = alice.post(url, {**sent, "uids": str(one)})
    assert value_of(page, "subject") == "Fwd: Un" and names() == ["Un.eml"]
    assert "at least" not in page.notices.replace("\xa0", " ")
    stale = alice.post(url, {**sent, "v": str(int(validity) - 1), "uids": [str(two), str(one)]})
    assert stale.address == "/mailbox/INBOX" and "changed on the server" in stale.notices
    assert len(DraftRow.select()) == 1


def test_too_many_of_a_selection(alice, put):
    for number in range(51):
        put(alice, letter(f"Mot {number:02d}"))
    page = alice.get("/mailbox/INBOX?select=all")
    token = page.one("#messages [name=csrf_token]")["value"]
    sent = {"csrf_token": token, "all": "1", "matching": "", "back": "/mailbox/INBOX"}
    assert "up to 50 messages" in alice.post("/forward-together/INBOX", sent).notices
    page = alice.post("/forward-together/INBOX", {**sent, "matching": "subject:mot subject:07"})
    assert value_of(page, "subject") == "Fwd: Mot 07"
