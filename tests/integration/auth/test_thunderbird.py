"""A real Thunderbird, where it is installed, finds our servers from an address typed into it, by its own code."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from deploy.demo.child import free_ports
from tests.support import thunderbird

pytestmark = pytest.mark.skipif(not thunderbird.PROGRAM, reason="there is no Thunderbird here")

_FIND = """(async address => {
  const { FetchConfig } = ChromeUtils.importESModule("resource:///modules/accountcreation/FetchConfig.sys.mjs");
  const found = await FetchConfig.fromISP(address.split("@")[1], address, new AbortController().signal);
  const told = s => [s.type, s.hostname, s.port, s.socketType, s.auth, s.username];
  return [told(found.incoming), told(found.outgoing), found.displayName];
})(arguments[0])"""
_TLS, _PASSWORD = 3, 3  # nsMsgSocketType.SSL, nsMsgAuthMethod.passwordCleartext


@pytest.fixture
def web(app: Flask) -> Iterator[tuple[int, list[str]]]:
    """A proxy through which every host is our application; the addresses that were asked for."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            parts = urlsplit(self.path)
            answer = app.test_client().get(f"{parts.path}?{parts.query}", base_url=f"http://{parts.netloc}")
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


def test_it_finds_the_servers_from_an_address(web: tuple[int, list[str]], tmp_path: Path) -> None:
    port, asked = web
    preferences: dict[str, str | int | bool] = {
        "network.proxy.type": 1,
        "network.proxy.http": "127.0.0.1",
        "network.proxy.http_port": port,
        "mailnews.auto_config.fetchFromISP.sslOnly": False,
        "mailnews.auto_config.fetchFromISP.sendEmailAddress": True,
    }
    with thunderbird.running(tmp_path, free_ports(1)[0], preferences) as program:
        incoming, outgoing, name = program.run(_FIND, "alice@lycee.example")
        assert incoming == ["imap", "mail.lycee.example", 993, _TLS, _PASSWORD, "%EMAILADDRESS%"]
        assert outgoing == ["smtp", "mail.lycee.example", 465, _TLS, _PASSWORD, "%EMAILADDRESS%"]
        assert name == "Lycée Ampère"
        assert program.run(_FIND, "nobody@lycee.example") == [incoming, outgoing, name]
        with pytest.raises(AssertionError):
            program.run(_FIND, "alice@elsewhere.example")
    assert "http://autoconfig.lycee.example/mail/config-v1.1.xml?emailaddress=alice%40lycee.example" in asked
