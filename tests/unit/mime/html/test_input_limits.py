"""HTML too deep for the libraries that read it."""

from __future__ import annotations

from webmail.mime.html.input_limits import too_deep


def test_deep_tables_are_told_from_broad_ones():
    assert too_deep("<div>" * 257 + "</div>" * 257)
    assert not too_deep("<div><br><img><col></div>" * 400)
    assert not too_deep("<colgroup><col><br><hr></colgroup>" * 300)
