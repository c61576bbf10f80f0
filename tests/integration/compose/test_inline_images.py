"""Pictures in the text, as visits without scripts: put in, sent, seen by who gets them, kept in answers, drafts and copies."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.utils import make_msgid

import pytest

from tests.support import bobs_letter
from tests.support.compose_form import FORM, file, text_of, write
from tests.support.images import picture
from tests.support.settings_pages import choose
from webmail.compose.replies import quoting
from webmail.imap.reading import messages
from webmail.models import AttachmentRow, DraftRow, Outbox

PHOTO, PLAN = picture(grey=1), picture(grey=2)


def letter(html, *parts, text="Texte seul.\n", **headers):
    """A message whose HTML has `parts`: (Content-ID, name, bytes) or (…, type)."""
    message = EmailMessage()
    given = {"From": "Bob <bob@x.example>", "To": "alice@x.example", "Subject": "Sortie", "Message-ID": make_msgid(), **headers}
    for name, value in given.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    for content_id, name, content, *kind in parts:
        body = message.get_payload()[1]
        main, _slash, sub = (kind or ["image/png"])[0].partition("/")
        body.add_related(content, main, sub, cid=f"<{content_id}>", filename=name, disposition="inline")
    return message


@pytest.fixture
def formatted(alice):
    choose(alice, write_format="markdown")
    return alice


@pytest.fixture
def above(formatted):
    """Who places the quotation above writes between its lines: it is text, with marks for the pictures."""
    choose(formatted, quote="above")
    return formatted


def names():
    return [row.filename for row in AttachmentRow.select().order_by(AttachmentRow.id)]


def format_of(page):
    return [option["value"] for option in page.all("select[name=format] option[selected]")]


def press(person, page, start="picture:", at=0):
    button = page.all(f"button[name=action][value^='{start}']")[at]
    return person.submit(page, FORM, action=button["value"])


def pictures_shown(person, page):
    """The bytes of the pictures in the frame of a page."""
    frame = person.get(page.one("[data-message-body] iframe")["src"])
    return [person.get(image["src"]).response.get_data() for image in frame.all("img[src]")]


# --- put in and sent -------------------------------------------------------------------------------------------------


def test_a_picture_is_put_in_the_text_seen_by_its_reader_and_no_attachment(alice, bob, work, stored):
    page = write(alice, to=bob.address, subject="Été", body="Voici :", attachments=[file("ma photo (1).png", PHOTO, "image/png"), file()],
                 action="attach")  # fmt: skip
    assert "turns formatting on" in page.one("#attachments").get_text()
    assert len(page.all("button[value^='picture:']")) == 1  # not for the PDF
    page = press(alice, page)
    assert "now formatted text" in page.notices
    assert (text_of(page), format_of(page)) == ("Voici :\n\n![ma photo 1](ma%20photo%20%281%29.png)\n", ["markdown"])
    page = alice.submit(page, FORM, action="preview")
    assert pictures_shown(alice, page) == [PHOTO]
    alice.submit(page, FORM, action="send")
    work()
    [got] = stored(bob, "INBOX")
    assert got.get_body(("plain",)).get_content().split() == ["Voici", ":", "[ma", "photo", "1]"]
    assert [part.get_filename() for part in got.iter_attachments()] == ["liste.pdf"]
    assert got.get_body(("related", "html"))  # RFC 2387
    [image] = [part for part in got.walk() if part.get_content_type() == "image/png"]
    assert (image.get_content(), image.get_content_disposition(), image["Content-ID"].partition("@")[2][:-1]) == (
        PHOTO, "inline", got["Message-ID"].partition("@")[2][:-1],
    )  # fmt: skip
    seen = bob.get(f"/message/{got.uid}/INBOX")
    assert pictures_shown(bob, seen) == [PHOTO]
    assert "photo" not in " ".join(link.get_text() for link in seen.all("a[href*='/part/']"))


def test_a_second_picture_goes_below_the_first_and_before_the_quotation(formatted, fill):
    [uid] = fill(formatted, bobs_letter.letter())
    page = formatted.submit(formatted.get(f"/reply/{uid}/INBOX"), FORM, action="attach",
                            attachments=[file("a.png", PHOTO, "image/png"), file("b.png", PLAN, "image/png")])  # fmt: skip
    page = press(formatted, press(formatted, page), at=1)
    assert text_of(page).startswith("![a](a.png)\n\n![b](b.png)\n\nOn ")
    assert "> Premier point." in text_of(page)


def test_a_picture_that_is_gone_changes_nothing(alice):
    page = write(alice, body="a", action="save")
    page = alice.submit(page, FORM, action="picture:999")
    assert "no longer there" in page.notices
    assert text_of(page) == "a"


def test_a_picture_named_but_not_here_is_asked_about(alice, bob, work, stored):
    page = write(alice, to=bob.address, subject="s", body="a", attachments=file("été.png", PHOTO, "image/png"), action="attach")
    page = press(alice, press(alice, page), "remove:")
    assert "![été](%C3%A9t%C3%A9.png)" in text_of(page)
    page = alice.submit(page, FORM, action="send")
    assert (page.status, "can’t be shown" in page.one("#asked").get_text()) == (422, True)
    alice.submit(page, FORM, action="send-anyway")
    work()
    assert [part.get_content_type() for part in stored(bob, "INBOX")[0].walk()][1:] == ["text/plain", "text/html"]


def test_a_hostile_name_is_only_a_name(alice, bob, work, stored):
    name = "x](javascript:alert(1)) ![y](https:t.example) \"><img src=x onerror=alert(1)>'.png"
    page = write(alice, to=bob.address, subject="s", body="a", attachments=file(name, PHOTO, "image/png"), action="attach")
    page = press(alice, page)
    assert text_of(page).count("](") == 1
    page = alice.submit(page, FORM, action="preview")
    frame = alice.get(page.one("#rendered iframe")["src"])
    assert (len(frame.all("img")), frame.all("a"), frame.all("[onerror]")) == (1, [], [])
    alice.submit(page, FORM, action="send")
    work()
    [got] = stored(bob, "INBOX")
    assert pictures_shown(bob, bob.get(f"/message/{got.uid}/INBOX")) == [PHOTO]


# --- the address of a picture ----------------------------------------------------------------------------------------


def test_a_picture_s_address_shows_it_to_its_owner_alone(alice, bob):
    svg = file("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png")
    page = write(
        alice, body="a", action="attach", attachments=[file("b.png", PHOTO, "image/svg+xml"), svg, file("c.gif", PLAN, "")]
    )
    rows = page.all("li[data-src]")
    assert [row["data-picture"] for row in rows] == ["![b](b.png)", "![c](c.gif)"]
    answer = alice.get(rows[0]["data-src"])
    assert (answer.response.get_data(), answer.headers["Content-Type"]) == (PHOTO, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store, no-cache"
    assert bob.get(rows[0]["data-src"]).status == 404
    other = next(row.id for row in AttachmentRow.select() if row.filename == "a.png")
    assert alice.get(re.sub(r"\d+$", str(other), rows[0]["data-src"])).status == 404
    own = write(alice, body="b", action="save").one(FORM)["action"]
    assert alice.get(f"{own}/picture/{rows[0]['data-src'].rpartition('/')[2]}").status == 404  # of another draft


# --- answers ---------------------------------------------------------------------------------------------------------

HTML = (
    '<p>Le <b>plan</b> :</p><p><img src="cid:plan@x" alt="plan du site"></p><p>et <img src="cid:photo@x"></p>'
    '<img src="https://t.example/1.png" alt="loin">'
)
PARTS = [("plan@x", "image.png", PLAN), ("photo@x", "image.png", PHOTO), ("unused@x", "unused.png", picture(grey=3))]


def test_a_formatted_answer_keeps_the_pictures_at_their_place(above, bob, fill, work, stored):
    [uid] = fill(above, letter(HTML, *PARTS))
    page = above.get(f"/reply/{uid}/INBOX")
    assert "> ![plan du site](image.png)" in text_of(page)
    assert "> et ![](image-2.png)" in text_of(page)
    assert "[loin]" in text_of(page)
    assert names() == ["image.png", "image-2.png"]  # what nothing refers to stays where it is
    assert above.get(f"/reply/{uid}/INBOX").one(FORM)["action"] == page.one(FORM)["action"]
    above.submit(page, FORM, to=bob.address, action="send")
    work()
    [got] = stored(bob, "INBOX")
    assert pictures_shown(bob, bob.get(f"/message/{got.uid}/INBOX")) == [PLAN, PHOTO]
    assert "> [plan du site]" in got.get_body(("plain",)).get_content()
    again = bob.get(f"/reply/{got.uid}/INBOX?format=markdown")  # and in the HTML of the answer to the answer
    kept = bob.get(again.one(".compose-original iframe")["src"])
    assert len(kept.all("img[src]")) == 2 and len(kept.all("blockquote blockquote")) == 1


def test_a_plain_answer_drops_them_as_ever(alice, fill):
    [uid] = fill(alice, letter(HTML, *PARTS))
    page = alice.get(f"/reply/{uid}/INBOX")
    assert "> Texte seul." in text_of(page)
    assert (names(), DraftRow.select().count()) == ([], 0)


def test_who_quotes_nothing_gets_no_pictures(formatted, fill):
    choose(formatted, quote="none")
    [uid] = fill(formatted, letter(HTML, *PARTS))
    assert text_of(formatted.get(f"/reply/{uid}/INBOX")) == ""
    assert names() == []


def test_a_forwarded_message_keeps_them_or_has_them_as_files(alice, bob, fill, work, stored):
    message = letter(HTML, *PARTS)
    message.make_mixed()
    message.add_attachment(b"x", maintype="application", subtype="x-a", filename="image.png")
    [uid] = fill(alice, message)
    page = alice.get(f"/forward/{uid}/INBOX")
    assert ("![" in text_of(page), names()) == (False, ["image.png", "image-2.png", "image-3.png", "unused.png"])
    page = alice.get(page.link("Keep them in the text"))
    assert (text_of(page), format_of(page)) == ("", ["markdown"])
    assert len(page.all(".compose-original")) == 1 and len(page.all(".chip")) == 2
    alice.submit(page, FORM, to=bob.address, action="send")
    work()
    [got] = stored(bob, "INBOX")
    seen = bob.get(f"/message/{got.uid}/INBOX")
    assert pictures_shown(bob, seen) == [PLAN, PHOTO]
    assert sorted(part.get_filename() for part in got.iter_attachments()) == ["image.png", "unused.png"]


def test_forwarded_whole_it_is_as_it_was(formatted, bob, fill, work, stored):
    original = letter(HTML, *PARTS)
    [uid] = fill(formatted, original)
    page = formatted.get(f"/forward/{uid}/INBOX?as=attachment")
    formatted.submit(page, FORM, to=bob.address, body="fyi", action="send-anyway")
    work()
    [got] = stored(bob, "INBOX")
    [whole] = got.iter_attachments()
    assert bytes(whole.get_content()) == bytes(original)


# --- hostile ---------------------------------------------------------------------------------------------------------


def test_only_pictures_come_along_and_of_two_with_one_id_the_one_that_is_shown(above, fill):
    html = '<p>a</p><img src="cid:1@x" alt="un"><img src="cid:svg@x" alt="dessin"><img src="cid:none@x" alt="rien">'
    svg = ("svg@x", "d.svg", b"<svg/>", "image/svg+xml")
    [uid] = fill(above, letter(html, ("1@x", "a.png", PLAN), svg, ("1@x", "b](javascript:x).png", PHOTO)))
    page = above.get(f"/reply/{uid}/INBOX")
    assert "![un](b%5D%28javascript_x%29.png)[dessin][rien]" in text_of(page)
    assert above.get(page.one("li[data-src]")["data-src"]).response.get_data() == PHOTO
    shown = above.get(above.get(f"/message/{uid}/INBOX").one("[data-message-body] iframe")["src"])
    assert above.get(shown.one("img[alt=un]")["src"]).response.get_data() == PHOTO


def test_ten_thousand_references_are_a_hundred(above, fill):
    [uid] = fill(above, letter("<p>a</p>" + '<img src="cid:1@x">' * 10_000, ("1@x", "a.png", PHOTO)))
    page = above.get(f"/reply/{uid}/INBOX")
    assert (text_of(page).count("](a.png)"), names()) == (quoting.MOST_PLACES, ["a.png"])


def test_a_text_too_long_to_be_formatted_has_no_marks(above, fill):
    [uid] = fill(above, letter("<p>mot</p>" * 9000 + '<img src="cid:1@x">', ("1@x", "a.png", PHOTO)))
    page = above.get(f"/reply/{uid}/INBOX")
    assert ("Texte seul." in text_of(page), "a.png" in text_of(page), names()) == (True, False, [])


def test_pictures_that_do_not_fit_are_left_out_of_the_answer(above, fill):
    html = '<img src="cid:1@x" alt="un"><img src="cid:2@x" alt="deux"><img src="cid:3@x" alt="trois">'
    large = PHOTO + bytes(1_500_000)  # two of them are more than the 3 MB of a message
    [uid] = fill(above, letter(html, ("1@x", "1.png", large), ("2@x", "2.png", large), ("3@x", "3.png", PLAN)))
    page = above.get(f"/reply/{uid}/INBOX")
    assert "![un](1.png)[deux]![trois](3.png)" in text_of(page)
    assert names() == ["1.png", "3.png"]


def test_a_plain_answer_costs_no_round_trip_more(alice, above, fill, monkeypatch):
    asked = []
    real = messages.html
    monkeypatch.setattr(messages, "html", lambda *a, **k: asked.append(1) or real(*a, **k))
    [first, second] = fill(alice, letter("<p>sans image</p>"), letter(HTML, *PARTS))
    above.get(f"/reply/{first}/INBOX")
    assert asked == []
    above.get(f"/reply/{second}/INBOX")
    assert asked == [1]


# --- drafts ----------------------------------------------------------------------------------------------------------


def test_a_draft_brings_them_back_on_another_device(alice, bob, work, stored):
    words = "une photo " * 12  # folded where mail lines end
    page = write(alice, to=bob.address, subject="s", format="markdown", attachments=[file("a:b.png", PHOTO, "image/png"), file()],
                 body=f"  Avant\n\n- ![{words.strip()}](a%3Ab.png) **fin**", action="save")  # fmt: skip
    before = text_of(page)
    DraftRow.delete().execute()
    [draft] = stored(alice, "Drafts")
    page = alice.get(f"/draft/{draft.uid}/Drafts")
    assert (text_of(page).rstrip(), format_of(page)) == (before.rstrip(), ["markdown"])
    assert sorted(names()) == ["a_b.png", "liste.pdf"]
    page = alice.submit(page, FORM, action="preview")
    assert pictures_shown(alice, page) == [PHOTO]
    alice.submit(page, FORM, action="send")
    work()
    [got] = stored(bob, "INBOX")
    assert pictures_shown(bob, bob.get(f"/message/{got.uid}/INBOX")) == [PHOTO]


def test_a_draft_of_another_program_and_a_message_edited_as_new(alice, fill, imap_of):
    client = imap_of(alice.address)
    client.append("Drafts", bytes(letter(HTML, *PARTS)), [b"\\Draft"])
    client.select_folder("Drafts")
    page = alice.get(f"/draft/{client.search()[-1]}/Drafts")
    assert "![plan du site](image.png)" in text_of(page)
    assert format_of(page) == ["markdown"]
    [uid] = fill(alice, letter(HTML, *PARTS))
    page = alice.get(alice.get(f"/message/{uid}/INBOX").link("Edit as new"))
    assert "et ![](image-2.png)" in text_of(page)


def test_one_s_own_message_edited_as_new_is_written_as_it_was(alice, bob, work, stored):
    body = "**Avant** ![photo](a.png)\n\n| a |\n|---|\n| ![photo](a.png) |"
    write(
        alice,
        to=bob.address,
        subject="s",
        format="markdown",
        body=body,
        attachments=file("a.png", PHOTO, "image/png"),
        action="send",
    )
    work()
    [sent] = stored(alice, "Sent")
    page = alice.get(f"/draft/{sent.uid}/Sent?as=new")
    assert (text_of(page).rstrip(), format_of(page), names()[-1]) == (body, ["markdown"], "a.png")
    assert Outbox.select().count() == 1
