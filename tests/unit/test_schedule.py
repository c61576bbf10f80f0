"""Times of day as people type them."""

from __future__ import annotations

from datetime import time

import pytest

from webmail.schedule import time_of_day


@pytest.mark.parametrize(
    "text",
    ["8:30", "08:30", "8:30:00", "8:30:00.000", "8.30", "8h30", "8H30", "8 h 30", "8\xa0h\xa030", "8\u202fh\u202f30", " 8:30 "],
)
def test_each_way_to_write_it(text: str) -> None:
    assert time_of_day(text) == time(8, 30)


@pytest.mark.parametrize("text", ["16", "16h", "16 h", "16:", "16.", "16:00"])
def test_on_the_hour(text: str) -> None:
    assert time_of_day(text) == time(16)


@pytest.mark.parametrize(
    "text", ["", "h", "24:00", "8:60", "8:3", "830", "8 30", "8 h 3", "-8:30", "٨:30", "8:30 pm", "8" * 9_999]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="hour|minute|time of day"):
        time_of_day(text)
