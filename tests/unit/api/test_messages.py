"""Scripts send messages as their person: once for each key, whatever is killed, within the limits of the pages."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import jsonschema
import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import tokens
from tests.support.scripts import ROOT, Script, problem
from tests.support.waiting import eventually
from webmail.api import message_sending, request_keys
from webmail.compose.attachments import attachments
from webmail.compose.outbox import queue, spool
from webmail.models import AttachmentRow, DraftRow, Outbox, OutboxState, ScriptRequest, User, now
from webmail.people import policies
from webmail.people.policies import Policy


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("api")
    with ground.application(folder, api="true", token_key_file=tokens.key_file(folder), message_limit_mb=1) as made:
        yield made


@pytest.fixture
def alice(app) -> Script:
    return Script(app, "alice-writes")


LETTER = {"to": ["bob@lycee.example"], "subject": "Sauvegarde", "text": "Tout va bien.\nLe script"}


def send(script: Script, key: str, **more: Any) -> Any:
    return script.post("/messages", {**LETTER, **more}, Idempotency_Key=key)


def sent_by(script: Script) -> list[Outbox]:
    return list(Outbox.select().where(Outbox.user == script.user))


def built(app: Flask, row: Outbox) -> Any:
    return message_from_bytes(spool.opened(row.content, app.extensions["settings"]).read(), policy=policy.default)


def test_a_message_is_queued_as_its_person(app, alice):
    file = {"name": "état.csv", "type": "text/csv", "content": base64.b64encode(b"1;2").decode()}
    more = {"cc": ["Zoé Petit <zoe@parents.example>"], "bcc": ["max@parents.example"], "attachments": [file]}
    answer = send(alice, "as-its-person", **more)
    assert answer.status_code == 202, answer.text
    told = answer.get_json()
    jsonschema.validate(told, app.test_client().get("/api/openapi.json").get_json()["components"]["schemas"]["Message"])
    assert told["state"] == "waiting"
    assert sorted(told["recipients"]) == ["bob@lycee.example", "max@parents.example", "zoe@parents.example"]
    row = Outbox.get_by_id(told["number"])
    message = built(app, row)
    assert message["From"] == alice.user.address and message["Subject"] == "Sauvegarde" and message["Bcc"] is None
    assert message["Cc"] == "Zoé Petit <zoe@parents.example>"
    [attached] = message.iter_attachments()
    assert attached.get_filename() == "état.csv" and attached.get_content().strip() == "1;2"
    assert row.due > now()  # the time to undo, as of what is written on a page
    assert alice.get(f"/messages/{row.id}").get_json() == told


def test_the_same_key_sends_once(app, alice):
    before = len(sent_by(alice))
    first = send(alice, "send-it-once").get_json()
    assert send(alice, "send-it-once").get_json()["number"] == first["number"]
    assert len(sent_by(alice)) == before + 1
    assert problem(send(alice, "send-it-once", subject="Another")) == "key-used"
    assert problem(alice.post("/messages", LETTER)) == "key-missing"
    assert send(Script(app, "bob-writes"), "send-it-once").status_code == 202


def test_many_at_once_with_one_key_send_once(alice, monkeypatch):
    """The others are told to come back; what they then get is the same message."""
    before, found, gate = len(sent_by(alice)), [], threading.Barrier(2)
    real = message_sending.queue_message

    def slow(*arguments: Any) -> Outbox:
        gate.wait(10)
        return real(*arguments)

    monkeypatch.setattr(message_sending, "queue_message", slow)
    thread = threading.Thread(target=lambda: found.append(send(alice, "many-at-once").status_code))
    thread.start()
    unfinished = ScriptRequest.select().where(ScriptRequest.user == alice.user, ScriptRequest.number == 0)
    eventually(unfinished.exists)
    answer = send(alice, "many-at-once")
    assert problem(answer) == "key-busy" and answer.headers["Retry-After"]
    gate.wait(10)
    thread.join()
    assert found == [202] and len(sent_by(alice)) == before + 1


class KilledError(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("moment", ["draft", "file", "queued"])
def test_what_was_killed_is_sent_once_by_who_asks_again(alice, monkeypatch, moment):
    """At whichever moment: before anything is queued, or after it, before anybody was told."""
    key, file = f"killed-at-{moment}", {"name": "a.txt", "content": base64.b64encode(b"abc").decode()}
    real_add, real_queue = attachments.add_all, queue.enqueue

    def killed(*arguments: Any, **named: Any) -> Any:
        if moment == "queued":
            real_queue(*arguments, **named)
        elif moment == "file":
            real_add(*arguments, **named)
        raise KilledError

    before = len(sent_by(alice))
    with monkeypatch.context() as patched:
        patched.setattr(queue, "enqueue", killed) if moment == "queued" else patched.setattr(attachments, "add_all", killed)
        patched.setattr(message_sending.drafts, "forget", lambda *_arguments: None)  # nor does it tidy up
        with pytest.raises(KilledError):
            send(alice, key, attachments=[file])
    assert problem(send(alice, key, attachments=[file])) == "key-busy"  # it may still be at it
    ScriptRequest.update(begun=now() - request_keys.GIVEN_UP - timedelta(seconds=1)).where(ScriptRequest.number == 0).execute()
    again = send(alice, key, attachments=[file])
    assert again.status_code == 202 and len(sent_by(alice)) == before + 1
    row = Outbox.get_by_id(again.get_json()["number"])
    assert AttachmentRow.select().where(AttachmentRow.draft == row.draft).count() == 1


def test_it_is_sent_later_or_taken_back(alice):
    at = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    told = send(alice, "sent-later", send_at=at.isoformat()).get_json()
    assert told["due"] == at.isoformat().replace("+00:00", "Z")
    gone = alice.ask("DELETE", f"/messages/{told['number']}")
    assert gone.get_json()["state"] == OutboxState.CANCELLED
    assert problem(alice.ask("DELETE", f"/messages/{told['number']}")) == "conflict"
    assert not DraftRow.select().where(DraftRow.user == alice.user, DraftRow.subject == "none").exists()
    for wrong in ("2000-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2027-13-45T00:00:00Z", "2027-01-01"):
        assert problem(send(alice, f"wrong time {wrong}", send_at=wrong)) == "invalid", wrong


def test_headers_take_no_lines_of_others(alice):
    evil = "a\r\nBcc: evil@evil.example"
    files = [{"name": f"{evil}.txt", "content": ""}]
    wrong: list[dict[str, Any]] = [
        {"subject": evil}, {"to": [f"bob@lycee.example{evil}"]}, {"cc": ["bob@lycee.example\nX: y"]}, {"from": evil},
        {"in_reply_to": evil}, {"reply_to": [evil]}, {"attachments": files}, {"references": [evil]},
        {"attachments": [{"name": "a", "type": evil, "content": ""}]},
    ]  # fmt: skip
    before = len(sent_by(alice))
    for number, fields in enumerate(wrong):
        assert problem(send(alice, f"header lines {number}", **fields)) == "invalid", fields
    assert len(sent_by(alice)) == before


def test_what_can_not_be_sent_leaves_nothing_behind(alice):
    before = DraftRow.select().where(DraftRow.user == alice.user).count()
    large = {"name": "a.bin", "content": base64.b64encode(bytes(1024 * 1024)).decode()}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("invalid", {"to": []}), ("invalid", {"to": ["bob"]}), ("invalid", {"attachments": [{"name": "a", "content": "%%"}]}),
        ("too-large", {"attachments": [large]}), ("not-your-address", {"from": "bob@lycee.example"}),
    ]  # fmt: skip
    for number, (kind, fields) in enumerate(cases):
        assert problem(send(alice, f"refused {number}", **fields)) == kind, fields
    assert DraftRow.select().where(DraftRow.user == alice.user).count() == before
    assert send(alice, "refused 0").status_code == 202  # a key that made nothing may be used again


def test_reach_and_limits_hold_as_on_pages(app):
    pupil = Script(app, "pupil-writes")
    policies.set_own(pupil.user, Policy(writes_to="inside"))
    answer = send(pupil, "to outsiders", cc=["zoe@parents.example"])
    assert problem(answer) == "not-permitted" and answer.get_json()["addresses"] == ["zoe@parents.example"]
    User.update(recipients_per_hour=2).where(User.id == pupil.user.id).execute()
    assert [send(pupil, f"too many {n}").status_code for n in range(3)] == [202, 202, 429]
    answer = send(pupil, "too many 3")
    assert problem(answer) == "too-many" and int(answer.headers["Retry-After"]) > 0


def test_others_messages_are_not_there(app, alice):
    number = send(alice, "not for Bob").get_json()["number"]
    bob = Script(app, "bob-writes")
    assert problem(bob.get(f"/messages/{number}")) == problem(bob.ask("DELETE", f"/messages/{number}")) == "not-found"
    assert Outbox.get_by_id(number).state == OutboxState.WAITING


def test_without_tokens_nobody_sends(tmp_path):
    with ground.application(tmp_path / "instance", api="true") as plain:
        assert problem(send(Script(plain), "without tokens")) == "no-mail"


def test_old_keys_are_forgotten(alice):
    send(alice, "an old key of mine")
    ScriptRequest.update(created=now() - request_keys.KEPT - timedelta(days=1)).where(ScriptRequest.user == alice.user).execute()
    request_keys.expire()
    assert not ScriptRequest.select().where(ScriptRequest.user == alice.user).exists()
    assert ROOT == "/api/v1"
