"""Sending files without scripts: one form, whose files go straight into the storage; nothing that was typed is lost."""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Page, Visitor
from tests.unit.transfers.test_tus import fill_up
from webmail.auth.passwords import hashing
from webmail.models import (
    ContentPiece,
    ContentState,
    StoredContent,
    Transfer,
    TransferFile,
    TransferRecipient,
    TransferState,
    User,
    now,
)
from webmail.transfers import content, options, store
from webmail.transfers.limits import OverLimitError
from webmail.transfers.uploads import form_uploads, upload_bodies
from webmail.transfers.uploads.upload_bodies import Sender, admitted

MB = 1024 * 1024
FORM = "#transfer"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    limits = {"file_mb": 6, "transfer_mb": 10, "forbidden_types": "exe", "reserve_mb": 0}
    with ground.application(
        tmp_path / "instance", transfers=limits, system_address="webmail@lycee.example", smtp_security="none"
    ) as made:
        yield made


@pytest.fixture
def alice(app) -> Visitor:
    return ground.person(app)


def send(visitor: Visitor, page: Page, action: str, *files: tuple[str, bytes], follow: bool = True, **fields: Any) -> Page:
    """Press a button of the form, with files chosen; as browsers send it."""
    typed = {"action": action, **fields}
    parts = [("files", name, data) for name, data in files or [("", b"")]]
    for tag in page.one(FORM).select("input[name], textarea[name]"):
        name, kind = str(tag["name"]), tag.get("type", "")
        if name not in typed and kind != "file" and (kind != "checkbox" or tag.has_attr("checked")):
            typed[name] = tag.get_text().removeprefix("\n") if tag.name == "textarea" else str(tag.get("value", ""))
    body = b"".join(_part(name, value.encode()) for name, value in typed.items())
    body = b"".join(_part(*part[::2], filename=part[1]) for part in parts) + body + b"--b0--\r\n"
    answer = visitor.client.post(
        str(page.one(FORM)["action"]), data=body, content_type="multipart/form-data; boundary=b0", follow_redirects=follow
    )
    return Page(answer)


def _part(name: str, value: bytes, filename: str | None = None) -> bytes:
    named = f'; filename="{filename}"\r\nContent-Type: application/octet-stream' if filename is not None else ""
    return f'--b0\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + value + b"\r\n"


def mine() -> list[Transfer]:
    return list(Transfer.select().where(Transfer.owner == User.get(User.local == "alice")).order_by(Transfer.id))


def bytes_of(file: TransferFile, app: Flask) -> bytes:
    return b"".join(content.read(file.content, app.extensions["settings"]))


def test_files_are_sent_to_somebody(app, alice):
    film, text = os.urandom(5 * MB), b"Bonjour\n"
    after = send(
        alice, alice.get("/transfers/new"), "send", ("film.mp4", film), ("été.txt", text), to="Bob <bob@lycee.example>, carl@elsewhere.example",
        subject="Le film", message="Voici\nle film",
    )  # fmt: skip
    (transfer,) = mine()
    assert after.address == f"/transfers/{transfer.id}" and "/t/" in after.one("[data-transfer-link]").get_text()
    assert (transfer.state, transfer.subject, transfer.message) == (TransferState.READY, "Le film", "Voici\nle film")
    files = store.files(transfer)
    assert [(file.path, file.size, file.content.state) for file in files] == [
        ("film.mp4", 5 * MB, "ready"),
        ("été.txt", 8, "ready"),
    ]
    assert [bytes_of(file, app) for file in files] == [film, text]
    people = TransferRecipient.select().where(TransferRecipient.transfer == transfer).order_by(TransferRecipient.id)
    assert [(one.name, one.address) for one in people] == [("Bob", "bob@lycee.example"), ("", "carl@elsewhere.example")]
    assert timedelta(days=14) < transfer.expires - now() < timedelta(days=17)


def test_a_link_needs_nobody(alice):
    after = send(alice, alice.get("/transfers/new"), "link", ("a.txt", b"a"))
    (transfer,) = mine()
    assert after.address == f"/transfers/{transfer.id}"
    assert not TransferRecipient.select().where(TransferRecipient.transfer == transfer).exists()


