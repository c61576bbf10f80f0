"""Texts that are neither plain nor HTML, and texts with files in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.imap.reading.body_texts import of_whole
from webmail.mail import Structure
from webmail.mime import structure
from webmail.mime.formats import enriched_text
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
    with cpu_seconds(2):
        many = (piece * 500_000)[:500_000]
        enriched_text.without_files(many)
        enriched_text.enriched_to_text(many)
        enriched_text.enriched_to_text(many, "text/richtext")
