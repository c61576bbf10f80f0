"""The sender's signature, taken out of what is quoted."""

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.text.their_signature import cut_html, cut_text

QUOTED = "\nOn Tuesday, Alice wrote:\n> one\n> two"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Oui.\n\n-- \nBob\nLycée\n", "Oui."),
        ("Oui.\n--\nBob", "Oui."),
        ("Oui.\n\n-- \nBob\n" + QUOTED, "Oui.\n" + QUOTED),
        ("Oui.\n\n-- \nBob\n\nLe mardi 24 novembre 2026 à 10:00,\nAlice <alice@x.example> a écrit :\n\n> un", (
            "Oui.\n\nLe mardi 24 novembre 2026 à 10:00,\nAlice <alice@x.example> a écrit :\n\n> un")),
        ("Oui.\n-- \nBob\n\n---------- Forwarded message ----------\nFrom: x\n\ntext", (
            "Oui.\n\n---------- Forwarded message ----------\nFrom: x\n\ntext")),
        ("Oui.\n\nSent from my iPhone", "Oui."),
        ("Oui.\n\nEnvoyé de mon iPhone" + "\n" + QUOTED, "Oui.\n\n" + QUOTED),
        ("Oui.\nTélécharger Outlook pour Android<https://aka.ms/x>", "Oui."),
        ("Oui.\nEnvoyé depuis l'application Mail", "Oui."),
    ],
)  # fmt: skip
def test_a_text_without_its_signature(text, left):
    assert cut_text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "-- \nBob",  # nothing else is there
        "Sent from my iPhone",
        "> Oui.\n> -- \n> Bob",  # of somebody quoted
        "Chapter one\n--\n" + "a line\n" * 30 + "end",  # a dash
        "-- ",
        "I sent from my office what you wanted",
        "What I\nsent from my office yesterday\nis a parcel.",
        "",
    ],
)
def test_a_text_that_stays(text):
    assert cut_text(text) == text


@pytest.mark.parametrize(
    "block",
    [
        '<div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature"><div>Bob<div>Lycée</div></div></div>',
        '<div class="moz-signature">-- <br>Bob</div>',
        '<pre class="moz-signature" cols="72">-- \nBob</pre>',
        '<div id="Signature"><p>Bob</p></div>',
        '<div id="x_Signature"><div>Bob</div></div>',
        '<div id="ms-outlook-mobile-signature">Get <a href="https://aka.ms">Outlook for Android</a></div>',
        '<div id="AppleMailSignature" dir="ltr">Envoyé de mon iPhone</div>',
        '<div dir="ltr">Sent from my iPhone</div>',
        "<div>Envoy&eacute; de mon iPad</div>",
        "<p>-- <br>\nBob<br>\nLycée</p>",
    ],
)
def test_an_html_without_its_signature(block):
    assert cut_html(f"<p>Oui.</p>{block}<blockquote>one</blockquote>") == "<p>Oui.</p><blockquote>one</blockquote>"


@pytest.mark.parametrize(
    "html",
    [
        '<div class="gmail_signature">Bob</div>',  # nothing else is there
        '<p>Oui.</p><div class="gmail_signature">Bob',  # never closed
        '<p>Oui.</p><div class="gmail_signature">Bob<blockquote>Alice</blockquote></div>',  # holds a quotation
        '<p>Oui.</p><div class="gmail_signature">' + "a" * 30_000 + "</div>",
        '<p>Oui.</p><div class="signature-of-the-contract">text</div>',
        "",
    ],
)
def test_an_html_that_stays(html):
    assert cut_html(html) == html


@pytest.mark.parametrize(
    "html",
    [
        '<div class="gmail_signature">' * 40_000,
        "<div " * 200_000,
        "<div class=" * 90_000,
        "<div>-- " * 100_000,
        "<div>" + " " * 900_000,
    ],
)
def test_hostile_html_takes_no_time(html):
    with cpu_seconds(2):
        cut_html(html)


@pytest.mark.parametrize("text", ["-- \n" * 200_000, "-- \n>\n" * 100_000, "--\na\n" * 100_000, "Sent from my " * 80_000])
def test_hostile_text_takes_no_time(text):
    with cpu_seconds(2):
        cut_text(text)
