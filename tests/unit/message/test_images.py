"""Remote images: whose are shown, what is passed on, what stays on disk."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.mime.test_raster import gif, png
from webmail import http_fetch
from webmail.config import Settings, load
from webmail.database.connection import open_database
from webmail.database.migrate import migrate
from webmail.http_fetch import AddressForbidden, FetchedResponse, NotFetched
from webmail.mail import Address, Envelope, Message, Role, Structure
from webmail.message import image_cache, remote_images
from webmail.message.image_cache import NoPicture
from webmail.message.remote_images import ImageReason
from webmail.models import Correspondent, User
from webmail.preferences import Preferences

URL = "https://t.example/a.png"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load(tmp_path, image_cache_mb=1, imap_security="none")
    open_database(made.database_url)
    migrate()
    return made


@pytest.fixture
def alice(settings: Settings) -> User:
    return User.create(address="alice@lycee.example", local="alice", domain="lycee.example")


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


# --- what is passed on -----------------------------------------------------------------------------------------------


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
        NotFetched("away"),
        AddressForbidden("inside"),
    ],
)
def test_nothing_else_is_passed_on_or_asked_for_again_at_once(
    settings: Settings, web: Web, says: FetchedResponse | Exception
) -> None:
    web.says = says
    for _ in range(2):
        with pytest.raises(NoPicture):
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
    web.says = NotFetched("away")
    for n in range(600):
        with pytest.raises(NoPicture):
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


# --- whose are shown -------------------------------------------------------------------------------------------------


def message(*senders: str) -> Message:
    envelope = Envelope(sender=tuple(Address("", s) for s in senders or ("News@Shop.example",)))
    return Message("INBOX", 1, 1, frozenset(), 1, datetime.now(UTC), envelope, Structure())


def test_nothing_is_shown_unasked(alice: User) -> None:
    found = remote_images.decide(message(), alice, "ask", trusted=True)
    assert (found.shown, found.sender, found.possible) == (False, "news@shop.example", True)
    assert remote_images.decide(message(), alice, "ask", trusted=False, role=Role.JUNK, asked=True).why is ImageReason.ASKED


def test_a_sender_is_allowed_by_the_exact_address(alice: User) -> None:
    bob = User.create(address="bob@lycee.example", local="bob", domain="lycee.example")
    assert remote_images.allow(alice, " News@Shop.example") and remote_images.allow(alice, "news@shop.example")
    assert remote_images.senders(alice) == ["news@shop.example"]
    assert remote_images.decide(message(), alice, "ask", trusted=True).why is ImageReason.SENDER
    assert not remote_images.decide(message(), bob, "ask", trusted=True).shown
    assert not remote_images.decide(message("x@shop.example"), alice, "ask", trusted=True).shown
    assert not remote_images.decide(message("news@shop.example", "x@evil.test"), alice, "ask", trusted=True).shown
    remote_images.forget(bob, "news@shop.example")
    assert remote_images.decide(message(), alice, "ask", trusted=True).shown
    remote_images.forget(alice, "NEWS@shop.example")
    assert not remote_images.decide(message(), alice, "ask", trusted=True).shown


@pytest.mark.parametrize("choice", ["ask", "known", "always"])
def test_a_sender_who_fails_the_checks_and_junk_show_nothing_by_themselves(alice: User, choice: str) -> None:
    remote_images.allow(alice, "news@shop.example")
    Correspondent.create(user=alice, address="news@shop.example")
    assert remote_images.decide(message(), alice, choice, trusted=True).shown
    assert not remote_images.decide(message(), alice, choice, trusted=True, slow=True).shown
    for options in ({"trusted": False}, {"trusted": True, "role": Role.JUNK}):
        found = remote_images.decide(message(), alice, choice, **options)  # type: ignore[arg-type]
        assert (found.shown, found.sender) == (False, "")


def test_people_one_has_written_to_and_everybody(alice: User) -> None:
    assert not remote_images.decide(message(), alice, "known", trusted=True).shown
    assert remote_images.decide(message(), alice, "always", trusted=True).why is ImageReason.ALWAYS
    Correspondent.create(user=alice, address="news@shop.example")
    assert remote_images.decide(message(), alice, "known", trusted=True).why is ImageReason.KNOWN
    assert not remote_images.decide(message(), alice, "ask", trusted=True).shown


def test_an_instance_that_fetches_nothing_has_the_last_word(alice: User, settings: Settings) -> None:
    assert remote_images.choice(Preferences(images="always"), settings) == "always"
    assert remote_images.choice(Preferences(), replace(settings, remote_images="known")) == "known"
    assert remote_images.choice(Preferences(images="always"), replace(settings, remote_images="never")) == "never"
    assert remote_images.decide(message(), alice, "never", trusted=True, asked=True) == remote_images.ImageDecision(
        possible=False, choice="never"
    )


@pytest.mark.parametrize("address", ["", "x", "a@b\n", "a@" + "b" * 300, "a@b\x00"])
def test_what_is_no_address_is_not_remembered(alice: User, address: str) -> None:
    assert not remote_images.allow(alice, address) or "\n" in address
    assert remote_images.senders(alice) in ([], ["a@b"])


# --- slow hosts ------------------------------------------------------------------------------------------------------


def test_slow_hosts_hold_few_places_and_are_not_asked_again_for_a_while(
    settings: Settings, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_cache, "SECONDS", 1.0)
    monkeypatch.setattr(image_cache, "_slow", {})
    monkeypatch.setattr(image_cache, "_TURN_SECONDS", 0.2)

    def hang(url: str, **_options: Any) -> FetchedResponse:
        web.asked.append(url)
        if "quick" in url:
            return FetchedResponse(url, 200, "image/png", png())
        time.sleep(1)
        raise NotFetched("the answer took too long")

    monkeypatch.setattr(http_fetch, "get", hang)
    took: list[float] = []

    def visit(n: int) -> None:
        started = time.monotonic()
        with pytest.raises(NoPicture):
            image_cache.picture(f"https://slow.example/{n}", settings, 1)
        took.append(time.monotonic() - started)

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    assert image_cache.picture("https://quick.example/a", settings, 2).type == "image/png", "others are not held up"
    for thread in threads:
        thread.join()
    assert sum(seconds < 0.6 for seconds in took) == 6
    asked = len(web.asked)
    visit(9)
    assert took[-1] < 0.1 and len(web.asked) == asked, "not asked again at once"
    assert len(list(Path(settings.instance, "images").glob("??/*"))) == 3, "those that got no place are not kept as failures"
    assert not image_cache._fetching
