"""Telephone numbers as people type them."""

from __future__ import annotations

import pytest

from webmail.auth.recovery.phone_numbers import NumberFault, NumberRefusedError, grouped, masked, parse


@pytest.mark.parametrize(
    "typed",
    ["0612345678", "06 12 34 56 78", "06.12.34.56.78", "06-12-34-56-78", "+33612345678", "+33 6 12 34 56 78", "0033612345678",
     "+33 (0)6 12 34 56 78", " 06\u00a012\u202f34 56 78 ", "06/12/34/56/78"],
)  # fmt: skip
def test_usual_ways_of_writing(typed):
    assert parse(typed, "+33") == "+33612345678"


@pytest.mark.parametrize(("typed", "country", "number"), [("07700 900123", "+44", "+447700900123"), ("0692 12 34 56", "+262", "+262692123456"), ("+1 202 555 0123", "+33", "+12025550123")])  # fmt: skip
def test_other_countries(typed, country, number):
    assert parse(typed, country) == number


@pytest.mark.parametrize(
    "typed", ["", "06", "alice", "06123456", "+33", "+0612345678", "112", "3611", "6" * 41, "06 12 34 56 78, 06 12 34 56 79",
              "+33612345678\r\nX: y", "٠٦١٢٣٤٥٦٧٨", "+336123456789012345", "06123456ab"],
)  # fmt: skip
def test_what_is_no_number(typed):
    with pytest.raises(NumberRefusedError):
        parse(typed, "+33")


@pytest.mark.parametrize("typed", ["0899123456", "0123456789", "0912345678", "+338 99 12 34 56", "+881612345678", "+979123456789", "+80012345678", "+449012345678"])  # fmt: skip
def test_fixed_and_dear_ones_are_refused(typed):
    with pytest.raises(NumberRefusedError) as caught:
        parse(typed, "+33")
    assert caught.value.fault is NumberFault.NOT_MOBILE


def test_it_is_shown_in_groups_and_masked_in_logs():
    assert grouped("+33612345678") == "+33 6 12 34 56 78"
    assert grouped("+447700900123") == "+44 770 090 012 3"
    assert masked("+33612345678") == "+33…78"
    assert masked("") == ""
