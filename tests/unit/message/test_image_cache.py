"""Remote images: what is passed on, what stays on disk, and how slow hosts are kept apart."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import gif, png
from tests.support.waiting import eventually
from webmail import http_fetch
from webmail.config.settings import Settings
from webmail.http_fetch import AddressForbiddenError, FetchedResponse, NotFetchedError
from webmail.message import image_cache
from webmail.message.image_cache import NoPictureError

URL = "https://t.example/a.png"


class Web:
    """Stands in for the web: what it answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.says: FetchedResponse | Exception = FetchedResponse(URL, 200, "image/png", png())

    def get(self, url: str, **_options: Any) -> FetchedResponse:
        self.asked.append(url)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    made = Web()
    monkeypatch.setattr(http_fetch, "get", made.get)
    return made


def test_a_picture_is_fetched_once_and_kept_closed_to_others(settings: Settings, web: Web) -> None:
    for _ in range(3):
        found = image_cache.picture(URL, settings)
        assert (found.type, found.content) == ("image/png", png())
    assert web.asked == [URL]
    [file] = Path(settings.instance, "images").glob("??/*")
    assert file.stat().st_mode & 0o077 == 0


def test_its_bytes_say_what_it_is(settings: Settings, web: Web) -> None:
    web.says = FetchedResponse(URL, 200, "image/jpeg", gif())
    assert image_cache.picture(URL, settings).type == "image/gif"


@pytest.mark.parametrize(
    "says",
    [
        FetchedResponse(URL, 200, "text/html", png()),
        FetchedResponse(URL, 200, "", png()),
        FetchedResponse(URL, 200, "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        FetchedResponse(URL, 200, "image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        FetchedResponse(URL, 200, "image/png", b"<html><script>alert(1)</script>"),
        FetchedResponse(URL, 200, "image/png", png(30_000, 30_000)),
        FetchedResponse(URL, 200, "image/png", b""),
        FetchedResponse(URL, 404, "image/png", png()),
        FetchedResponse(URL, 302, "", b""),
        NotFetchedError("away"),
        AddressForbiddenError("inside"),
    ],
)
def test_nothing_else_is_passed_on_or_asked_for_again_at_once(
    settings: Settings, web: Web, says: FetchedResponse | Exception
) -> None:
    web.says = says
    for _ in range(2):
        with pytest.raises(NoPictureError):
            image_cache.picture(URL, settings)
    assert web.asked == [URL]
    [file] = Path(settings.instance, "images").glob("??/*")
    past = time.time() - image_cache.FAILED_SECONDS - 1
    os.utime(file, (past, past))
    web.says = FetchedResponse(URL, 200, "image/png", png())
    assert image_cache.picture(URL, settings).type == "image/png"


def test_what_lies_on_disk_is_not_believed(settings: Settings, web: Web) -> None:
    image_cache.picture(URL, settings)
    [file] = Path(settings.instance, "images").glob("??/*")
    file.write_bytes(b"<html>")
    assert image_cache.picture(URL, settings).content == png()
    assert len(web.asked) == 2


def test_old_ones_are_fetched_anew(settings: Settings, web: Web) -> None:
    image_cache.picture(URL, settings)
    [file] = Path(settings.instance, "images").glob("??/*")
    past = time.time() - image_cache.AGE_DAYS * 86_400 - 1
    os.utime(file, (past, past))
    image_cache.picture(URL, settings)
    assert len(web.asked) == 2


def test_the_room_on_disk_is_bounded(settings: Settings, web: Web) -> None:
    web.says = FetchedResponse(URL, 200, "image/png", png() + b"\0" * 90_000)
    for n in range(60):
        image_cache.picture(f"{URL}?{n}", settings)
        held = sum(f.stat().st_size for f in Path(settings.instance, "images").glob("??/*"))
        assert held <= 1_100_000
    assert held > 500_000


def test_failures_are_bounded_too(settings: Settings, web: Web) -> None:
    web.says = NotFetchedError("away")
    for n in range(600):
        with pytest.raises(NoPictureError):
            image_cache.picture(f"{URL}?{n}", settings)
    assert len(list(Path(settings.instance, "images").glob("??/*"))) < 300


def test_nothing_is_kept_where_there_is_no_room(settings: Settings, web: Web) -> None:
    without = replace(settings, image_cache_mb=0)
    image_cache.picture(URL, without)
    image_cache.picture(URL, without)
    assert len(web.asked) == 2
    assert not Path(settings.instance, "images").exists()


def test_a_disk_that_can_not_be_written_costs_nothing_but_a_fetch(settings: Settings, web: Web) -> None:
    Path(settings.instance, "images").write_text("a file in its place")
    assert image_cache.picture(URL, settings).content == png()


def test_slow_hosts_hold_few_places_and_are_not_asked_again_for_a_while(
    settings: Settings, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_cache, "SECONDS", 0.0)  # any time is too long
    monkeypatch.setattr(image_cache, "_slow", {})
    monkeypatch.setattr(image_cache._FETCHING, "patience", 0.2)
    given_up = threading.Event()

    def hang(url: str, **_options: Any) -> FetchedResponse:
        web.asked.append(url)
        if "quick" in url:
            return FetchedResponse(url, 200, "image/png", png())
        assert given_up.wait(60)
        raise NotFetchedError("the answer took too long")

    monkeypatch.setattr(http_fetch, "get", hang)
    told: list[str] = []

    def visit(n: int) -> None:
        with pytest.raises(NoPictureError) as nothing:
            image_cache.picture(f"https://slow.example/{n}", settings, 1)
        told.append(str(nothing.value))

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(web.asked) == 2)
    assert image_cache.picture("https://quick.example/a", settings, 2).type == "image/png", "others are not held up"
    eventually(lambda: len(told) == 6)  # while the two are still hanging
    assert set(told) == {"too many images are being fetched"}
    given_up.set()
    for thread in threads:
        thread.join()
    asked = len(web.asked)
    visit(9)
    assert told[-1] == "this host was too slow a moment ago" and len(web.asked) == asked, "not asked again at once"
    assert len(list(Path(settings.instance, "images").glob("??/*"))) == 3, "those that got no place are not kept as failures"
    assert not image_cache._FETCHING.held()
