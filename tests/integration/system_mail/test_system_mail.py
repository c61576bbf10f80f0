"""Mail of the establishment by the real servers: the administrator's test message arrives, with the worker in between."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest

from deploy.demo.services import CHECKOUT, Services

FLASK = [sys.executable, "-m", "flask", "--app", "wsgi"]


def doctor(services: Services, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **services.settings()}
    return subprocess.run(
        [*FLASK, "doctor", *words], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False, timeout=90
    )


@pytest.fixture
def worker(services: Services) -> Iterator[None]:
    process = subprocess.Popen([*FLASK, "jobs"], cwd=CHECKOUT, env={**os.environ, **services.settings()})
    yield
    process.terminate()
    process.wait(20)


def test_the_test_message_arrives(
    services: Services, worker: None, make_account: Callable[..., str], imap_of: Any, arrives: Any
) -> None:
    address = make_account()
    said = doctor(services, "--mail", address)
    line = next(line for line in said.stdout.splitlines() if "Test message" in line)
    assert line.startswith("ok "), said.stdout + said.stderr
    client = imap_of(address)
    uid = arrives(client, ["ALL"])
    message = message_from_bytes(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"], policy=policy.default)
    assert message["Auto-Submitted"] == "auto-generated"
    assert (message["From"], message["To"]) == ("Lycée Ampère <ne-pas-repondre@lycee.example>", address)
    assert message["Return-Path"] in (None, "<ne-pas-repondre@lycee.example>")
    assert message["Subject"] == "Message de test\N{NO-BREAK SPACE}: Lycée Ampère"
    assert message["Message-ID"].endswith("@lycee.example>")
    assert not {"Reply-To", "Sender", "Precedence"} & set(message.keys())
    assert message.get_content().split()[-1] == f"http://localhost:{services.ports.web}/"


def test_a_message_to_nobody_is_told_as_refused(services: Services, worker: None) -> None:
    said = doctor(services, "--mail", "nobody-at-all@lycee.example")
    line = next(line for line in said.stdout.splitlines() if "Test message" in line)
    assert (line.startswith("problem "), "550" in line, said.returncode) == (True, True, 1), line


def test_the_sender_is_offered_to_nobody(services: Services, person: Any) -> None:
    assert "alice@lycee.example" in person.get("/recipients?words=alice@lycee").text
    assert "ne-pas-repondre" not in person.get("/recipients?words=ne-pas").text
