"""Ending what mail programs have open: what Dovecot is asked, and that its absence harms nobody."""

from __future__ import annotations

import base64
import json
import socket
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.support.waiting import eventually
from webmail.auth.sessions import mail_sessions


class Doveadm:
    """Answers as doveadm does, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, list]] = []
        self.status, self.answer = 200, [["doveadmResponse", [{"count": "2"}], "0"]]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append((self.path, self.headers["Authorization"], body))
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(json.dumps(outer.answer).encode())

            def log_message(self, *_words: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def doveadm():
    made = Doveadm()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def told(settings, doveadm):
    return replace(settings, doveadm_url=doveadm.url, doveadm_key="clé")


def test_it_ends_all_of_one_person(told, doveadm):
    assert mail_sessions.end("alice@lycee.example", told) == 2
    [(path, key, body)] = doveadm.asked
    assert (path, body) == ("/doveadm/v1", [["kick", {"passdbField": "user_program", "mask": ["alice@lycee.example"]}, "0"]])
    assert base64.b64decode(key.removeprefix("X-Dovecot-API ")).decode() == "clé"


def test_it_ends_those_of_pages_too_and_counts_them_apart(told, doveadm):
    doveadm.answer.append(["doveadmResponse", [{"count": "5"}], "1"])
    assert mail_sessions.end("alice@lycee.example", told, pages=True) == 2
    [(_path, _key, body)] = doveadm.asked
    assert body[1] == ["kick", {"mask": ["alice@lycee.example"]}, "1"]


def test_it_ends_what_one_app_password_opened(told, doveadm):
    assert mail_sessions.end_app_password(7, "alice@lycee.example", told) == 2
    assert doveadm.asked[0][2] == [["kick", {"passdbField": "user_app", "mask": ["7"]}, "0"]]


def test_it_tells_each_process_that_doveadm_names(told, doveadm, tmp_path):
    """Those that have ended meanwhile, and what is no process, harm nothing."""
    heard = []

    def hear(listener):
        client, _address = listener.accept()
        with client:
            heard.append(client.recv(1000))

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "12"))
        listener.listen()
        thread = Thread(target=hear, args=(listener,))
        thread.start()
        known = {"username": "alice@lycee.example", "user_program": "alice@lycee.example", "user_app": "7"}
        rows = [{**known, "pid": pid} for pid in ("12", "13", "../14")] + [{**known, "pid": "12", "user_program": ""}]
        doveadm.answer = [["doveadmResponse", rows, "who"], ["doveadmResponse", [{"count": "3"}], "0"]]
        assert mail_sessions.end("alice@lycee.example", replace(told, dovecot_sockets=str(tmp_path))) == 3
        thread.join()
    who, mask = {"separateConnections": True}, {"mask": ["alice@lycee.example"]}
    assert doveadm.asked[0][2] == [["who", who | mask, "who"], ["kick", {"passdbField": "user_program", **mask}, "0"]]
    assert heard == [b"VERSION\tmaster-admin-client\t1\t0\nKICK-USER\talice@lycee.example\n"]


def test_it_ends_them_soon(told, doveadm):
    mail_sessions.end_soon("alice@lycee.example", told)
    mail_sessions.end_app_password_soon(7, "alice@lycee.example", told)
    eventually(lambda: len(doveadm.asked) == 2, step=0.01, what="two requests")


def test_without_an_address_it_asks_nobody(settings, doveadm):
    assert mail_sessions.end("alice@lycee.example", settings) is None
    mail_sessions.end_soon("alice@lycee.example", settings)
    assert doveadm.asked == []


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, []),
        (200, []),
        (200, {"a": 1}),
        (200, [["error", {"exitCode": 64, "type": "exitCode"}, "kick"]]),
        (200, [["doveadmResponse", [], "kick"]]),
        (200, [["doveadmResponse", [{"count": "1"}], "0"], ["error", {}, "1"]]),
        (200, [["doveadmResponse", [{"count": "many"}], "kick"]]),
    ],
)
def test_an_answer_that_is_none_is_logged(told, doveadm, caplog, status, answer):
    doveadm.status, doveadm.answer = status, answer
    assert mail_sessions.end("alice@lycee.example", told) is None
    assert "alice@lycee.example" in caplog.text
    assert told.doveadm_key not in caplog.text


def test_dovecot_away_is_logged(told, doveadm, caplog):
    doveadm.server.shutdown()
    doveadm.server.server_close()
    assert mail_sessions.end("alice@lycee.example", told) is None
    assert "does not end the connections" in caplog.text