def test_nothing_typed_or_uploaded_is_lost_when_something_is_wrong(alice):
    page = send(
        alice,
        alice.get("/transfers/new"),
        "send",
        ("a.txt", b"a"),
        to="bob",
        subject="Titre",
        message="Texte",
        until="2020-01-01",
        once="1",
    )
    (transfer,) = mine()
    assert page.address.startswith(f"/transfers/new?of={transfer.id}")
    assert "“bob” is not an email address." in page.one("#to-error").get_text()
    assert "Choose a later one" in page.one("#until-error").get_text()
    assert [page.one(f"#{name}")["value"] for name in ("to", "subject")] == ["bob", "Titre"]
    assert "Texte" in page.one("#message").get_text() and page.one("[name=once]").has_attr("checked")
    assert [row["data-path"] for row in page.all(".upload")] == ["a.txt"]
    after = send(alice, page, "send", to="bob@lycee.example", until=(now() + timedelta(days=3)).date().isoformat())
    assert after.address == f"/transfers/{transfer.id}"
    assert [file.path for file in store.files(mine()[0])] == ["a.txt"]
    assert options.load(mine()[0]).once


def test_a_file_that_is_refused_leaves_no_empty_transfer_and_keeps_what_was_typed(alice):
    page = send(alice, alice.get("/transfers/new"), "link", ("evil.exe", b"MZ"))
    assert "not allowed here" in page.notices and mine() == []
    page = send(alice, alice.get("/transfers/new"), "link", ("evil.exe", b"MZ"), message="For you")
    assert [one.message for one in mine()] == ["For you"] and "For you" in page.one("#message").get_text()


def test_transfers_without_files_do_not_count_among_those_one_may_have(app, alice):
    settings, owner = app.extensions["settings"], User.get(User.local == "alice")
    few = replace(settings, transfers=replace(settings.transfers, open_transfers=2))
    for _ in range(4):
        store.create(owner, few)
    for transfer in mine()[:2]:
        store.add_file(transfer, "a.txt", 1, "", few)
    with pytest.raises(OverLimitError):
        store.create(owner, few)


def test_the_language_of_letters_is_chosen_and_kept(alice):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"x"), language="fr")
    assert mine()[0].language == "fr" and page.one("#language [selected]")["value"] == "fr"
    send(alice, page, "save", language="klingon")
    assert mine()[0].language == "fr"


def test_a_path_on_ones_own_disk_is_no_name(alice):
    send(alice, alice.get("/transfers/new"), "save", ("/home/alice/private/marks.ods", b"x"))
    assert [file.path for file in store.files(*mine())] == ["marks.ods"]


def test_encrypting_in_the_browser_is_offered_by_a_script_alone_and_leads_back_without(alice):
    page = alice.get("/transfers/new")
    assert not page.all("button[value=browser]") and page.one("[data-offers=browser]")["data-label"] == "Encrypt in this browser"
    begun = alice.submit(page, "form[action='/transfers/new/protection']", protection="browser")
    assert all(field.has_attr("disabled") for field in begun.all("input[type=file]"))  # nothing can be sent as it is
    assert begun.link("Send them without encryption") == "/transfers/new"


def test_a_file_that_is_refused_leaves_the_others(alice):
    page = send(
        alice, alice.get("/transfers/new"), "send", ("a.txt", b"a"), ("virus.exe", b"x"), ("film.mp4", bytes(7 * MB)), ("z.txt", b"z"),
        to="bob@lycee.example", message="Texte",
    )  # fmt: skip
    assert "“virus.exe” was refused: files of this type" in page.notices
    assert "“film.mp4” was refused: a file can be at most 6" in page.notices
    assert [row["data-path"] for row in page.all(".upload")] == ["a.txt", "z.txt"]
    assert "Texte" in page.one("#message").get_text()
    assert [one.state for one in mine()] == [TransferState.OPEN]
    assert StoredContent.select().count() == 2 and ContentPiece.select().count() == 2


