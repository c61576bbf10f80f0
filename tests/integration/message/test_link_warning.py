"""Links that deceive, as visits on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from tests.support.newsletter import frame, letter, opened
from tests.support.visits import Visitor


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
    assert told.all("main.sheet-danger") and "may be fraudulent" in told.text and "newsletters" not in told.text
    assert "btn-primary" in next(a for a in told.all("a") if a.get_text() == "Back to the message")["class"]
    assert "btn" not in on[0].get("class", [])  # the way on is no button
    assert person.get(told.link("Back to the message")).one("h1").get_text() == "Soldes"
    for changed in ("verdict=calm", "to=aHR0cHM6Ly94LnRlc3Qv", "seen=x", "back=/logout", "s=0", "s="):
        name = changed.partition("=")[0]
        assert (
            person.get(f"{told.address}&{name}=x".replace(f"{name}=", "gone=", 1).replace(f"&{name}=x", f"&{changed}")).status
            == 404
        )
    assert person.get("/leave").status == 404


def test_only_a_message_without_danger_is_excused(
    app: Flask, person: Visitor, fill: Callable[..., list[int]], world: Any
) -> None:
    page = opened(person, fill, letter(world[0]))
    source = str(page.one("iframe")["src"])
    assert "verdict=danger" in source
    words = "Many newsletters count clicks this way"
    for verdict, excused in (("calm", True), ("danger", False), ("x", False), ("", False)):
        body = person.get(source.replace("verdict=danger", f"verdict={verdict}"))
        told = person.get(str(next(a for a in body.all("a") if a.get_text() == "www.bank.example")["href"]))
        assert told.status == 200 and (words in told.text) is excused, verdict
        assert bool(told.all(".sheet-danger")) is (verdict == "danger"), verdict
