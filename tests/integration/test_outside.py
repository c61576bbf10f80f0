"""Remote images, links that deceive and mailing lists, as visits on a real Dovecot with a small web server for the outside world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from flask import Flask

from tests.unit.mime.test_raster import png
from tests.unit.test_outside import ok, web
from tests.visits import Page, Visitor
from webmail import http_fetch
from webmail.models import Correspondent, ImageSender, User

HTML = """<style>.h{background-image:url(http://img.example:%d/back.png)}</style><div class="h">Bonjour
<a href="https://evil.test/?x=1">www.bank.example</a> <a href="https://ok.test/">Lire</a></div>
<img src="http://img.example:%d/a.png" alt="Offre"><img src="http://inside.example:%d/b.png"><img src="http://img.example:%d/lie.png">"""


def letter(port: int, sender: str = "Boutique <news@shop.example>", **headers: str) -> bytes:
    head = {
        "From": sender,
        "To": "alice@lycee.example",
        "Subject": "Soldes",
        "MIME-Version": "1.0",
        "Content-Type": "text/html; charset=utf-8",
    }
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in (head | headers).items()]
    return "\r\n".join([*lines, "", HTML % (port, port, port, port)]).encode()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, app: Flask) -> Iterator[tuple[int, list[bytes]]]:
    """img.example and list.example on this machine's loopback, which counts as the internet here; inside.example does not."""
    html = ok(b"<html><script>alert(1)</script>", kind="image/png")
    with web(lambda request: html if b"lie" in request else ok(png())) as (port, asked):

        def resolve(host: str, _port: int) -> list[str]:
            return ["127.0.0.1" if host in ("img.example", "list.example") else "10.0.0.7"]

        checks: dict[str, Any] = {"allowed": lambda address: str(address) == "127.0.0.1", "resolve": resolve, "ports": (port,)}
        monkeypatch.setattr(http_fetch, "get", partial(http_fetch.get, **checks))
        monkeypatch.setattr(http_fetch, "post", partial(http_fetch.post, **checks))
        yield port, asked


def opened(person: Visitor, fill: Callable[..., list[int]], content: bytes, mailbox: str = "INBOX") -> Page:
    fill(person, content, mailbox=mailbox)
    return person.get(person.get(f"/mailbox/{mailbox}").link("Soldes"))


def frame(person: Visitor, page: Page) -> Page:
    return person.get(str(page.one("iframe")["src"]))


def paths(asked: list[bytes]) -> list[str]:
    return [request.split(b" ")[1].decode() for request in asked]


# --- images ----------------------------------------------------------------------------------------------------------


def test_images_load_for_one_message_when_asked(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    port, asked = world
    page = opened(person, fill, letter(port))
    assert "4 remote images were not loaded" in page.text
    body = frame(person, page)
    assert "img.example" not in body.html and "/image/" not in body.html and "not loaded" not in body.text
    assert asked == []
    page = person.get(page.link("Show the images"))
    assert "not loaded" not in page.text
    assert "stay empty" in page.text and "images=1" in page.link("Try again")
    body = frame(person, page)
    assert "img.example" not in body.html and "img-src 'self' data:;" in body.headers["Content-Security-Policy"]
    pictures = [str(image["src"]) for image in body.all("img")]
    answers = [person.get(picture) for picture in pictures]
    assert [answer.status for answer in answers] == [
        200,
        404,
        404,
    ]  # a picture; an address inside; HTML that says it is a picture
    assert answers[0].headers["Content-Type"] == "image/png"
    assert answers[0].headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert answers[0].headers["X-Content-Type-Options"] == "nosniff"
    assert answers[0].response.data == png()
    assert paths(asked) == ["/a.png", "/lie.png"]
    again = person.client.get(pictures[0], headers={"If-None-Match": answers[0].headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "not loaded" in person.get(page.address.replace("images=1&", "")).text  # nothing was remembered


def test_the_frame_offers_them_where_the_page_could_not(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    page = opened(person, fill, letter(world[0]))
    alone = person.get(page.link("Open the text in a page of its own"))
    assert "4 remote images were not loaded" in alone.text
    assert "/image/" in person.get(alone.link("Show the images")).html


def test_a_sender_is_remembered_and_forgotten(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    page = opened(person, fill, letter(world[0]))
    page = person.submit(page, "form.images", action="allow")
    assert "Images from news@shop.example will be shown" in page.notices
    assert "/image/" in frame(person, page).html
    assert "Images from this sender are shown" in page.text
    listed = person.get("/images")
    assert "news@shop.example" in listed.text
    undone = person.submit(
        page, "form:has([name=action][value=forget]):has([name=sender][value='news@shop.example']):has([name=back]):not(.images)"
    )
    assert "/image/" not in frame(person, undone).html
    assert "news@shop.example" not in person.get("/images").one("main").get_text()
    assert not ImageSender.select().where(ImageSender.user == User.get(User.address == person.address)).exists()


def test_people_one_has_written_to(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    Correspondent.create(user=User.get(User.address == person.address), address="news@shop.example")
    page = opened(person, fill, letter(world[0]))
    assert "/image/" not in frame(person, page).html
    page = person.submit(page, "form.images", action="known")
    assert "people you have written to" in page.notices
    assert "/image/" in frame(person, page).html
    assert person.get("/settings").one("#images option[selected]")["value"] == "known"
    person.submit(person.get("/settings"), "form[action='/settings']", images="ask")
    assert "/image/" not in frame(person, person.get(page.address)).html


def test_an_image_address_is_for_one_person_alone(
    app: Flask, person: Visitor, fill: Callable[..., list[int]], make_account: Callable[..., str], world: Any
) -> None:
    page = opened(person, fill, letter(world[0]))
    picture = str(frame(person, person.get(page.link("Show the images"))).one("img[alt=Offre]")["src"])
    other = Visitor(app, make_account()).sign_in()
    assert other.get(picture).status == 404
    assert Visitor(app).get(picture, follow=False).status == 302
    _empty, _image, signature, packed = picture.split("/")
    for changed in (f"/image/{signature}/{packed[:-2]}", f"/image/{'0' * 32}/{packed}", f"/image/{signature}/!", "/image/x/y"):
        assert person.get(changed).status == 404
    assert world[1] == []


def test_an_instance_that_asks_nothing_of_the_web(
    app: Flask, person: Visitor, fill: Callable[..., list[int]], world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(person, fill, letter(world[0]))
    picture = str(frame(person, person.get(page.link("Show the images"))).one("img[alt=Offre]")["src"])
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], remote_images="never"))
    page = person.get(f"{page.address}&images=1")
    assert not page.all("form[action='/images']")
    alone = person.get(page.link("Open the text in a page of its own") + "&images=1")
    assert "/image/" not in alone.html
    assert person.get(picture).status == 404
    assert "administrator decided" in person.get("/images").text and "administrator decided" in person.get("/settings").text
    assert world[1] == []


@pytest.mark.parametrize("fields", [{}, {"action": "x"}])
def test_bad_input(person: Visitor, fields: dict[str, str]) -> None:
    token = person.get("/images").all("form [name=csrf_token]")[0]["value"]
    assert person.post("/images", {"csrf_token": token, **fields}).status == 400
    assert person.post("/images", {"action": "allow", "sender": "a@b.example"}).status == 400  # without the token


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_link_that_deceives_is_shown_before_it_is_followed(
    app: Flask, person: Visitor, fill: Callable[..., list[int]], world: Any
) -> None:
    page = opened(person, fill, letter(world[0]))
    links = {a.get_text(): a for a in frame(person, page).all("a")}
    assert links["Lire"]["href"] == "https://ok.test/" and links["Lire"]["title"] == "ok.test"
    told = person.get(str(links["www.bank.example"]["href"]))
    assert "www.bank.example" in told.text and "https:// evil.test /?x=1" in told.text
    on = [a for a in told.all("a") if a["href"] == "https://evil.test/?x=1"]
    assert [a["rel"] for a in on] == [["noopener", "noreferrer", "nofollow"]]
    assert told.headers["Referrer-Policy"] == "no-referrer"
    assert person.get(told.link("Back to the message")).one("h1").get_text() == "Soldes"
    for changed in ("to=aHR0cHM6Ly94LnRlc3Qv", "seen=x", "back=/logout", "s=0", "s="):
        name = changed.partition("=")[0]
        assert (
            person.get(f"{told.address}&{name}=x".replace(f"{name}=", "gone=", 1).replace(f"&{name}=x", f"&{changed}")).status
            == 404
        )
    assert person.get("/leave").status == 404


# --- mailing lists ---------------------------------------------------------------------------------------------------


def test_one_click(person: Visitor, fill: Callable[..., list[int]], world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    port, asked = world
    posted = http_fetch.post
    # the test's web server has no certificate: https as it stands in the header, http on the wire
    monkeypatch.setattr(http_fetch, "post", lambda url, form, **options: posted(url.replace("https:", "http:"), form, **options))
    page = opened(
        person, fill,
        letter(port, List_Unsubscribe=f"<https://list.example:{port}/leave?me>, <mailto:leave@list.example?subject=stop>",
               List_Unsubscribe_Post="List-Unsubscribe=One-Click", List_Archive="<https://list.example/archive>", List_Id="Soldes <soldes.list.example>"),
    )  # fmt: skip
    assert page.link("Archive of the list") == "https://list.example/archive"
    question = person.get(page.link("Unsubscribe"))
    assert "soldes.list.example" in question.text and asked == []
    assert question.link("Write to leave@list.example") == "/compose?to=leave@list.example&subject=stop"
    done = person.submit(question, "form[action^='/unsubscribe/']")
    assert "list.example accepted the request" in done.notices
    assert done.one("h1").get_text() == "Soldes"
    assert asked[0].startswith(b"POST /leave?me HTTP/1.1\r\n") and asked[0].endswith(b"\r\n\r\nList-Unsubscribe=One-Click")


def test_what_became_of_it_is_told_as_it_is(
    person: Visitor, fill: Callable[..., list[int]], world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(
        person,
        fill,
        letter(world[0], List_Unsubscribe="<https://inside.example/u>", List_Unsubscribe_Post="List-Unsubscribe=One-Click"),
    )
    url = person.get(page.link("Unsubscribe"))
    for said, words in (
        (http_fetch.FetchedResponse("", 302, "", b""), "go on by yourself"), (http_fetch.FetchedResponse("", 500, "", b""), "refused"), (http_fetch.NotFetched("x"), "did not answer"),
        (http_fetch.AddressForbidden("x"), "no address that this server may ask"),
    ):  # fmt: skip

        def post(*_args: Any, said: Any = said, **_options: Any) -> http_fetch.FetchedResponse:
            if isinstance(said, Exception):
                raise said
            return said

        monkeypatch.setattr(http_fetch, "post", post)
        after = person.submit(url, "form[action^='/unsubscribe/']")
        assert words in after.notices
        assert after.link("Open the page of inside.example") == "https://inside.example/u"


def test_a_list_that_can_not_be_left_at_once_offers_its_ways(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    page = opened(person, fill, letter(world[0], List_Unsubscribe="<http://p\u0430ypal.com/u>, <mailto:leave@list.example>"))
    question = person.get(page.link("Unsubscribe"))
    assert not question.all("form[action^='/unsubscribe/']")
    assert question.link("Write to leave@list.example").startswith("/compose?to=leave@list.example")


def test_a_message_without_a_list(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    page = opened(person, fill, letter(world[0]))
    assert not page.all(".list-line")
    uid = person.get("/mailbox/INBOX").one("[data-row]")["data-uid"]
    assert person.get(f"/unsubscribe/{uid}/INBOX").status == 404
    assert person.get("/unsubscribe/9999/INBOX").status == 404