def test_files_come_by_several_forms_and_go(alice):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    assert "Saved. Continue here" in page.notices
    page = send(alice, page, "save", ("a.txt", b"b"), ("c.txt", b""))
    rows = page.all(".upload")
    assert [row["data-path"] for row in rows] == ["a.txt", "a (2).txt", "c.txt"]
    page = send(alice, page, f"remove:{rows[0]['data-upload']}")
    assert [row["data-path"] for row in page.all(".upload")] == ["a (2).txt", "c.txt"]
    assert "“a.txt” was removed." in page.notices
    dropped = send(alice, page, "drop")
    assert (dropped.address, mine()[0].state) == ("/transfers", TransferState.CLOSED)
    alice.submit(dropped, "form:has([value=reopen])")
    assert (mine()[0].state, [file.path for file in store.files(mine()[0])]) == (TransferState.OPEN, ["a (2).txt", "c.txt"])


def test_what_is_typed_while_files_upload_is_kept_but_no_half_password(alice):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    kept = send(alice, page, "keep", to="bob@lycee.example", message="Voici", password="secret-of-t", follow=False)
    assert kept.status == 204 and not mine()[0].password
    page = alice.get(f"/transfers/new?of={mine()[0].id}")
    assert page.one("[name=to]")["value"] == "bob@lycee.example" and page.one("[name=message]").get_text().strip() == "Voici"
    send(alice, alice.get("/transfers/new"), "keep", to="bob@lycee.example")
    assert len(mine()) == 1  # nothing is begun by typing alone


def test_without_files_nothing_is_sent(alice):
    page = send(alice, alice.get("/transfers/new"), "link")
    assert page.status == 422 and "Choose at least one file" in page.one("#files-error").get_text()
    assert mine() == []
    page = send(alice, alice.get("/transfers/new"), "link", message="Texte")
    assert "Choose at least one file" in page.one("#files-error").get_text() and "Texte" in page.one("#message").get_text()


def test_a_file_that_is_not_whole_is_not_sent(app, alice):
    transfer = store.create(User.get(User.local == "alice"), app.extensions["settings"])
    file = store.add_file(transfer, "film.mp4", 5, "", app.extensions["settings"])
    page = alice.get(f"/transfers/new?of={transfer.id}")
    assert "0% uploaded" in page.one(".upload").get_text()
    page = send(alice, page, "link")
    assert "“film.mp4” is incomplete" in page.one("#files-error").get_text()
    content.append(file.content, 0, [b"abcde"], app.extensions["settings"])
    assert send(alice, page, "link").address == f"/transfers/{transfer.id}"


def test_a_file_that_was_refused_is_told_apart_from_one_that_is_not_whole(alice):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    StoredContent.update(state=ContentState.REFUSED).execute()
    page = send(alice, page, "link")
    assert "refused because it may be harmful" in page.one("#files-error").get_text()
    assert "refused: it may be harmful" in page.one(".upload").get_text() and "% uploaded" not in page.one(".upload").get_text()


def test_a_second_click_sends_nothing_twice(alice):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    for _click in range(2):
        assert send(alice, page, "link").address == f"/transfers/{mine()[0].id}"
    assert len(mine()) == 1
    assert alice.get(f"/transfers/new?of={mine()[0].id}").address == f"/transfers/{mine()[0].id}"


def test_what_ends_while_a_form_comes_stays_as_it_is(alice, monkeypatch):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    read = form_uploads.take

    def meanwhile_closed(*given: Any, **how: Any) -> form_uploads.TakenForm:
        found = read(*given, **how)
        store.close(Transfer.get_by_id(mine()[0].id), "admin", "Too much")
        return found

    monkeypatch.setattr(form_uploads, "take", meanwhile_closed)
    after = send(alice, page, "link", message="Texte")
    assert after.address == f"/transfers/{mine()[0].id}"
    assert (mine()[0].state, mine()[0].closed_reason) == (TransferState.CLOSED, "Too much")


