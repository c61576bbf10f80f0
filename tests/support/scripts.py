"""Scripts in tests: somebody's program with an app password, and the rows that it leaves."""

from __future__ import annotations

import base64
import json
from typing import Any

from flask import Flask

from tests.support.auth_app import add
from webmail.auth.devices import app_passwords
from webmail.models import User

ROOT = "/api/v1"


class Script:
    """A program of `local`, with an app password for these uses."""

    def __init__(self, app: Flask, local: str = "alice", *, uses: tuple[str, ...] = ("api",), language: str = "en") -> None:
        address = f"{local}@lycee.example"
        self.user = User.get_or_none(User.address == address) or add(address)
        self.password, self.row = app_passwords.add(self.user, "script", uses)
        self.client = app.test_client()
        self.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
        self.sign_in = {"Authorization": f"Bearer {self.password}"}

    def basic(self, name: str = "", secret: str = "") -> dict[str, str]:
        given = f"{name or self.user.address}:{secret or self.password}"
        return {"Authorization": f"Basic {base64.b64encode(given.encode()).decode()}"}

    def ask(self, method: str, path: str, body: Any = None, data: bytes | None = None, **headers: str) -> Any:
        """`body`: sent as JSON; `data`: as it is. Names of headers have _ for -."""
        given = self.sign_in | {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            data, given = json.dumps(body).encode(), {"Content-Type": "application/json", **given}
        return self.client.open(ROOT + path, method=method, data=data, headers=given)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, data: bytes, **headers: str) -> Any:
        return self.ask("PUT", path, data=data, **headers)


def problem(answer: Any) -> str:
    """Which it is, where an answer is one that programs can read."""
    assert answer.content_type == "application/problem+json", (answer.status_code, answer.content_type, answer.text[:300])
    told = answer.get_json()
    assert told["status"] == answer.status_code and told["title"] and told["detail"], told
    return str(told["type"].rpartition("#problem-")[2])
