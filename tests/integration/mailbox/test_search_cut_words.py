"""Words that a tag or a soft hyphen cuts: found in the folder and everywhere, where nothing has them whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.messages import message
from tests.support.searches import search
from tests.support.visits import Visitor
from webmail.imap.searching import cut_words

CUT = [
    ("rentree", "<p>la <b>ren</b>tr&eacute;e</p>"),
    ("invitation", "<p><span style='x'>I</span>nvitation</p>"),
    ("scolarité", "<p>sco&shy;la&shy;ri&shy;té</p>"),
    ("international", "<p>inter<wbr>na&#173;tional</p>"),
    ("journée", "<p>jour&#8203;née</p>"),
]


@pytest.fixture
def reader(person: Visitor, fill: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch) -> Visitor:
    monkeypatch.setattr(cut_words, "QUICK", 60)  # a busy machine is no server without an index
    letters = []
    for word, html in CUT:
        letters.append(message(f"with {CUT.index((word, html))}"))
        letters[-1].set_content(f"<html><body>{html}</body></html>", subtype="html")
    fill(person, *letters, message("plain", "il en\u00adtre"), message("pieces", "jour de nee, inter et national, ren et tree"))
    return person


@pytest.mark.parametrize(("number", "word"), list(enumerate(word for word, _html in CUT)))
def test_a_word_in_pieces_is_found(reader: Visitor, number: int, word: str) -> None:
    assert search(reader, word).rows == [f"with {number}"]
    assert search(reader, word, scope="all").rows == [f"with {number}"]


def test_what_is_in_no_message_is_not(reader: Visitor) -> None:
    assert search(reader, "rentrons").rows == []
