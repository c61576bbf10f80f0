"""Answers and forwards that keep the HTML of the original, as visits without scripts: what is sent, kept in drafts, taken out."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from email.utils import make_msgid

import pytest

from tests.support.compose_form import FORM, file, text_of, value_of, write
from tests.support.images import picture
from tests.support.settings_pages import choose
from webmail.compose.attachments import uploads
from webmail.errors import ServerAwayError
from webmail.models import AttachmentRow, DraftRow
from webmail.storage import StorageAwayError

LOGO, PHOTO = picture(grey=1), picture(grey=2)
HTML = """<html><head><style>p{color:red}</style></head><body><p>La <b>liste</b> :</p>
<table border="1"><tr><td>Lundi</td><td>9 h</td></tr></table>
<p><img src="cid:logo" alt="Logo"> <img src="https://news.example/a.png" alt="Ailleurs"></p>
<script>alert(1)</script><p><a href="https://lycee.example/menu">menu</a></p>
<div class="gmail_signature">Bob Martin <img src="cid:sig"></div></body></html>"""
TYPED = "Merci **beaucoup**.\n"


def letter(html=HTML, text="Texte seul.\n", files=(), pictures=(("logo", LOGO), ("sig", PHOTO)), **headers):
    message = EmailMessage()
    given = {"From": "Bob <bob@x.example>", "To": "alice@x.example", "Subject": "Sortie", "Message-ID": make_msgid(), **headers}
    for name, value in given.items():
        message[name] = value
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    for name, content in pictures:
        message.get_payload()[1].add_related(
            content, "image", "png", cid=f"<{name}>", filename=f"{name}.png", disposition="inline"
        )
    for name, content in files:
        message.add_attachment(content, "application", "pdf", filename=name)
    return message


@pytest.fixture
def formatted(alice):
    choose(alice, write_format="markdown")
    return alice


@pytest.fixture
def fetched(imap_of):
    """The newest message of a folder, parsed."""

    def fetch(person, mailbox):
        client = imap_of(person.address)
        client.select_folder(mailbox)
        uid = max(client.search())
        return email.message_from_bytes(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"], policy=email.policy.default)

    return fetch


def html_of(message):
    return message.get_body(("html",)).get_content()


def plain_of(message):
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def pictures_in(message):
    return {p["Content-ID"].strip("<>"): p.get_content() for p in message.walk() if p["Content-ID"]}


def begin(person, fill, way="reply", message=None):
    *_, uid = fill(person, message or letter())
    return person.get(f"/{way}/{uid}/INBOX")


def test_a_formatted_answer_has_the_table_the_bold_and_the_logo(formatted, bob, fill, work, fetched):
    page = begin(formatted, fill)
    assert text_of(page) == "" and "The original message is included below" in page.one(".compose-original summary").get_text()
    formatted.submit(page, FORM, to=bob.address, body=TYPED, action="send")
    work()
    message = fetched(bob, "INBOX")
    html, [(name, content)] = html_of(message), pictures_in(message).items()
    own, _attribution, quoted = html.partition("Bob wrote:")
    assert "<strong>beaucoup</strong>" in own and "<table" not in own
    assert "<b>liste</b>" in quoted and "<td>Lundi</td>" in quoted and "<blockquote" in html
    assert f'src="cid:{name}"' in quoted and content == LOGO
    assert "Bob Martin" not in html and "<style" not in html and "<script" not in html and "news.example" not in html
    text = plain_of(message)
    assert text.startswith("Merci **beaucoup**.\n\nOn ") and "> La liste :" in text and "> Lundi  9 h" in text
    assert not list(message.iter_attachments())
    frame = bob.get(bob.get("/message/1/INBOX").one(".html-body iframe")["src"])
    assert frame.all("td")[0].get_text() == "Lundi" and bob.get(frame.one("img[src]")["src"]).response.get_data() == LOGO


def test_a_forward_keeps_it_with_its_headers_its_signature_and_its_files(formatted, bob, fill, work, fetched):
    page = begin(formatted, fill, "forward", letter(files=[("menu.pdf", b"%PDF-1")]))
    assert [chip.get_text() for chip in page.all(".chip span")][0].startswith("menu.pdf") and len(page.all(".chip")) == 1
    formatted.submit(page, FORM, to=bob.address, body=TYPED, action="send")
    work()
    message = fetched(bob, "INBOX")
    html = html_of(message)
    assert "Bob Martin" in html and "<b>liste</b>" in html and 'src="https://news.example/a.png"' in html
    assert sorted(pictures_in(message).values()) == sorted([LOGO, PHOTO])
    assert all(f"cid:{name}" in html for name in pictures_in(message))
    assert [part.get_filename() for part in message.iter_attachments()] == ["menu.pdf"]
    text = plain_of(message)
    assert "---------- Forwarded message ----------" in text and "Subject:  Sortie" in text and "\nLundi  9 h" in text


def test_the_form_and_its_preview_show_it_and_fetch_nothing_from_the_web(formatted, fill):
    page = begin(formatted, fill)
    frame = formatted.get(page.one(".compose-original iframe")["src"])
    assert frame.one("b").get_text() == "liste" and "news.example" not in frame.text
    assert [formatted.get(one["src"]).response.get_data() for one in frame.all("img[src]")] == [LOGO]
    assert (
        "script" not in frame.headers["Content-Security-Policy"]
        and "default-src 'none'" in frame.headers["Content-Security-Policy"]
    )
    page = formatted.submit(page, FORM, body=TYPED, action="preview")
    shown = formatted.get(page.one("#rendered iframe")["src"])
    assert shown.one("strong").get_text() == "beaucoup" and shown.all("td")[0].get_text() == "Lundi"
    assert [formatted.get(one["src"]).response.get_data() for one in shown.all("img[src]")] == [LOGO]
    page = formatted.submit(page, FORM, format="", action="preview")
    assert "Lundi 9 h" in formatted.get(page.one("#rendered iframe")["src"]).text


def test_asked_for_twice_it_is_one_draft_and_nobody_elses(formatted, bob, fill):
    *_, uid = fill(formatted, letter())
    first, again = (formatted.get(f"/reply/{uid}/INBOX").address for _ in range(2))
    assert first == again and DraftRow.select().count() == 1 and AttachmentRow.select().count() == 2
    page = formatted.get(first)
    assert bob.get(page.one(".compose-original iframe")["src"]).status == 404
    assert bob.get("/compose/" + "0" * 32 + "/original").status == 404


def test_it_is_left_out_with_its_pictures(formatted, bob, fill, work, fetched):
    page = formatted.submit(begin(formatted, fill), FORM, to=bob.address, body=TYPED, action="leave-original")
    assert not page.all(".compose-original") and text_of(page) == TYPED and AttachmentRow.select().count() == 0
    formatted.submit(page, FORM, action="send")
    work()
    assert "liste" not in html_of(fetched(bob, "INBOX")) and not pictures_in(fetched(bob, "INBOX"))


def test_it_is_edited_as_text(formatted, bob, fill, work, fetched):
    page = formatted.submit(begin(formatted, fill), FORM, to=bob.address, body=TYPED, action="original-text")
    text = text_of(page)
    assert text.startswith("Merci **beaucoup**.\n\nOn ") and "> La liste :" in text and "> ![Logo](logo.png)" in text
    assert not page.all(".compose-original") and [one.filename for one in AttachmentRow.select()] == ["logo.png"]
    formatted.submit(page, FORM, body=text.replace("> La liste :", "> La liste :\nParfait !"), action="send")
    work()
    html = html_of(fetched(bob, "INBOX"))
    assert "Parfait" in html and list(pictures_in(fetched(bob, "INBOX")).values()) == [LOGO]


def test_a_draft_brings_it_back_on_another_device(app, formatted, bob, fill, work, fetched, imap_of):
    page = formatted.submit(begin(formatted, fill), FORM, to=bob.address, body=TYPED, action="save")
    saved = fetched(formatted, "Drafts")
    assert "<td>Lundi</td>" in html_of(saved) and "> Lundi  9 h" in plain_of(saved)
    for row in list(DraftRow.select()):
        row.delete_instance()
    client = imap_of(formatted.address)
    client.select_folder("Drafts")
    page = formatted.get(f"/draft/{max(client.search())}/Drafts")
    assert text_of(page).strip() == TYPED.strip() and len(page.all(".compose-original")) == 1 and not page.all(".chip")
    assert sorted(bool(one.content_id) for one in AttachmentRow.select()) == [True, True]
    page = formatted.submit(page, FORM, body=TYPED + "Encore.\n", action="save")
    formatted.submit(page, FORM, action="send")
    work()
    message = fetched(bob, "INBOX")
    html = html_of(message)
    assert html.count("<td>Lundi</td>") == 1 and "Encore." in html and list(pictures_in(message).values()) == [LOGO]
    assert plain_of(message).count("> Lundi  9 h") == 1


def test_a_draft_that_another_program_changed_is_taken_as_its_text(formatted, fill, imap_of):
    formatted.submit(begin(formatted, fill), FORM, to="x@y.example", body=TYPED, action="save")
    client = imap_of(formatted.address)
    client.select_folder("Drafts")
    uid = max(client.search())
    raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"].replace(b"> Lundi  9 h", b"> Mardi  9 h")
    for row in list(DraftRow.select()):
        row.delete_instance()
    client.append("Drafts", raw, flags=("\\Draft",))
    page = formatted.get(f"/draft/{max(client.search())}/Drafts")
    assert "> Mardi  9 h" in text_of(page) and not page.all(".compose-original")


def test_it_survives_undo_and_editing_from_the_outbox(formatted, bob, fill, work, fetched):
    choose(formatted, undo_seconds="30")
    formatted.submit(begin(formatted, fill), FORM, to=bob.address, body=TYPED, action="send")
    page = formatted.submit(formatted.get("/outbox"), ".outbox-row form", action="undo")
    assert len(page.all(".compose-original")) == 1 and text_of(page).strip() == TYPED.strip()


def test_written_as_plain_text_it_is_text(formatted, bob, fill, work, fetched):
    formatted.submit(begin(formatted, fill), FORM, to=bob.address, body="Merci.\n", format="", action="send")
    work()
    message = fetched(bob, "INBOX")
    assert message.get_content_type() == "text/plain" and "> Lundi  9 h" in message.get_content()


def test_plain_writers_and_those_who_quote_above_have_text(alice, fill):
    assert "> Texte seul." in text_of(begin(alice, fill))
    choose(alice, write_format="markdown", quote="above")
    page = begin(alice, fill)
    assert "> La liste :" in text_of(page) and "![Logo](logo.png)" in text_of(page) and "Bob Martin" not in text_of(page)
    assert not page.all(".compose-original")


def test_words_of_an_attachment_are_asked_about_in_spite_of_its_pictures(formatted, fill):
    page = begin(formatted, fill)
    page = formatted.submit(page, FORM, to="bob@x.example", body="Voir la pièce jointe.\n", action="send")
    assert "but nothing is attached" in page.one("#asked").get_text()


def test_sending_tells_on_the_form_that_the_original_is_gone(app, formatted, fill):
    page = begin(formatted, fill)
    with app.app_context():
        uploads.remove_all(app.extensions["settings"], DraftRow.get().id)
    page = formatted.submit(page, FORM, to="bob@x.example", body=TYPED, action="send")
    assert page.response.status_code == 422 and "A file is missing" in page.text
    assert text_of(page).strip() == TYPED.strip()


def test_a_picture_that_does_not_fit_is_left_out(formatted, fill):
    large = picture(grey=3) + bytes(2_900_000)
    begin(formatted, fill, message=letter(pictures=[("logo", large), ("sig", PHOTO)]))
    assert [one.type for one in AttachmentRow.select()] == ["text/html"]


def test_files_may_be_added_beside_it(formatted, bob, fill, work, fetched):
    page = begin(formatted, fill)
    page = formatted.submit(page, FORM, to=bob.address, body=TYPED, attachments=[file("a.pdf", b"%PDF-1")], action="attach")
    assert len(page.all(".chip")) == 1 and len(page.all(".compose-original")) == 1
    formatted.submit(page, FORM, action="send")
    work()
    message = fetched(bob, "INBOX")
    assert [part.get_filename() for part in message.iter_attachments()] == ["a.pdf"]
    assert "<td>Lundi</td>" in html_of(message) and value_of(page, "subject") == "Re: Sortie" and write


def test_a_fault_on_the_way_leaves_no_half_of_it_behind(formatted, fill, monkeypatch):
    *_, uid = fill(formatted, letter(files=[("menu.pdf", b"%PDF-1")]))

    def away(*_args, **_kwargs):
        raise ServerAwayError("gone")

    with monkeypatch.context() as patch:
        patch.setattr("webmail.compose.replies.reply.messages.parts", away)
        assert formatted.get(f"/forward/{uid}/INBOX").status == 502 and DraftRow.select().count() == 0
    page = formatted.get(f"/forward/{uid}/INBOX")
    assert [chip.get_text() for chip in page.all(".chip span")][0].startswith("menu.pdf")
    frame = formatted.get(page.one(".compose-original iframe")["src"])
    assert len(frame.all("img[src]")) == 2


@pytest.mark.parametrize("way", ["reply", "forward"])
@pytest.mark.parametrize("place", ["webmail.compose.attachments.uploads.write", "webmail.compose.attachments.uploads.sync"])
def test_while_no_file_can_be_kept_its_text_is_quoted(formatted, fill, way, place, monkeypatch):
    def away(*_args, **_kwargs):
        raise StorageAwayError("gone")

    monkeypatch.setattr(place, away)
    page = begin(formatted, fill, way)
    assert "La liste :" in text_of(page) and not page.all(".compose-original")
    assert ("Bob wrote:" if way == "reply" else "Forwarded message") in text_of(page)


def test_a_draft_whose_pictures_have_very_long_names_is_opened_with_them_as_files(formatted, fill, imap_of):
    formatted.submit(begin(formatted, fill), FORM, to="x@y.example", body=TYPED, action="save")
    [name] = [row.content_id for row in AttachmentRow.select() if row.filename == "logo.png"]
    client = imap_of(formatted.address)
    client.select_folder("Drafts")
    uid = max(client.search())
    raw = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"].replace(name.encode(), b"a" * 400 + b"@x.example")
    for row in list(DraftRow.select()):
        row.delete_instance()
    client.append("Drafts", raw, flags=("\\Draft",))
    page = formatted.get(f"/draft/{max(client.search())}/Drafts")
    assert len(page.all(".compose-original")) == 1 and len(page.all(".chip")) == 1
