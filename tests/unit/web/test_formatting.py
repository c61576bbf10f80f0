"""Times as each language writes them."""

from __future__ import annotations

from datetime import datetime, time

import pytest

from webmail.web.formatting import clock_in


@pytest.mark.parametrize(
    ("moment", "english", "french"),
    [
        (time(16, 30), "16:30", "16\xa0h\xa030"),
        (time(9, 5), "09:05", "9\xa0h\xa005"),
        (time(16), "16:00", "16\xa0h"),
        (time(0), "00:00", "0\xa0h"),
        (datetime(2026, 12, 1, 0, 7), "00:07", "0\xa0h\xa007"),
    ],
)
def test_a_time_of_the_day(moment: time | datetime, english: str, french: str) -> None:
    assert (clock_in(moment, "en"), clock_in(moment, "fr")) == (english, french)
