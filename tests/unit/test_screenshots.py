"""The pictures of every page: which are taken, and what shows them together."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.screenshots import Picture, chosen, side_by_side, write_index

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


def test_many_pages_stand_beside_each_other_on_a_sheet(tmp_path: Path) -> None:
    for width, names in ((320, "abcdefg"), (1280, "ab")):
        for name in names:
            path = Picture("fr", "dark", width, name).path(tmp_path)
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (width, 4000), "#fff").save(path)
    made = side_by_side(tmp_path)
    assert [one.name for one in made] == ["fr-dark-1280-01.png", "fr-dark-320-01.png", "fr-dark-320-02.png"]
    with Image.open(made[0]) as wide, Image.open(made[1]) as narrow:
        assert wide.size == (2 * (900 + 16), 1125 + 16)  # two pages of 1280, their tops alone
        assert narrow.size == (5 * (320 + 16), 1200 + 16)
    assert [one.name for one in side_by_side(tmp_path, ["b"])] == ["fr-dark-1280-01.png", "fr-dark-320-01.png"]
