"""Time zones: what people type, and the zone that they mean."""

from __future__ import annotations

import pytest

from webmail.preferences import is_zone
from webmail.settings import time_zones


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Europe/Paris", "Europe/Paris"), (" europe/paris ", "Europe/Paris"), ("Paris", "Europe/Paris"), ("", ""), ("   ", ""),
        ("New York", "America/New_York"), ("america/new york", "America/New_York"), ("Réunion", "Indian/Reunion"), ("utc", "UTC"),
    ],
)  # fmt: skip
def test_a_zone_is_found_by_its_name_or_its_city(typed: str, name: str) -> None:
    assert time_zones.named(typed) == name


@pytest.mark.parametrize(
    "typed", ["Lyon", "Europe", "Europe/", "/", "../etc/passwd", "x" * 5000, "Paris\0", "<b>", "ﬁ", "+02:00"]
)
def test_what_names_no_zone_or_several_is_refused(typed: str) -> None:
    with pytest.raises(time_zones.UnknownZoneError):
        time_zones.named(typed)


def test_all_that_are_offered_can_be_chosen() -> None:
    assert len(time_zones.names()) > 300
    assert "Europe/Paris" in time_zones.choices() and "Antarctica/Vostok" not in time_zones.choices()
    assert time_zones.named("vostok") == "Antarctica/Vostok"
    assert all(is_zone(name) and time_zones.named(name) == name for name in time_zones.names())