def test_files_of_a_form_do_not_come_to_what_was_sent_meanwhile(app, alice, monkeypatch):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    read = form_uploads.take

    def meanwhile_sent(*given: Any, **how: Any) -> form_uploads.TakenForm:
        store.publish(mine()[0], options.load(mine()[0]), now() + timedelta(days=1), [], app.extensions["settings"])
        return read(*given, **how)

    monkeypatch.setattr(form_uploads, "take", meanwhile_sent)
    after = send(alice, page, "save", ("b.txt", b"b"), message="Pour la suite")
    assert "Nothing can be sent here any more." in after.notices and "sent from another window" in after.notices
    assert after.status == 409 and "Pour la suite" in after.one("[name=message]").get_text() and "of=" not in action_on(after)
    assert [file.path for file in store.files(mine()[0])] == ["a.txt"]
    monkeypatch.undo()
    assert send(alice, after, "link", ("b.txt", b"b")).address == f"/transfers/{mine()[1].id}"
    assert [file.path for file in store.files(mine()[1])] == ["b.txt"] and mine()[1].message == "Pour la suite"


def test_what_another_window_sends_when_a_file_has_come_says_so_to_the_form_that_brought_it(app, alice, monkeypatch):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    read = form_uploads.take

    def then_sent(*given: Any, **how: Any) -> form_uploads.TakenForm:
        found = read(*given, **how)
        store.publish(mine()[0], options.load(mine()[0]), now() + timedelta(days=1), [], app.extensions["settings"])
        return found

    monkeypatch.setattr(form_uploads, "take", then_sent)
    after = send(alice, page, "link", ("b.txt", b"b"), message="Pour la suite")
    assert after.status == 409 and "sent from another window" in after.notices
    assert "Pour la suite" in after.one("[name=message]").get_text() and mine()[0].message == ""


def test_a_file_that_comes_between_the_look_and_the_sending_is_looked_at_first(app, alice, monkeypatch):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    publish = store.publish

    def first_a_file(transfer: Transfer, *given: Any, **how: Any) -> None:
        store.add_file(transfer, "late.txt", 9, "", app.extensions["settings"])
        publish(transfer, *given, **how)

    with monkeypatch.context() as once:
        once.setattr(store, "publish", first_a_file)
        after = send(alice, page, "link")
    assert "just been added from another window" in after.notices and "late.txt" in after.one("#files-error").get_text()
    assert mine()[0].state == TransferState.OPEN
    send(alice, after, f"remove:{store.files(mine()[0])[1].upload}")
    assert send(alice, after, "link").address == f"/transfers/{mine()[0].id}" and mine()[0].state == TransferState.READY


def test_no_file_comes_to_what_was_sent_since_its_row_was_read(app, alice):
    send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    settings, before = app.extensions["settings"], mine()[0]
    store.publish(mine()[0], options.load(before), now() + timedelta(days=1), [], settings)
    with pytest.raises(store.TransferClosedError):
        store.add_file(before, "late.txt", 9, "", settings)
    assert [file.path for file in store.files(before)] == ["a.txt"]


def action_on(page: Page) -> str:
    return str(page.one(FORM)["action"])


def test_a_password_is_kept_as_a_hash(alice):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"), password="abc")
    assert "Use at least 6 characters" in page.notices
    page = send(alice, page, "save", password="correct horse")
    assert "A password is set" in page.text and "correct horse" not in page.text
    assert hashing.verify(mine()[0].password, "correct horse")
    page = send(alice, page, "save", no_password="1")
    assert mine()[0].password == ""


@pytest.mark.parametrize("cut", [0.3, 0.9, 0.9999])
def test_a_form_that_breaks_off_leaves_what_was_whole(alice, cut):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nabc\r\n'
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="film.mp4"\r\n\r\n' + bytes(3 * MB) + b"\r\n--b--\r\n"
    )
    answer = alice.client.post(
        action_of(alice), data=body[: int(len(body) * cut)], content_type="multipart/form-data; boundary=b"
    )
    assert answer.status_code == 303
    page = alice.get(answer.location)
    assert "The connection was lost" in page.notices
    assert [row["data-path"] for row in page.all(".upload")] == ["a.txt"]
    assert (mine()[0].state, StoredContent.select().count()) == (TransferState.OPEN, 1)


def action_of(visitor: Visitor) -> str:
    return str(visitor.get("/transfers/new").one(FORM)["action"])


