"""Slow forms: clients that send a byte at a time, straight to the web server without nginx: others are served all the same."""

from __future__ import annotations

import socket
import time
import urllib.request
from urllib.parse import urlsplit

import pytest

from deploy.demo.services import Services
from tests.support.passing_folder import passing_folder


@pytest.fixture(scope="module")
def served():
    with passing_folder() as folder, Services(folder / "demo", web=True, jobs=False) as running:
        yield running


def _begin(address: str, number: int) -> socket.socket:
    """A form of which some bytes came, and no more."""
    where = urlsplit(address)
    peer = socket.create_connection((where.hostname, where.port), timeout=40)
    head = f"POST /login HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    peer.sendall((head + f"Content-Length: 1000\r\n\r\nusername=a{number}").encode())
    return peer


def test_forty_slow_forms_keep_nobody_else_from_a_page(served):
    peers = [_begin(served.address, number) for number in range(40)]
    try:
        for _ in range(5):
            began = time.monotonic()
            assert urllib.request.urlopen(served.address + "/login", timeout=20).status == 200
            assert time.monotonic() - began < 15  # those beyond the turns wait for a second each, then their threads are free
        refused = peers[-1].recv(200)
        assert b"503" in refused.split(b"\r\n", 1)[0]
    finally:
        for peer in peers:
            peer.close()
    assert urllib.request.urlopen(served.address + "/login", timeout=20).status == 200
