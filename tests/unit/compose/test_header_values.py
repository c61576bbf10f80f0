"""What is typed into a form never becomes a header of its own."""

from __future__ import annotations

import pytest

from webmail.compose import header_values


@pytest.mark.parametrize("mark", list("\r\n\0\v\f\x1c\x1d\x1e\x85\u2028\u2029\x1b\x7f"))
def test_nothing_hidden_passes_into_a_subject(mark):
    assert header_values.trouble_in(f"a{mark}b", addresses=False) is header_values.HeaderFault.HIDDEN
    assert not set("\r\n\0\v\f\x1c\x1d\x1e\x85\u2028\u2029") & set(header_values.one_line(f"a{mark}b"))


@pytest.mark.parametrize(
    "text", ["b@x.example, Bcc: e@y.example", "b@x.example\r\nX-Evil: 1", "To: b@x.example", "b@x.example\nHelo: e@y.example"]
)
def test_no_header_passes_among_addresses(text):
    assert header_values.trouble_in(text, addresses=True) is header_values.HeaderFault.HEADER


@pytest.mark.parametrize("text", ["b@x.example\r\nc@y.example", "Team: b@x.example, c@y.example;", '"To: Bob" <b@x.example>'])
def test_lists_of_addresses_pass(text):
    assert header_values.trouble_in(text, addresses=True) is None
