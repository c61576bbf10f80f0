"""The pictures of every page: which are taken, and what shows them together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.screenshots import Picture, chosen, write_index

PAGES = {"": {"sign-in": "/login"}, "alice@lycee.example": {"inbox": "/mailbox/INBOX", "tags": "/tags"}}


def test_pages_are_chosen_by_their_names() -> None:
    assert chosen(PAGES, []) == PAGES
    assert chosen(PAGES, ["tags"]) == {"": {}, "alice@lycee.example": {"tags": "/tags"}}


def test_a_name_that_no_page_has_is_refused() -> None:
    with pytest.raises(SystemExit, match="no page has this name: nope"):
        chosen(PAGES, ["tags", "nope"])


def test_the_index_shows_what_was_taken_and_earlier_pictures_too(tmp_path: Path) -> None:
    for picture in (Picture("fr", "light", 360, "tags"), Picture("en", "dark", 1280, "inbox")):
        path = picture.path(tmp_path)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    write_index(tmp_path)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'src="fr/light/360/tags.png"' in index and 'src="en/dark/1280/inbox.png"' in index
    assert "768" not in index
