"""The guarded fetcher: hostile addresses, names that change, servers that drip, swell, lie or lead astray."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import certificate
from tests.support.web_server import ok, web
from webmail import http_fetch
from webmail.http_fetch import AddressForbiddenError, FetchedResponse, NotFetchedError, is_global

NAME = "pictures.example"


def loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def fetch(port: int, path: str = "/a.png", host: str = NAME, **options: Any) -> FetchedResponse:
    """As a test may: this machine counts as the internet."""
    checks = {"allowed": lambda address: True, "resolve": loopback, "ports": (port,)} | options
    scheme = "https" if "tls" in options else "http"
    return http_fetch.get(f"{scheme}://{host}:{port}{path}", accept="image/*", **checks)


# --- which addresses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "193.52.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a01:e0a::1"]
)
def test_the_internet_is_asked(address: str) -> None:
    assert is_global(ipaddress.ip_address(address))


NOT_GLOBAL = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255
    192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1
    255.255.255.255 168.63.129.16 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::1 100::1
    2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254
    fe80::1 fec0::1 ff02::1 2001:10::1 2001:20::1
"""


@pytest.mark.parametrize("address", NOT_GLOBAL.split())
def test_everything_else_is_not(address: str) -> None:
    assert not is_global(ipaddress.ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressForbiddenError):
        http_fetch.get(f"http://{host}/", accept="image/*", resolve=lambda name, port: [address])
    with pytest.raises(AddressForbiddenError):  # and by a name, be it beside an address that is right
        http_fetch.get(f"https://{NAME}/", accept="image/*", resolve=lambda name, port: ["8.8.8.8", address])


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.1/",
        "http://0/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[fe80::1%25eth0]/", "http://[::1]/",
        "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://intranet/", "http://127.0.0.1./", "http://a..b/",
        "http://example.org../", "http://user@example.org/", "http://example.org@127.0.0.1/", "http://127.0.0.1%2f@example.org/",
        "http://example.org:pass@127.0.0.1/", "http://example.org\\@127.0.0.1/", "http://example.org#@127.0.0.1:22/",
        "http://example.org:22/", "http://example.org:8080/", "https://example.org:25/", "http://example.org:0/", "http://example.org:99999/",
        "http://example.org:443:80/", "http://[::1", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org:80/_x",
        "javascript:alert(1)", "data:image/png;base64,AA", "//example.org/", "http:/example.org", "http://", "http:///x", "", "x",
        "http://example.org/a b", "http://example.org/\r\nHost: x", "http://example.org/\t", "http://exa\u200bmple.org/x", "http://ex%61mple.org/",
        "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://１２７.0.0.1/", "http://-a-.example.org/", "http://" + "a" * 64 + ".org/",
        "http://example.org/" + "a" * 5000, "http://example.org/\x00", "http://example.123/", "http://1.2.3.4.5/", "http://256.1.1.1/",
    ],
)  # fmt: skip
def test_an_address_that_could_be_read_in_two_ways_is_refused(url: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        assert host == "example.org", f"{host} was looked up"
        return ["127.0.0.1"]

    with pytest.raises(AddressForbiddenError):
        http_fetch.get(url, accept="image/*", resolve=resolve)


def test_only_the_checked_address_is_connected_to() -> None:
    """DNS rebinding: the name leads to us at the second look. There is none."""
    looks: list[str] = []

    def changing(host: str, port: int) -> list[str]:
        looks.append(host)
        return ["127.0.0.1"] if len(looks) == 1 else ["10.0.0.1"]

    with web(lambda request: ok(b"x")) as (port, _asked):
        assert fetch(port, resolve=changing).content == b"x"
    assert looks == [NAME]


def test_the_names_of_the_machine_are_not_asked_with_real_checks() -> None:
    with web(lambda request: ok(b"secret")) as (port, asked):
        for host in ("127.0.0.1", "[::1]", "localhost.localdomain"):
            with pytest.raises(NotFetchedError):
                http_fetch.get(f"http://{host}:{port}/", accept="image/*", ports=(port,))
    assert asked == []


# --- the request -----------------------------------------------------------------------------------------------------


def test_it_tells_nothing_of_the_reader() -> None:
    with web(lambda request: ok(b"x")) as (port, asked):
        found = fetch(port, "/é/a%20b.png?u=a|b&c=[1]#part", host="BÜCHER.example.")
    assert (found.status, found.type, found.content) == (200, "image/png", b"x")
    lines = asked[0].decode().strip().split("\r\n")
    assert lines[0] == "GET /%C3%A9/a%20b.png?u=a|b&c=[1] HTTP/1.1"
    assert {line.partition(":")[0] for line in lines[1:]} == {"Host", "User-Agent", "Accept-Encoding", "Connection", "Accept"}
    assert f"Host: xn--bcher-kva.example:{port}" in lines


def test_a_form_is_posted_and_a_redirect_not_followed() -> None:
    with web(lambda request: b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n") as (port, asked):
        found = http_fetch.post(
            f"http://{NAME}:{port}/u?x=1", b"List-Unsubscribe=One-Click", allowed=lambda a: True, resolve=loopback, ports=(port,)
        )
    assert found.status == 302
    assert asked[0].startswith(b"POST /u?x=1 HTTP/1.1\r\n")
    assert asked[0].endswith(b"\r\n\r\nList-Unsubscribe=One-Click")
    assert b"Content-Type: application/x-www-form-urlencoded\r\n" in asked[0]


def test_the_certificate_must_be_for_the_name(tmp_path: Path) -> None:
    context, pem = certificate(tmp_path, NAME)
    trusting = ssl.create_default_context(cafile=pem)
    with web(lambda request: ok(b"x"), context) as (port, _asked):
        assert fetch(port, tls=trusting).content == b"x"
        with pytest.raises(NotFetchedError):
            fetch(port, host="other.example", tls=trusting)
        with pytest.raises(NotFetchedError):
            fetch(port, tls=ssl.create_default_context())


# --- redirects -------------------------------------------------------------------------------------------------------


def moved(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\nSet-Cookie: a=b\r\n\r\n".encode()


def test_redirects_are_followed_without_what_they_set() -> None:
    with web(lambda request: ok(b"x") if b"GET /there" in request else moved("/there", 308)) as (port, asked):
        assert fetch(port).content == b"x"
    assert b"Cookie" not in asked[1]
    assert b"Referer" not in asked[1]


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1:{port}/x", "http://[::1]:{port}/", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "http://2130706433/",
        "http://inside.example:{port}/", "//inside.example:{port}/", "http://pictures.example:22/", "http://a@pictures.example:{port}/",
    ],
)  # fmt: skip
def test_a_redirect_is_checked_as_the_first_address_was(to: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == NAME else ["127.0.0.2"] if host == "inside.example" else [host]

    def allowed(address: Any) -> bool:
        return str(address) == "127.0.0.1" and len(asked) == 0  # the first request alone

    with web(lambda request: moved(to.format(port=port))) as (port, asked), pytest.raises(AddressForbiddenError):
        fetch(port, resolve=resolve, allowed=allowed)
    assert len(asked) == 1


def test_circles_end() -> None:
    with web(lambda request: moved("/again")) as (port, asked), pytest.raises(NotFetchedError):
        fetch(port)
    assert len(asked) == 4


# --- bounds ----------------------------------------------------------------------------------------------------------


def dripping(head: bytes, enough: threading.Event) -> Callable[[bytes], Iterator[bytes]]:
    """A byte every 50 milliseconds, until `enough` is set."""

    def answer(request: bytes) -> Iterator[bytes]:
        yield head
        while not enough.wait(0.05):
            yield b"a"

    return answer


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nX: ", ok(b"a" * 4000)[:-3900], b"HTTP/1.1 200 OK\r\n\r\n",
             b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
)  # fmt: skip
def test_a_byte_now_and_then_does_not_hold_it(head: bytes) -> None:
    enough = threading.Event()
    with web(dripping(head, enough)) as (port, _asked), pytest.raises(NotFetchedError):
        fetch(port, seconds=0.4)  # it ends though the server does not
    enough.set()


def test_a_name_that_is_never_answered_does_not_hold_it() -> None:
    done = threading.Event()

    def stuck(host: str, port: int) -> list[str]:
        done.wait(60)
        return []

    with pytest.raises(NotFetchedError):
        http_fetch.get(f"http://{NAME}/", accept="image/*", resolve=stuck, seconds=0.2)
    assert not done.is_set()  # it ends though the name server does not answer
    done.set()


def test_a_silent_server_does_not_hold_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for options in ({}, {"tls": ssl.create_default_context()}):
            started = time.monotonic()
            with pytest.raises(NotFetchedError):
                fetch(server.getsockname()[1], seconds=0.3, **options)
            assert time.monotonic() - started < 5


def endless(head: bytes, piece: bytes) -> Callable[[bytes], Iterator[bytes]]:
    def answer(request: bytes) -> Iterator[bytes]:
        yield head
        for _ in range(2_000):
            yield piece

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: ok(b"", "X: y").replace(b"Content-Length: 0", b"Content-Length: 5000001"),
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536),
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"a" * 65536 + b"\r\n"),
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 60_000 + b"\r\na\r\n"),
        endless(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
        endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100),
        endless(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        endless(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
    ],
)
def test_nothing_grows_without_bounds(answer: Callable[[bytes], Any]) -> None:
    with web(answer) as (port, _asked), pytest.raises(NotFetchedError):
        fetch(port, limit=1_000_000)


