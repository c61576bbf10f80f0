"""Forms have at most 1,000 fields, however they are encoded; more are refused in words before they are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from webmail import create_app
from webmail.web.forms.form_reader import MOST_FIELDS

WAYS = ["application/x-www-form-urlencoded", "multipart/form-data"]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(tmp_path_factory.mktemp("instance"), domain="lycee.example", sign_in="accounts", secure_cookies="false")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("path", ["/login", "/support", "/compose/" + "0" * 32])
def test_more_are_refused_in_words(app: Flask, way: str, path: str) -> None:
    fields = {f"f{number}": "x" for number in range(MOST_FIELDS + 1)}
    answer = app.test_client().post(path, data=fields, content_type=way, headers={"Accept-Language": "en"})
    assert answer.status_code == 413
    assert "This form has more than 1,000 fields" in answer.text and "Go back in your browser" in answer.text


@pytest.mark.parametrize("way", WAYS)
def test_as_many_are_read(app: Flask, way: str) -> None:
    fields = {f"f{number}": "é &" for number in range(MOST_FIELDS)}
    with app.test_request_context("/login", method="POST", data=fields, content_type=way):
        from flask import request

        assert dict(request.form) == fields


def test_millions_are_not_even_counted(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "form").write_bytes(b"&" * 3_000_000)
    with open(tmp_path / "form", "rb") as form:
        answer = app.test_client().post("/login", input_stream=form, content_type=WAYS[0], content_length=3_000_000)
        assert answer.status_code == 413 and form.tell() < 200_000
