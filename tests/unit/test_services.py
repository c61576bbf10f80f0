"""Two web services: what each keeps, and which addresses nginx sends to the second."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from deploy.demo import nginx
from tests.support import servers
from tests.support.calendar_ground import application
from webmail import health
from webmail.config import services

BODIES = "http://traboule_bodies"


@pytest.mark.parametrize("most", [2, 3, 4, 8, 100, 200])
def test_both_together_keep_as_many_connections_as_two_that_serve_everything(most):
    pages, bodies = services.share("pages", most), services.share("bodies", most)
    assert 2 * pages + bodies <= 2 * services.share("everything", most) == 2 * most
    assert min(pages, bodies) > 0
    assert services.places("bodies", most) == 2 * services.places("pages", most), "as many as two processes took"


def where(address: str) -> str:
    """Where a GET of this address is sent by deploy/nginx.conf."""
    text = nginx.SITE.read_text(encoding="utf-8").partition("listen 443")[2]
    found = re.findall(r"^    location (=|~)? ?(\S+) \{\n(.*?)^    \}", text, re.MULTILINE | re.DOTALL)
    exact = [block for kind, pattern, block in found if kind == "=" and pattern == address]
    by_pattern = [block for kind, pattern, block in found if kind == "~" and re.search(pattern, address)]
    by_prefix = [block for kind, pattern, block in found if not kind and pattern[0] == "/" and address.startswith(pattern)]
    block = (exact + by_pattern + sorted(by_prefix, key=len, reverse=True))[0]
    return re.findall(r"proxy_pass (http://\w+)", block)[-1]


@pytest.mark.parametrize(
    "address",
    [
        "/part/1/2/INBOX", "/packed/1/2/3/INBOX", "/winmail/1/2/INBOX", "/raw/1/INBOX", "/image/a/b", "/zip/1/INBOX", "/push",
        "/push/INBOX", "/tasks/a1/result", "/contacts/export", "/calendar/export", "/calendar/export/1/a.ics",
        "/calendar/feed/a1.ics", "/filters/export", "/dav", "/dav/", "/dav/alice@lycee.example/", "/.well-known/caldav", "/import",
        "/t/a1", "/t/a1/b2/film.mp4", "/transfers/uploads", "/transfers/uploads/a1", "/g/a1/uploads/b2",
        "/api/v1/me", "/api/v1/transfers/12/files/a.txt", "/api/v1/guests/a1/files/b.txt", "/api/v1/uploads/a1",
    ],
)  # fmt: skip
def test_bodies_and_streams_go_to_the_second_service(address):
    assert where(address) == BODIES


@pytest.mark.parametrize(
    "address",
    [
        "/", "/mailbox/INBOX", "/message/1/INBOX", "/inside/1/2/INBOX", "/view/1/2/INBOX", "/print/1/INBOX", "/search", "/compose",
        "/compose/a1", "/images", "/calendar", "/contacts", "/tasks", "/tasks/a1/state", "/calendar/import", "/transfers", "/login",
        "/api", "/api/openapi.json", "/healthz", "/import/server", "/pushed", "/davy", "/contacts/exports",
    ],
)  # fmt: skip
def test_pages_stay_in_the_first(address):
    assert where(address) == "http://traboule"


def test_the_demo_serves_the_same_site_without_tls():
    text = nginx.site(8080, [8000], 8002)
    assert "listen 127.0.0.1:8080;" in text and "ssl" not in text and "Strict-Transport" not in text and "443" not in text


def test_each_service_says_which_it_is(tmp_path):
    with application(tmp_path / "instance", service="bodies") as app:
        client = app.test_client()
        assert client.get("/healthz").headers[services.HEADER] == client.options("/dav/").headers[services.HEADER] == "bodies"


def test_health_knows_whether_the_second_is_there(tmp_path):
    with application(tmp_path / "instance") as app:
        settings = app.extensions["settings"]
        assert "bodies" not in [check.name for check in health.examine(settings)]
        said = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        with servers.serving(b"", lambda line: b"" if line else said) as port:
            here = replace(settings, service="pages", bodies_address=f"127.0.0.1:{port}")
            assert health.examine(here)[-1].good
        away = health.examine(replace(here, bodies_address=f"127.0.0.1:{servers.closed_port()}"))[-1]
        assert not away.good and "Is traboule-bodies running?" in away.message
