"""Addresses whose builders are made when they are asked for first: whatever their values are called."""

from __future__ import annotations

import pytest
from flask import Flask, url_for

from webmail.web import late_rules


@pytest.mark.parametrize("name", ["rule", "values", "made"])
def test_a_value_may_have_any_name(name: str) -> None:
    app = Flask(__name__)
    late_rules.install(app)
    app.add_url_rule(f"/one/<{name}>", "one")
    with app.test_request_context():
        for _twice in range(2):
            assert url_for("one", **{name: "a b", "page": 2}) == "/one/a%20b?page=2"
            assert url_for("one", **{name: "x"}) == "/one/x"
