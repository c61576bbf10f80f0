"""A gateway's header through the real web server, and through nginx as the administrator's manual says."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from deploy.demo import nginx
from deploy.demo.accounts import ALICE
from deploy.demo.child import HOST, free_ports
from deploy.demo.services import Services
from tests.support.second_web import second_web
from tests.support.waiting import eventually

_CONFIG = """
[proxy_sign_in]
header = "X-Remote-User"
addresses = "127.0.0.1"
title = "Rectorat"
"""
_NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {web};
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Remote-User "";
        }}
        location = /login/proxy {{
            proxy_pass {web};
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Remote-User $arg_gateway;
        }}
    }}
}}
"""  # $arg_gateway: what a gateway would have found out, for this test


@pytest.fixture(scope="module")
def web(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "config.toml").write_text(_CONFIG)
    with second_web(services, instance=folder, proxies=1, recovery_address="off") as address:
        yield address


def ask(address: str, *headers: tuple[str, str]) -> int:
    """The status of the answer to exactly these headers."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    connection.putrequest("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def test_it_signs_in(web):
    assert ask(f"{web}/login/proxy", ("X-Remote-User", ALICE.address)) == 303
    assert ask(f"{web}/login/proxy") == 403


def test_a_header_that_comes_twice_is_not_believed(web):
    twice = [("X-Remote-User", ALICE.address), ("X-Remote-User", "bob@lycee.example")]
    assert ask(f"{web}/login/proxy", *twice) == ask(f"{web}/login/proxy", *reversed(twice)) == 403


@contextmanager
def gateway(web: str, folder: Path) -> Iterator[str]:
    program = nginx.program()
    if program is None:
        pytest.skip("no nginx")
    [port] = free_ports(1)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port, web=web))
    with subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]) as process:
        try:
            eventually(lambda: _answers(port), seconds=60, step=0.05, what="nginx")
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        urlopen(f"http://{HOST}:{port}/healthz", timeout=5).close()
    except OSError:
        return False
    return True


def test_nginx_as_the_manual_says_lets_no_browser_name_anybody(web, tmp_path):
    with gateway(web, tmp_path) as address:
        for name in ("X-Remote-User", "x-remote-user", "X_Remote_User", "X-Remote_User"):
            assert ask(f"{address}/login/proxy", (name, ALICE.address)) == 403, name
            assert ask(f"{address}/login/proxy?gateway={ALICE.address}", (name, "bob@lycee.example")) == 303, name
        assert ask(f"{address}/login/proxy", ("X-Forwarded-For", "127.0.0.1"), ("X-Remote-User", ALICE.address)) == 403
