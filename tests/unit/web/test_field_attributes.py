"""The attributes of fields are those that WTForms writes."""

from __future__ import annotations

import pytest
from markupsafe import Markup
from wtforms.widgets import html_params as of_wtforms

from webmail.web.forms.field_attributes import html_params


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"name": "to", "id": "to", "value": ""},
        {"value": "\"><script>alert('é & co')</script>\n\t"},
        {"value": Markup("<b>\"bold\"</b> &amp; 'more'"), "class_": "a b", "for_": "x"},
        {"checked": True, "disabled": False, "readonly": True, "maxlength": 12, "value": None},
        {"data_drop_target": "x y", "aria_labelled_by": "z", "hx_get": "/a?b=c&d=e", "data_on": True, "spellcheck": "false"},
    ],
)
def test_they_are_the_same(given: dict[str, object]) -> None:
    assert html_params(**given) == of_wtforms(**given)
    assert isinstance(html_params(**given), Markup)