def test_what_is_as_large_as_allowed_comes() -> None:
    with web(lambda request: ok(b"a" * 1_000_000)) as (port, _asked):
        assert len(fetch(port, limit=1_000_000).content) == 1_000_000
        with pytest.raises(NotFetchedError):
            fetch(port, limit=999_999)


def test_compressed_answers_are_decoded_within_bounds() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 1)
    small = gzip.compress(b"a" * 1000)
    with web(lambda request: ok(bomb if b"bomb" in request else small, "Content-Encoding: gzip")) as (port, _asked):
        assert fetch(port).content == b"a" * 1000
        with pytest.raises(NotFetchedError):
            fetch(port, "/bomb")


@pytest.mark.parametrize(
    "answer",
    [b"", b"\r\n", b"nonsense", b"HTTP/1.1 2 OK\r\n\r\n", ok(b"abc", "Content-Encoding: br"), ok(b"abc", "Content-Encoding: gzip"),
     ok(gzip.compress(b"a" * 1000)[:-9], "Content-Encoding: gzip"), ok(b"abcdef")[:-2],
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
     b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_answer_is_a_fault(answer: bytes) -> None:
    with web(lambda request: answer) as (port, _asked), pytest.raises(NotFetchedError):
        fetch(port)


def test_a_closed_port_is_a_fault_and_the_next_address_is_tried() -> None:
    with web(lambda request: ok(b"x")) as (port, _asked):
        assert fetch(port, resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"]).content == b"x"
    with pytest.raises(NotFetchedError):
        fetch(port)


# --- servers that the administrator named ----------------------------------------------------------------------------


def test_a_server_of_ones_own_may_be_inside_and_on_any_port() -> None:
    with web(lambda request: ok(b"yes", kind="text/plain")) as (port, asked):
        answer = http_fetch.ask_named("GET", f"http://127.0.0.1:{port}/p3?a=b", limit=100, seconds=3)
        http_fetch.ask_named("POST", f"http://localhost:{port}/", b"a=b", {"Accept": "text/xml"}, limit=100, seconds=3)
    assert (answer.status, answer.content) == (200, b"yes")
    assert asked[0].startswith(b"GET /p3?a=b HTTP/1.1\r\n")
    assert asked[1].endswith(b"\r\n\r\na=b") and b"Accept: text/xml\r\n" in asked[1]


def test_where_it_leads_is_not_asked() -> None:
    with web(lambda request: b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 2\r\n\r\nno") as (port, _):
        answer = http_fetch.ask_named("GET", f"http://127.0.0.1:{port}/", limit=100, seconds=3)
    assert (answer.status, answer.content) == (302, b"")


def test_nor_is_more_read_than_was_allowed() -> None:
    with web(lambda request: ok(b"x" * 101)) as (port, _), pytest.raises(NotFetchedError):
        http_fetch.ask_named("GET", f"http://127.0.0.1:{port}/", limit=100, seconds=3)
