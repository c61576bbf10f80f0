"""The page for who needs help, on real servers: a request reaches the administrator's mailbox, as one message without surprises."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from flask import Flask

from deploy.demo.services import CHECKOUT, Services
from tests.support.visits import Visitor


@pytest.fixture
def worker(services: Services) -> Iterator[None]:
    words = [sys.executable, "-m", "flask", "--app", "wsgi", "jobs"]
    process = subprocess.Popen(words, cwd=CHECKOUT, env={**os.environ, **services.settings()})
    yield
    process.terminate()
    process.wait(20)


@pytest.fixture
def admin(app: Flask, make_account: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> str:
    from dataclasses import replace

    address = make_account("head")
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], admin_address=address))
    return address


def test_a_request_arrives(
    app: Flask, worker: None, admin: str, make_account: Callable[..., str], imap_of: Any, arrives: Any
) -> None:
    stuck, somebody = make_account("stuck"), Visitor(app, "")
    typed = {
        "username": stuck,
        "kind": "factor",
        "text": "Téléphone perdu.\n.\n\nBcc: all@lycee.example\n<b>Vite</b>",
        "contact": "salle 12\r\nBcc: all@lycee.example",
    }
    sent = somebody.submit(somebody.get("/support"), "form[action^='/support']", **typed)
    reference = sent.one("[data-reference]").get_text()
    client = imap_of(admin)
    uid = arrives(client, ["ALL"])
    message = message_from_bytes(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"], policy=policy.default)
    assert reference in message["Subject"]
    assert (message["To"], message["Bcc"], message["Cc"]) == (admin, None, None)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    text = message.get_content()
    for words in (stuck, "salle 12 Bcc", "> Téléphone perdu.", "> .", "> <b>Vite</b>"):
        assert words in text


def test_who_is_signed_in_gets_a_copy(app: Flask, worker: None, admin: str, person: Visitor, imap_of: Any, arrives: Any) -> None:
    sent = person.submit(person.get("/support"), "form[action^='/support']", kind="mail", text="Rien depuis lundi", contact="")
    reference = sent.one("[data-reference]").get_text()
    client = imap_of(person.address)
    uid = arrives(client, ["SUBJECT", reference])
    assert uid
    assert arrives(imap_of(admin), ["SUBJECT", reference])
