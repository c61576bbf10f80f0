"""Remote images, as visits on a real Dovecot with a small web server for the outside world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.support.images import png
from tests.support.newsletter import frame, letter, opened
from tests.support.settings_pages import choose
from tests.support.visits import Visitor
from webmail.models import Correspondent, ImageSender, User


def paths(asked: list[bytes]) -> list[str]:
    return [request.split(b" ")[1].decode() for request in asked]


def test_images_load_for_one_message_when_asked(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    port, asked = world
    page = opened(person, fill, letter(port))
    assert "4 remote images were not loaded" in page.text
    body = frame(person, page)
    assert "img.example" not in body.html and "/image/" not in body.html
    assert str(page.one("iframe")["src"]).endswith("#told") and body.one("#told")  # hidden there: the page says it already
    assert asked == []
    page = person.get(page.link("Show the images"))
    assert "not loaded" not in page.text
    assert "stay blank" in page.text and "images=1" in page.link("Try again")
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
    alone = person.get(page.link("Open the text in a new tab"))
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
    assert person.get("/settings/reading").one("#images option[selected]")["value"] == "known"
    choose(person, images="ask")
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
    alone = person.get(page.link("Open the text in a new tab") + "&images=1")
    assert "/image/" not in alone.html
    assert person.get(picture).status == 404
    assert (
        "administrator has turned off" in person.get("/images").text
        and "administrator has turned off" in person.get("/settings/reading").text
    )
    assert world[1] == []


@pytest.mark.parametrize("fields", [{}, {"action": "x"}])
def test_bad_input(person: Visitor, fields: dict[str, str]) -> None:
    token = person.get("/images").all("form [name=csrf_token]")[0]["value"]
    assert person.post("/images", {"csrf_token": token, **fields}).status == 400
    assert person.post("/images", {"action": "allow", "sender": "a@b.example"}).status == 400  # without the token
