"""Found words: which words of a search are marked in its rows, and that nothing else becomes HTML."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.imap.searching.search import parse
from webmail.mailbox.search.highlights import marked_words, words_of


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("équipe", "L'équipe, l’Équipe", "L&#39;<mark>équipe</mark>, l’<mark>Équipe</mark>"),
        ("equipe", "équipes", "<mark>équipes</mark>"),
        ("réunions", "La réunion", "La <mark>réunion</mark>"),
        ("oeuvre", "L'œuvre", "L&#39;<mark>œuvre</mark>"),
        ("from:zoé subject:budget -lyon", "Zoé : budget de Lyon", "<mark>Zoé</mark> : <mark>budget</mark> de Lyon"),
        ("a", "a b ab", "<mark>a</mark> b ab"),
        ("(budget OR facture) -(lyon OR -paris)", "facture de Lyon, budget", "<mark>facture</mark> de Lyon, <mark>budget</mark>"),
        ("is:unread larger:5M", "unread 5M", "unread 5M"),
        ("b", "<b>b</b>", "&lt;<mark>b</mark>&gt;<mark>b</mark>&lt;/<mark>b</mark>&gt;"),
        ('"<script>"', "<script>alert(1)</script>", "&lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt;"),
    ],
)
def test_the_words_of_the_search_are_marked(query, text, marked):
    assert str(marked_words(text, words_of(parse(query)))) == marked


def test_without_a_search_the_text_is_left_as_it_is():
    assert marked_words("<b>", ()) == "<b>"


def test_long_texts_and_many_words_cost_little():
    with cpu_seconds(0.5):
        marked_words("été " * 200, words_of(parse(" ".join(f"mot{n}" for n in range(40)))))
