"""What people type into the address fields."""

from webmail.compose import forms


def test_addresses_one_a_line_are_a_list():
    assert forms.one_line("a@x.example\r\n b@x.example,\n\nBob <c@x.example>;\n") == "a@x.example, b@x.example, Bob <c@x.example>"
    assert forms.one_line("a@x.example ,b@x.example") == "a@x.example ,b@x.example"
    assert forms.one_line(None) is None


def test_the_blank_that_keeps_an_empty_line_in_text_browsers_is_no_part_of_the_text():
    below = "\r\n\r\n-- \r\nAlice"
    assert forms.without_gap(" " + below) == below
    assert forms.without_gap(" Bonjour" + below) == forms.without_gap("Bonjour " + below) == "Bonjour" + below
    assert forms.without_gap("Bonjour" + below) == "Bonjour" + below
    assert forms.without_gap("-- \nAlice") == "-- \nAlice"  # who removed the lines above it
    assert forms.without_gap("") == ""
