"""What people type into the address fields."""

import pytest

from webmail.compose import forms


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bob", "bob@lycee.example"),
        ("bob; anne.roux,carl@x.example", "bob@lycee.example, anne.roux@lycee.example, carl@x.example"),
        ("Bob Girard", "Bob Girard"),
        ("Girard, Bob <bob@x.example>", "Girard, Bob <bob@x.example>"),
        ('"Girard, Bob, x" <bob@x.example>', '"Girard, Bob, x" <bob@x.example>'),
        ("carl@x.example , ", "carl@x.example , "),
        ("-x, _y", "-x, _y"),
        ("", ""),
    ],
)
def test_a_bare_name_gets_the_domain_and_nothing_else_does(typed, meant):
    assert forms.completed(typed, "lycee.example") == meant


def test_addresses_one_a_line_are_a_list():
    assert forms.one_line("a@x.example\r\n b@x.example,\n\nBob <c@x.example>;\n") == "a@x.example, b@x.example, Bob <c@x.example>"
    assert forms.one_line("a@x.example ,b@x.example") == "a@x.example ,b@x.example"
    assert forms.one_line(None) is None
