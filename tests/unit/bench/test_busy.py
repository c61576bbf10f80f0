"""What the benchmarks meet on a busy machine, as root, and of an older version."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.demo.dovecot import Ports
from tests.bench import against, transfers
from tests.bench.against import settings_of
from tests.bench.load import load
from tests.bench.visitor import untouched

PAGE = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nlater"


@contextmanager
def _server(*answers: bytes) -> Iterator[int]:
    """Its port. Gives these answers, one a connection, but the last as often as it is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _address = listening.accept()
                with connection:
                    while connection.recv(1000):
                        connection.sendall(answer)
                        if answer is not answers[-1]:
                            break

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "told"),
    [(BUSY, "1 times 503"), (PAGE[:50], "1 times an answer that broke off"), (b"", "1 times an answer that broke off")],
    ids=["refused", "broken off", "hung up"],
)
def test_a_busy_moment_is_told_as_what_it_is(answer: bytes, told: str) -> None:
    with _server(answer, PAGE) as port:
        found = load("127.0.0.1", port, [b"GET / HTTP/1.1\r\n\r\n"], 0.05)
    assert found.times
    assert found.asked > len(found.times)
    with pytest.raises(RuntimeError, match=f"list: {told} beside"):
        found.check("list")


@pytest.mark.skipif(not os.access("/usr/sbin/nginx", os.X_OK), reason="nginx is not installed")
def test_the_nginx_beside_it_writes_and_reads_in_a_folder_that_is_ours_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with transfers.nginx(tmp_path / "nginx") as port:
        transfers.put(port, "/a.bin", transfers.MB)
        assert transfers.fetch(port, "/a.bin") == transfers.MB


def test_another_version_is_told_of_the_servers_in_its_own_words(tmp_path: Path) -> None:
    """It knows fewer servers and settings than we do, and refuses others."""
    demo = tmp_path / "deploy" / "demo"
    demo.mkdir(parents=True)
    (demo / "dovecot.py").write_text("class Ports:\n    __dataclass_fields__ = {'imap': 0, 'web': 0}\n")
    (demo / "services.py").write_text(
        "class Services:\n"
        "    def __init__(self, base, *, web, ports):\n"
        "        self.told = {'WEBMAIL_IMAP_PORT': str(ports.pop('imap')), 'WEBMAIL_BASE': str(base)}\n"
        "        assert set(ports) == {'web'} and not web\n"
        "    def settings(self):\n"
        "        return self.told\n"
    )
    ports = Ports(**{name: 20_000 + number for number, name in enumerate(Ports.__dataclass_fields__)})
    running = SimpleNamespace(base=Path("/somewhere"), ports=ports)
    assert settings_of(tmp_path, running) == {"WEBMAIL_IMAP_PORT": str(ports.imap), "WEBMAIL_BASE": "/somewhere"}  # type: ignore[arg-type]


def test_each_comes_first_in_turn_and_a_turn_that_nobody_answered_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does the first one count, in which both become warm."""
    monkeypatch.setattr(against, "ROUNDS", 4)
    asked: list[str] = []

    def measure(side: str) -> tuple[float, float]:
        asked.append(side)
        if len(asked) == 5:
            raise RuntimeError("no answer in time")
        return (len(asked), 0.0)

    turns = against._turns("list", [lambda: measure("before"), lambda: measure("after")])
    assert "".join(side[0] for side in asked) == "baabbabba"
    assert turns == [[(4, 0.0), (3, 0.0)], [(7, 0.0), (6, 0.0)], [(8, 0.0), (9, 0.0)]]
    assert capsys.readouterr().out == "list, a turn that is left out: no answer in time\n"


def test_a_page_without_the_form_is_told_as_what_it_is() -> None:
    with pytest.raises(RuntimeError, match=r"0 form\.compose-form in the page: Please wait, many are here\."):
        untouched("<h1>Please wait,</h1> <p>many are here.</p>", "form.compose-form")
