"""A message of the establishment leaves once, whatever the server or the worker does. A real SMTP server misbehaves."""

from __future__ import annotations

import base64
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, timedelta
from email import message_from_bytes, policy

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.bench import faults
from tests.support.system_mail import SOPHIE, again, queued, turn
from webmail import smtp, system_mail
from webmail.database.connection import db
from webmail.models import OutboxState, SystemMessage, now
from webmail.system_mail import send_attempts

# --- the message -----------------------------------------------------------------------------------------------------


def test_it_comes_from_the_establishment_and_says_that_a_program_wrote_it(here):
    row = turn(here, queued(subject="Rentrée à l'école", body="Bonjour,\n\nà lundi.\n"))
    assert row.state == OutboxState.SENT
    [received] = here.server.messages
    assert (received.sender, received.recipients) == ("ne-pas-repondre@lycee.example", [SOPHIE])
    message = message_from_bytes(received.content, policy=policy.default)
    told = {name: message[name] for name in ("From", "To", "Subject", "Auto-Submitted", "Content-Language")}
    assert told == {
        "From": "Lycée Ampère <ne-pas-repondre@lycee.example>",
        "To": SOPHIE,
        "Subject": "Rentrée à l'école",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "fr",
    }
    assert message["Message-ID"].endswith("@lycee.example>")
    assert message["Date"].datetime == row.created.replace(tzinfo=UTC, microsecond=0)
    assert message.get_content_type() == "text/plain"
    assert message.get_content().splitlines() == ["Bonjour,", "", "à lundi."]
    assert not {"Reply-To", "Sender", "Bcc", "Precedence"} & set(message.keys())


def test_its_text_is_kept_no_longer_than_needed(here):
    here.server.faults = ["450@rcpt", "ok"]
    row = queued(body="a secret")
    assert turn(here, row).body == "a secret"
    assert turn(here, row).body == ""


def test_a_secret_is_stored_sealed_and_sent_as_it_is(here):
    row = system_mail.send(SOPHIE, "code", "Code", "It is 123456.\n", "fr", secret_key=here.settings.secret_key)
    assert "123456" not in again(row).body
    assert turn(here, row).state == OutboxState.SENT
    assert b"It is 123456." in here.server.messages[0].content


def test_a_secret_that_nothing_opens_any_more_is_not_tried_again(here):
    row = turn(here, system_mail.send(SOPHIE, "code", "Code", "It is 123456.\n", "fr", secret_key="another"))
    assert (row.state, row.body, here.server.messages) == (OutboxState.FAILED, "", [])


@pytest.mark.parametrize("fault", ["550@rcpt", "drop@answer"])
def test_nor_where_it_is_never_sent(here, fault):
    here.server.faults = [fault]
    assert turn(here, queued(body="a secret")).body == ""


def test_every_attempt_sends_the_same_bytes(here):
    here.server.faults = ["451@dot", "drop@answer"]
    row = queued()
    before = system_mail.delivery.content(row, here.settings.system_sender)
    turn(here, row)
    turn(here, row)
    assert [received.content for received in here.server.messages] == [before]


# --- every fault, every crash ----------------------------------------------------------------------------------------

OVER = {"550 at RCPT, all": "failed", "552 at the dot": "failed", "554 at the dot": "failed"}
# a text is too small to break in the middle: the network holds all of it, and the final dot
_OTHERS = ("AUTH", "recipient", "mid-content")
ONE_RECIPIENT = [(name, words) for name, words in faults.SCENARIOS if not any(word in name for word in _OTHERS)]


@pytest.mark.parametrize(("name", "words"), ONE_RECIPIENT, ids=[name for name, _ in ONE_RECIPIENT])
def test_no_fault_loses_a_message_or_sends_it_twice(here, name, words):
    here.server.faults = list(words)
    row = queued()
    for _ in range(3):
        turn(here, row)
    unknowable = name.startswith(("hangs", "drops")) and "at the dot" in name
    assert again(row).state == ("uncertain" if unknowable else OVER.get(name, "sent"))
    assert here.server.copies(SOPHIE) == (0 if name.endswith("not kept") or name in OVER else 1)


WORKER = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from tests.bench.faults import Instance
from webmail import smtp, system_mail
from webmail.system_mail import send_attempts
from webmail.database.connection import db
here = Instance(Path(sys.argv[1]), int(sys.argv[2]), patience=20.0)
settings = replace(here.settings, system_address="Lycée Ampère <ne-pas-repondre@lycee.example>")
die = lambda *_args, **_more: os.kill(os.getpid(), signal.SIGKILL)
match sys.argv[3]:
    case "before the dot is noted":
        send_attempts.SendQueue.hand_over = die
    case "once the dot is noted":
        smtp._final_dot = die
    case "after the answer":
        sent = smtp.send
        smtp.send = lambda *args, **more: die(sent(*args, **more))
with db.connection_context():
    for due in system_mail.sweep():
        system_mail.deliver(due, settings)
