"""What people type into the address fields."""

from webmail.compose import forms


def test_addresses_one_a_line_are_a_list():
    assert forms.one_line("a@x.example\r\n b@x.example,\n\nBob <c@x.example>;\n") == "a@x.example, b@x.example, Bob <c@x.example>"
    assert forms.one_line("a@x.example ,b@x.example") == "a@x.example ,b@x.example"
    assert forms.one_line(None) is None
