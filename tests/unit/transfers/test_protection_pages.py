"""More protection, by its pages: who can open files, who sees the link and when, and what is never shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.transfer_ground import put_file
from tests.support.visits import Visitor
from webmail.models import Session, Transfer, TransferFile, User, now
from webmail.transfers import content, links, protection, store
from webmail.transfers.options import TransferOptions
from webmail.transfers.protection import Protection
from webmail.transfers.public import download_admission

SECRET = b"Bulletin of Zoe Martin" * 50


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", public_url="http://localhost") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def protect(alice: Visitor, kind: str) -> Transfer:
    page = alice.get("/transfers/new")
    answer = alice.submit(page, "form[action='/transfers/new/protection']", follow=False, protection=kind)
    assert answer.status == 303, answer.status
    return Transfer.select().order_by(Transfer.id.desc()).get()


def send(alice: Visitor, transfer: Transfer, action: str = "link", data: bytes | None = SECRET, **fields: str) -> str:
    """The form of its page, with a file; where it leads."""
    page = alice.get(f"/transfers/new?of={transfer.id}")
    address = page.one("form#transfer")["action"]
    files = {"files": (BytesIO(data), "bulletin.txt")} if data is not None else {}
    answer = alice.client.post(address, data={"action": action, **fields, **files}, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.get_data(as_text=True)[:2000]
    return answer.headers["Location"]


def link_on(alice: Visitor, transfer: Transfer) -> str:
    found = alice.get(f"/transfers/{transfer.id}").all("[data-transfer-link]")
    return str(found[0]["href"]) if found else ""


def test_only_the_link_opens_the_files(app, alice):
    transfer = protect(alice, "link")
    assert protection.protection_of(transfer) == Protection.LINK
    assert send(alice, transfer).endswith(f"/transfers/{transfer.id}")
    link = link_on(alice, transfer)
    assert re.search(r"/t/[\w-]{27}\.[\w-]{43}$", link), link
    [file] = store.files(transfer)
    with pytest.raises(content.WrongKeyError):
        content.read(file.content, app.extensions["settings"])
    visitor = app.test_client()
    path = link.partition("//")[2].partition("/")[2]
    assert visitor.get(f"/{path}").status_code == 200
    bulletin = visitor.get(f"/{path}/{file.upload}/bulletin.txt")
    assert bulletin.get_data() == SECRET
    cut = path.partition(".")[0]
    assert visitor.get(f"/{cut}/{file.upload}/bulletin.txt").status_code == 403


def test_its_link_is_shown_for_an_hour_in_the_same_session_alone(app, alice, monkeypatch):
    from webmail.transfers.views import link_keys

    transfer = protect(alice, "link")
    send(alice, transfer)
    assert "." in link_on(alice, transfer).rpartition("/")[2]
    other = ground.signed_in(app)
    assert link_on(other, transfer) == ""
    stored = json.dumps([row.data for row in Session.select()])
    assert link_on(alice, transfer).rpartition(".")[2] not in stored
    clock = link_keys.time.time() + link_keys.SHOWN + 1
    monkeypatch.setattr(link_keys.time, "time", lambda: clock)
    assert link_on(alice, transfer) == ""


def test_how_long_the_link_is_shown_is_said_before_and_after(app, alice):
    offered = alice.get("/transfers/new").one("form[action='/transfers/new/protection']").get_text(" ", strip=True)
    assert "in this browser for an hour after sending" in " ".join(offered.split())
    transfer = protect(alice, "link")
    assert "for an hour after sending" in alice.get(f"/transfers/new?of={transfer.id}").one("main").get_text()
    send(alice, transfer)
    assert "for an hour after sending" in alice.get(f"/transfers/{transfer.id}").one("main").get_text()


def test_another_session_can_not_go_on_with_it_and_says_so(app, alice):
    transfer = protect(alice, "link")
    send(alice, transfer, "save")
    other = ground.signed_in(app)
    page = other.get(f"/transfers/new?of={transfer.id}")
    assert "which has ended" in page.text
    assert "check=link" in send(other, transfer, data=None)
    assert Transfer.get_by_id(transfer.id).state == "open"


def test_files_that_browsers_are_to_encrypt_are_not_taken_as_they_are(alice):
    transfer = protect(alice, "browser")
    assert protection.protection_of(transfer) == Protection.BROWSER
    page = alice.get(send(alice, transfer, "save"))
    assert TransferFile.select().count() == 0
    assert "it must be encrypted first" in page.text
    assert page.one("[data-seals]")["data-seals"] == str(transfer.id)
    assert page.all("[name=to]") == []


def test_its_page_shows_an_address_without_the_key_and_sealed_names(app, alice):
    transfer = protect(alice, "browser")
    put_file(transfer, "bulletin.txt", b"TRABOULE\x01 sealed", app.extensions["settings"])
    send(alice, transfer, data=None, sealed_names="abc.def", to="bob@other.example")
    again = Transfer.get_by_id(transfer.id)
    assert (again.state, again.recipients.count()) == ("ready", 0)
    [place] = alice.get(f"/transfers/{transfer.id}").all("[data-sealed-link]")
    link = place["href"]
    assert place["data-names"] == "abc.def"
    page = app.test_client().get("/" + link.partition("//")[2].partition("/")[2]).get_data(as_text=True)
    assert 'data-names="abc.def"' in page and "1.sealed" in page and "open_sealed.py" in page
    assert "SHA-256 du fichier chiffré" in page
    assert "bulletin" not in page


def policy_of(app: Flask, address: str) -> list[str]:
    answer = app.test_client().get(address)
    assert answer.status_code == 200
    return answer.headers["Content-Security-Policy"].split("; ")


def test_a_worker_may_save_on_the_pages_of_what_browsers_encrypted_alone(app, alice):
    addresses = []
    for kind in ("browser", "link"):
        transfer, key = protection.begin(User.get(), Protection(kind), app.extensions["settings"])
        put_file(transfer, "a.txt", b"TRABOULE\x01 sealed", app.extensions["settings"], link_key=key)
        store.publish(transfer, TransferOptions(), now() + timedelta(days=3), [], app.extensions["settings"])
        token = links.token(links.LinkKind.TRANSFER, Transfer.get_by_id(transfer.id).nonce, app.extensions["settings"].secret_key)
        addresses.append(f"/t/{token}" + (f".{links.packed_key(key)}" if key else ""))
    sealed, other = (policy_of(app, address) for address in addresses)
    assert {"worker-src 'self'", "frame-src 'self'", "connect-src 'self'", "default-src 'none'"} <= set(sealed)
    assert not [part for part in other if part.startswith("worker-src")]
    own = app.extensions["settings"]
    app.extensions["settings"] = replace(own, transfers=replace(own.transfers, file_host="https://files.example"))
    assert {"worker-src 'self'", "connect-src 'self' https://files.example"} <= set(policy_of(app, addresses[0]))
    assert not [part for part in policy_of(app, addresses[1]) if part.startswith("worker-src")]


def test_the_page_that_decrypts_learns_that_many_download_right_now(app, alice, monkeypatch):
    own = app.extensions["settings"]
    transfer, _key = protection.begin(User.get(), Protection.BROWSER, own)
    file = put_file(transfer, "a.txt", b"TRABOULE\x01 sealed", own)
    store.publish(transfer, TransferOptions(), now() + timedelta(days=3), [], own)
    token = links.token(links.LinkKind.TRANSFER, Transfer.get_by_id(transfer.id).nonce, own.secret_key)
    monkeypatch.setattr(download_admission, "take", lambda network, settings, person="": None)
    answer = app.test_client().post(f"/t/{token}", data={"action": "all"}, follow_redirects=True)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (503, "*")
    assert answer.request.path.endswith(f"/{file.upload}/{file.path}")


def test_the_worker_that_saves_stands_alone_and_asks_for_nothing(app):
    answer = app.test_client().get("/t/save/worker.js")
    assert answer.status_code == 200 and answer.mimetype == "text/javascript"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "no-cache" in answer.headers["Cache-Control"] and "Set-Cookie" not in answer.headers
    # no more than what stands beside it: no page, and no file of a link
    assert "Service-Worker-Allowed" not in answer.headers
    assert app.test_client().get("/t/save/abc").status_code == 404
    script = answer.get_data(as_text=True)
    assert not [word for word in ("fetch(", "caches", "indexedDB", "importScripts", "clients.claim") if word in script]


def test_the_least_that_the_settings_ask_for(app, alice):
    own = app.extensions["settings"]
    app.extensions["settings"] = replace(own, transfers=replace(own.transfers, key="link"))
    page = alice.get("/transfers/new")
    answer = alice.client.post(
        page.one("form#transfer")["action"], data={"action": "link", "files": (BytesIO(SECRET), "a.txt")},
        content_type="multipart/form-data",
    )  # fmt: skip
    assert answer.status_code == 303
    assert protection.protection_of(Transfer.get()) == Protection.LINK
    app.extensions["settings"] = replace(own, transfers=replace(own.transfers, key="browser"))
    page = alice.get("/transfers/new")
    assert page.all("form#transfer") == []
    protect(alice, "browser")
    token = alice.get("/transfers/new").all("[name=csrf_token]")[0]["value"]
    for kind in ("server", "link", "x"):
        answer = alice.client.post("/transfers/new/protection", data={"protection": kind, "csrf_token": token})
        assert answer.status_code == 422