"""


def killed(here, crash: str = "", fault: str = "ok") -> SystemMessage:
    """A worker that is killed where it says, or where the server keeps it waiting; then others come by."""
    here.server.faults = [fault, "ok"]
    row = queued()
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(here.folder), str(here.port), crash])
    if not crash:
        assert here.server.reached.wait(20)
        worker.send_signal(signal.SIGKILL)
    assert worker.wait(30) == -signal.SIGKILL
    for _ in range(3):
        turn(here, row)
    return again(row)


@pytest.mark.parametrize(
    ("crash", "state", "copies"),
    [("before the dot is noted", "sent", 1), ("once the dot is noted", "uncertain", 0), ("after the answer", "uncertain", 1)],
)
def test_a_worker_killed_between_two_steps_sends_nothing_twice(here, crash, state, copies):
    row = killed(here, crash)
    assert (row.state, here.server.copies(SOPHIE)) == (state, copies)


@pytest.mark.parametrize(
    ("stage", "state"), [("connect", "sent"), ("rcpt", "sent"), ("dot", "uncertain"), ("answer", "uncertain")]
)
def test_a_worker_killed_while_the_server_is_silent_loses_nothing(here, stage, state):
    row = killed(here, fault=f"hang@{stage}")
    assert (row.state, here.server.copies(SOPHIE)) == (state, 0 if stage == "dot" else 1)


def test_a_message_that_workers_die_of_is_given_up_after_a_day(here):
    row = queued()
    gone = {"state": OutboxState.SENDING, "lease": now() - timedelta(hours=1), "attempts": 3}
    SystemMessage.update(**gone, created=now() - timedelta(days=2)).execute()
    assert system_mail.sweep() == []
    assert (again(row).state, again(row).error) == (OutboxState.FAILED, send_attempts.STOPPED)


# --- trying again ----------------------------------------------------------------------------------------------------


def test_waits_grow_and_end_after_a_day(here):
    here.server.faults = ["450@mail"]
    row = queued()
    waits = []
    for _ in range(7):
        SystemMessage.update(due=now()).execute()
        waits.append(round((system_mail.deliver(row.id, here.settings) - now()).total_seconds() / 60))
    assert waits == [1, 2, 5, 15, 30, 60, 60]
    SystemMessage.update(created=now() - timedelta(days=1, minutes=1)).execute()
    assert turn(here, row).state == OutboxState.FAILED
    assert again(row).error == "450 4.0.0 as told"


def test_what_is_not_due_waits(here):
    row = queued()
    SystemMessage.update(due=now() + timedelta(minutes=5)).execute()
    assert system_mail.sweep() == []
    assert system_mail.deliver(row.id, here.settings) == again(row).due
    assert here.server.connections == 0


def test_it_waits_where_the_establishment_lost_its_address(here):
    row = queued()
    here.settings = replace(here.settings, system_address="")
    assert (turn(here, row).state, again(row).error) == (OutboxState.WAITING, "system_address is not set any more")
    assert here.server.connections == 0


def test_a_row_that_is_gone_is_no_error(here):
    assert system_mail.deliver(5, here.settings) is None


# --- who signs in ----------------------------------------------------------------------------------------------------


def auth_of(here) -> list[str]:
    return [command for command in here.server.commands if command.startswith("AUTH")]


def test_a_server_of_this_machine_may_ask_for_no_password(here):
    assert turn(here, queued()).state == OutboxState.SENT
    assert auth_of(here) == []


def test_the_address_signs_in_with_its_password(here):
    here.settings = replace(here.settings, system_password="sésame")
    turn(here, queued())
    credential = base64.b64encode("\0ne-pas-repondre@lycee.example\0sésame".encode()).decode()
    assert auth_of(here) == [f"AUTH PLAIN {credential}"]


def test_or_with_a_token(here, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "token.pem").write_bytes(key)
    here.settings = replace(here.settings, token_key_file=str(tmp_path / "token.pem"))
    here.server.extensions = ("AUTH OAUTHBEARER",)
    assert turn(here, queued()).state == OutboxState.SENT
    assert auth_of(here)[0].startswith("AUTH OAUTHBEARER")


def test_a_refused_sign_in_is_tried_again(here):
    here.settings = replace(here.settings, system_password="wrong")
    here.server.faults = ["535@auth", "ok"]
    row = queued()
    assert (turn(here, row).state, again(row).error) == (OutboxState.WAITING, "535 5.0.0 as told")
    assert turn(here, row).state == OutboxState.SENT


def test_a_key_that_is_gone_is_told_in_the_row(here):
    here.settings = replace(here.settings, token_key_file="/nowhere/token.pem")
    row = turn(here, queued())
    assert row.state == OutboxState.WAITING
    assert "No such file" in row.error


# --- two workers -----------------------------------------------------------------------------------------------------


def test_many_workers_send_one(here):
    row = queued()

    def deliver() -> None:
        with db.connection_context():
            system_mail.deliver(row.id, here.settings)

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert here.server.copies(SOPHIE) == 1


def test_a_worker_that_lost_its_row_does_not_send(here, monkeypatch):
    row = queued()
    finish, late = smtp._data, []

    def slow_data(client, content):
        finish(client, content)
        if not late:
            late.append(True)
            turn(here, row)

    monkeypatch.setattr(smtp, "_data", slow_data)
    system_mail.deliver(row.id, here.settings)
    assert here.server.connections == 2
    assert (here.server.copies(SOPHIE), again(row).state) == (1, OutboxState.SENT)


def test_the_answer_of_a_worker_thought_dead_still_counts(here, monkeypatch):
    row = queued()
    finish = smtp._final_dot

    def slow_dot(client, server):
        finish(client, server)
        assert turn(here, row).state == OutboxState.UNCERTAIN

    monkeypatch.setattr(smtp, "_final_dot", slow_dot)
    system_mail.deliver(row.id, here.settings)
    assert (here.server.copies(SOPHIE), again(row).state) == (1, OutboxState.SENT)
