"""Marks for pictures in formatted text: those of the message are shown, nothing else is, and nothing is lost in between."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from functools import partial

import pytest

from tests.support.cpu_time import cpu_seconds
from tests.support.images import picture
from webmail.compose.attachments import uploads
from webmail.mail import Address, Attachment, Draft, Identity
from webmail.mime import builder
from webmail.mime.html import markdown, markdown_images, sanitizer, to_text

HOSTILE = [
    "x](javascript:alert(1)).png", 'a"b\'c.png', "a\nb.png", "a (1).png", "a[1].png", "![a](b).png", "<img src=x>.png", "a%20b.png",
    "a\\b.png", "100 %.png", "a&amp;b.png", "`a`.png", "**a**_b_~~.png", "été à Nîmes 📷.png", "con.png", "a.png?x#y", "http://e/x.png",
    "." * 5 + "png", "x" * 300 + ".png", "éé" * 75 + ".png", "cid:a.png", "data:image/png;base64,AA",
]  # fmt: skip


def shown(text, *names):
    """The HTML with these files as pictures, numbered from 1; and the numbers that it shows."""
    ids = {markdown_images.key(name): f"cid:{number}@x" for number, name in enumerate(names, 1)}
    used = set()
    return markdown.to_html(text, ids, used), {ids[key] for key in used}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("words", ["", "a] b", "](javascript:x)", '"><script>'])
def test_any_name_makes_a_mark_for_that_file(name, words):
    name = uploads.clean_filename(name)
    mark = markdown_images.mark(words, name)
    html, used = shown(f"avant {mark} *après*", name, "other.png")
    assert used == {"cid:1@x"}
    assert html.count("<img ") == 1
    assert '<img src="cid:1@x" alt="' in html
    assert html.endswith("<em>après</em></p>\n")
    assert "<a" not in html
    assert "<script" not in html
    assert "\n" not in mark


@pytest.mark.parametrize(
    "text",
    [
        "![a](https://tracker.example/a.png)", "![a](other.png)", "![a](./a.png)", "![a](/a.png)", "![a](cid:1@x)", "![a](x/a.png)",
        "![a](data:image/png;base64,AA)", "![a][a.png]", "![a.png]", "`![a](a.png)`", "\\![a](a.png)", "![a](a.png",
        '<img src="cid:1@x">', "[a](cid:1@x)", "<cid:1@x>", "![a]\n(a.png)",
    ],
)  # fmt: skip
def test_nothing_else_is_a_picture(text):
    html, used = shown(text, "a.png")
    assert used == set()
    assert "<img" not in html
    assert 'href="cid:' not in html


def test_a_picture_stands_in_links_quotations_and_tables():
    html, used = shown("[![a](a.png)](https://x.example)\n\n> ![b](b.png)\n\n| ![a](a.png) |\n|---|\n| 1 |", "a.png", "b.png")
    assert (html.count("<img "), used) == (3, {"cid:1@x", "cid:2@x"})
    assert '<a href="https://x.example"><img src="cid:1@x"' in html


def test_the_plain_text_has_the_words():
    text = "![ma photo](a.png) ![](b.png) ![c](c.png)"
    assert markdown_images.plain(text, {"a.png", "b.png"}) == "[ma photo] [b.png] ![c](c.png)"


def test_the_words_find_their_places_again():
    text = "[1] ![ma photo](a.png)\n![](b.png) ![a](a.png)"
    seen = markdown_images.marks(text)
    assert markdown_images.woven(markdown_images.plain(text, {"a.png", "b.png"}), seen) == text
    assert markdown_images.woven("[ma photo] nothing else", seen) == ""


def test_names_are_made_unique():
    taken = set()
    names = []
    for name in ("a.png", "a.png", "A.png", "a.png", "b", "b", ".png", ".png", 'a"b.png', "a_b.png"):
        names.append(markdown_images.distinct(name, taken))
        taken.add(markdown_images.key(names[-1]))
    assert names == ["a.png", "a-2.png", "A.png", "a-3.png", "b", "b-2", ".png", ".png-2", 'a"b.png', "a_b-2.png"]
    assert markdown_images.may_be("a-3.png", "a.png")
    assert not markdown_images.may_be("a-x.png", "a.png")


@pytest.mark.parametrize("piece", ["![", "![a](", "![a](a.png)", "!", "![\\", "![a](b", "![" + "a" * 990 + "](" + "b" * 1990])
def test_no_text_takes_long(piece):
    text = (piece * 500_000)[:500_000]
    with cpu_seconds(1):
        shown(text[: markdown.LONGEST], "a.png")
        markdown_images.plain(text, {"a.png"})


def test_ten_thousand_pictures_are_a_text_that_is_too_long_to_be_formatted():
    html, used = shown("![a](a.png)" * 10_000, "a.png")
    assert (used, "<img" in html) == (set(), False)


# --- of a message that is quoted -------------------------------------------------------------------------------------


def test_html_becomes_text_with_its_own_pictures_in_place():
    html = '<p>Un <img src="cid:a%40x" alt="plan"> deux</p><img src="https://t.example/1.png" alt="loin"><img src="CID:b"><img alt=c>'
    asked = []

    def place(cid, words):
        asked.append((cid, words))
        return f"<{cid}>" if cid != "b" else ""

    assert to_text.html_to_text(html, place) == "Un <a@x> deux\n\n[loin][c]\n"
    assert asked == [("a@x", "plan"), ("b", "")]
    assert to_text.html_to_text(html) == "Un [plan] deux\n\n[loin][c]\n"


# --- built -----------------------------------------------------------------------------------------------------------


def built(*files, html="<p>x</p>"):
    attachments = [
        Attachment(name, "image/png", 1, partial(list, [picture(grey=number)]), content_id)
        for number, (name, content_id) in enumerate(files)
    ]
    draft = Draft(Identity("Alice", "alice@x.example"), (Address("", "b@x.example"),), text="[x]", html=html,
                  attachments=tuple(attachments))  # fmt: skip
    raw = builder.build(draft, date=datetime(2026, 11, 24, tzinfo=UTC))
    return email.message_from_bytes(raw, policy=email.policy.default)


def shape_of(part):
    if not part.is_multipart():
        return part.get_content_type()
    return part.get_content_subtype(), [shape_of(child) for child in part.iter_parts()]


def test_pictures_shown_are_related_to_the_html_and_files_stand_beside():
    message = built(("a.png", "1@x"), ("b.png", ""), ('é".png', "2@x"))
    related = ("related", ["text/html", "image/png", "image/png"])
    assert shape_of(message) == ("mixed", [("alternative", ["text/plain", related]), "image/png"])
    found = list(message.walk())
    assert [(part["Content-ID"], part.get_content_disposition()) for part in found if part.get_content_maintype() == "image"] == [
        ("<1@x>", "inline"), ("<2@x>", "inline"), (None, "attachment"),
    ]  # fmt: skip
    assert next(part for part in found if part["Content-ID"] == "<2@x>").get_content() == picture(grey=2)
    assert next(part for part in found if part.get_content_subtype() == "related").get_param("type") == "text/html"


def test_without_other_files_there_is_no_mixed():
    assert shape_of(built(("a.png", "1@x"))) == (
        "alternative", ["text/plain", ("related", ["text/html", "image/png"])],
    )  # fmt: skip


def test_our_reader_shows_what_is_built():
    html, _used = shown("![a](a.png)", "a.png")
    assert '<img src="/there" alt="a"' in sanitizer.clean(html, lambda cid: "/there" if cid == "1@x" else None).html
