"""Texts that are neither plain nor HTML, texts with files in them, and answers with no mark before what is answered."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from webmail.imap.body_texts import of_whole
from webmail.mail import Part, Structure
from webmail.mime import plain_text, structure
from webmail.mime.formats import enriched_text
from webmail.mime.part_kinds import PartKind, kind_of_part
from webmail.mime.structure import classify

Sample = Callable[[str], bytes]


def read(raw: bytes) -> tuple[Structure, list[str]]:
    whole = structure.read(raw)
    shape = classify(whole.root)
    return shape, list(of_whole(whole, shape.text + shape.html).values())


def test_enriched_text_is_the_body_and_shows_its_words(sample: Sample) -> None:
    shape, [shown] = read(sample("enriched.eml"))
    assert shown == "Important : voir la suite\nici <balise> rouge" and not shape.attachments
    rich = "<bold>Important</bold><nl>suite\n<lt>b> <comment>rien</comment>"
    assert enriched_text.enriched_to_text(rich, "text/richtext") == "Important\nsuite <b> "


def test_html_may_name_its_charset_itself(sample: Sample) -> None:
    _, [shown] = read(sample("charset-in-html.eml"))
    assert "Привет" in shown
    told = Part("1", "text/html", 9, charset="utf-8")
    assert plain_text.content('<meta charset="iso-8859-1">é'.encode(), told).endswith("é")
    assert plain_text.content('<meta charset="utf-8">é'.encode(), Part("1", "text/html", 9, charset="US-ASCII")).endswith("é")
    equiv = b'<META http-equiv=Content-Type content="text/html; charset=koi8-r">\xf0'
    assert plain_text.content(equiv, Part("1", "text/html", 9)).endswith("П")
    assert plain_text.content(b'<meta charset="rot13">a', Part("1", "text/html", 9)).endswith("a")


def test_a_file_within_a_text(sample: Sample) -> None:
    _, [shown] = read(sample("uuencoded.eml"))
    words, [file] = enriched_text.without_files(shown)
    assert words == "Voici le fichier :\n\n[notes.txt]\n\nFin du message"
    assert file.name == "notes.txt" and file.data == b"Le contenu du fichier, assez long pour tenir sur plusieurs lignes. " * 4


@pytest.mark.parametrize(
    "words",
    [
        "begin 644 with care\nend", "begin 644 x\nlowercase lines\nend\n", "begin 644 x\nM3&4@8V]N\n", "I begin 644 x\nM3\nend\n", "",
        "begin here\nM\nend\n",
    ],
)  # fmt: skip
def test_words_that_only_look_like_one(words: str) -> None:
    assert enriched_text.without_files(words) == (words, ())


@pytest.mark.parametrize(
    "piece", ["begin 644 x\n", "begin 644 x\nM3&4@8V]N\n", "begin 644 x\nM\nend\n", "<comment>", "<param>", "<<", "\n"]
)
def test_hostile_repetition_takes_no_time(piece: str) -> None:
    started = time.process_time()
    many = (piece * 500_000)[:500_000]
    enriched_text.without_files(many)
    enriched_text.enriched_to_text(many)
    enriched_text.enriched_to_text(many, "text/richtext")
    assert time.process_time() - started < 2


def test_a_resource_fork_is_no_attachment(sample: Sample) -> None:
    shape, _ = read(sample("appledouble.eml"))
    assert [(part.type, part.filename) for part in shape.attachments] == [("application/pdf", "doc.pdf")]


def test_a_complaint_can_be_read(sample: Sample) -> None:
    shape, _ = read(sample("feedback.eml"))
    assert [(part.filename, kind_of_part(part)) for part in shape.attachments[:1]] == [("report.txt", PartKind.TEXT)]


LONG = "\n".join(f"ligne {n}" for n in range(9))


@pytest.mark.parametrize(
    ("before", "folded"),
    [
        ("Oui.\n\n-----Message d'origine-----\nDe : Bob\n", True), ("Yes.\n\n-----Original Message-----\nFrom: Bob\n", True),
        ("Oui.\n\n________________________________\nDe : Bob <b@x.fr>\n", True), ("-----Original Message-----\nFrom: Bob\n", False),
        ("Oui.\n\n----- Message transféré -----\nDe : Bob\n", False), ("Oui.\n\n________________________________\nLycée\n", False),
        ("Oui.\n\nDe : Bob\n", False), ("\n________________________________\nDe : Bob\n", False),
    ],
)  # fmt: skip
def test_what_outlook_answers_is_folded(before: str, folded: bool) -> None:
    shown = plain_text.to_html(before + LONG)
    assert ('<details class="quote">' in shown) is folded and "ligne 8" in shown
