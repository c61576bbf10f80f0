"""The text of the terms in pieces; accepting them."""

from __future__ import annotations

import time

from webmail.auth.sign_in import terms
from webmail.auth.sign_in.terms import Block, blocks
from webmail.models import User


def test_pieces():
    found = blocks("Title\n\n# One\nwords\n* a\n* b\n\n1) x\n   y\n2) z\nend\n\n\n")
    assert found == [
        Block("text", ("Title",)),
        Block("title", ("One",)),
        Block("text", ("words",)),
        Block("bullets", ("a", "b")),
        Block("numbers", ("x y", "z")),
        Block("text", ("end",)),
    ]


def test_what_looks_like_a_list_and_is_none():
    assert [block.kind for block in blocks("-5 degrees\n\n2026 is a year\n\n#hash")] == ["text"] * 3


def test_nothing():
    assert blocks("\n \n\t\n") == []


def test_a_long_text_takes_no_time():
    began = time.thread_time()
    assert len(blocks("- a\nb\n" * 30_000)) == 60_000
    assert time.thread_time() - began < 2


def test_nobody_accepts_terms_that_there_are_not(settings, alice):
    assert not terms.accept(alice, "", settings)
    assert User.get_by_id(alice.id).terms_at is None