def test_fields_may_come_before_the_files_and_are_bounded(alice):
    parts = [("message", b"Texte"), ("large", bytes(2 * MB)), ("subject", b"never")]
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value) for name, value in parts
    )
    body += b'--b\r\nContent-Disposition: form-data; name="files"; filename="../../a.txt"\r\n\r\nabc\r\n--b--\r\n'
    alice.client.post(action_of(alice), data=body, content_type="multipart/form-data; boundary=b")
    assert [(one.message, one.subject, [file.path for file in store.files(one)]) for one in mine()] == [("Texte", "", ["a.txt"])]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data; boundary=b"),
        (b"abc", "multipart/form-data"),
        (b"--b\r\nno header\r\n\r\n", "multipart/form-data; boundary=b"),
    ],
)
def test_what_is_no_form_is_told(alice, body, kind):
    answer = alice.client.post(action_of(alice), data=body, content_type=kind)
    assert answer.status_code == 422
    assert mine() == []


def test_the_token_stands_in_the_address_and_is_of_this_session_and_form(app, alice):
    bob = ground.person(app, "bob")
    token = str(alice.get("/transfers/new").one(f"{FORM} [name=csrf_token]")["value"])
    for address in ("/transfers/new", f"/transfers/new?csrf={token}", action_of(bob), "/transfers/new?csrf=" + "A" * 50):
        answer = alice.client.post(address, data={"csrf_token": token, "action": "link", "files": (io.BytesIO(b"a"), "a.txt")})
        assert answer.status_code == 400
    assert mine() == []


def test_another_persons_transfer_is_not_there(app, alice):
    send(alice, alice.get("/transfers/new"), "save", ("a.txt", b"a"))
    bob = ground.person(app, "bob")
    number = mine()[0].id
    assert bob.get(f"/transfers/new?of={number}").status == 404
    assert bob.client.post(f"{action_of(bob)}&of={number}", data={"action": "drop"}).status_code == 404
    assert [alice.get(f"/transfers/new?of={odd}").status for odd in ("x", "-1", "9" * 40)] == [404] * 3
    assert len(mine()) == 1


def test_files_that_are_too_much_together_are_refused_one_by_one(alice):
    page = send(alice, alice.get("/transfers/new"), "save", ("a.mp4", bytes(5 * MB)), ("b.mp4", bytes(5 * MB)), ("c.mp4", b"x"))
    assert [row["data-path"] for row in page.all(".upload")] == ["a.mp4", "b.mp4"]
    assert "all files can be at most 10" in page.notices


def test_a_full_disk_keeps_the_files_before_and_what_was_typed(alice, monkeypatch):
    fill_up(monkeypatch, 1)
    page = send(
        alice,
        alice.get("/transfers/new"),
        "send",
        ("a.txt", b"a"),
        ("b.mp4", bytes(5 * MB)),
        to="bob@lycee.example",
        message="Texte",
    )
    assert "no space left" in page.notices and "Texte" in page.one("#message").get_text()
    assert [row["data-path"] for row in page.all(".upload")] == ["a.txt"]
    assert (mine()[0].state, StoredContent.select().count(), ContentPiece.select().count()) == (TransferState.OPEN, 1, 1)


def test_too_many_uploads_at_once_are_told_to_wait(alice, app, monkeypatch):
    monkeypatch.setattr(upload_bodies, "_FORM_PATIENCE", 0.0)
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n' + bytes(2 * MB) + b"\r\n--b--\r\n"
    address = action_of(alice)
    with ExitStack() as others:
        for number in range(8):
            others.enter_context(admitted(Sender(f"other {number}"), app.extensions["settings"]))
        answer = alice.client.post(address, data=body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    assert mine() == []


def test_the_script_that_uploads_is_small(app):
    script = Path(app.static_folder, "js", "transfers", "upload.js").read_bytes()
    assert len(gzip.compress(script, 9)) <= 4096


def test_what_recipients_see_is_no_question_of_mail(alice):
    page = alice.get("/transfers/new")
    legends = {one.find_parent("fieldset").legend.get_text(): one for one in page.all("[name=hide_address]")}
    assert list(legends) == ["What recipients see"]


def test_the_first_field_to_mend_has_the_cursor(alice):
    page = alice.submit(alice.get("/transfers/new"), "form#transfer", action="send", to="nobody", until="2020-01-01")
    assert page.status == 422 and [one["id"] for one in page.all("[autofocus]")] == ["choose-files"]
    assert not alice.get("/transfers/new").all("[autofocus]")
