"""What an administrator says of the establishment: links in the menu of every page, and several domains that are inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from tests.support.groups import group
from tests.support.messages import message
from tests.support.visits import Visitor
from webmail import imap
from webmail.accounts import links as own
from webmail.config.tables import Domain, Link

LINKS = (Link("Cahier de <textes>", "https://ent.lycee.example/a?b=c&d=e"), Link("Ici", "http://localhost:8080/"))
CHARLIE = "charlie@autre.example"


@pytest.fixture
def given(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives the application these settings for the rest of the test."""

    def give(**values: Any) -> None:
        monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], **values))

    return give


@pytest.fixture
def charlie(app: Flask) -> Iterator[Visitor]:
    yield Visitor(app, CHARLIE).sign_in()
    imap.close_all()


# --- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["/mailbox/INBOX", "/contacts", "/settings", "/outbox"])
def test_the_links_stand_in_the_menu_of_every_page(given: Any, person: Visitor, page: str) -> None:
    given(links=LINKS, name="Lycée <Ampère>")
    found = person.get(page)
    links = [a for a in found.all("details.account a") if a.get("target") == "_blank"]
    assert [(a.get_text(), a["href"]) for a in links] == [(one.name, one.url) for one in LINKS]
    assert {(a["hx-boost"], " ".join(a["rel"])) for a in links} == {("false", "noopener noreferrer")}
    assert links[0].find_previous_sibling("summary").get_text() == "Lycée <Ampère>"


def test_eight_stand_above_the_bar_and_the_rest_in_a_menu(given: Any, person: Visitor) -> None:
    given(links=tuple(Link(f"Application {number}", f"https://a{number}.example") for number in range(10)))
    bar = person.get("/contacts").one("nav.own")
    shown = [a for a in bar.select("a[target=_blank]") if not a.find_parent("details")]
    assert [a.get_text(strip=True) for a in shown] == [f"Application {number}" for number in range(8)]
    assert [a.get_text(strip=True) for a in bar.select("details a")] == ["Application 8", "Application 9"]
    assert all("noopener" in a["rel"] for a in bar.select("a"))


def test_an_icon_that_does_not_exist_is_none(given: Any, person: Visitor) -> None:
    given(links=(Link("Notes", "https://a.example", icon="marks"), Link("Logo", "https://b.example", icon="https://x/logo.png")))
    first, second = person.get("/mailbox/INBOX").one("nav.own").select("a")
    use = first.select_one("use")
    assert use and str(use["href"]).endswith("#marks")
    assert not second.select("svg, img")


def test_a_link_for_a_group_is_for_its_people(given: Any, person: Visitor) -> None:
    name = f"Équipe {person.address.partition('@')[0]}"
    given(links=(Link("Salle des profs", "https://a.example", group=name.upper()), *LINKS))
    own.forget()
    assert "Salle des profs" not in person.get("/mailbox/INBOX").text
    group(name, person.address)
    own.forget()
    assert "Salle des profs" in person.get("/mailbox/INBOX").text


def test_without_links_nothing_stands_there(person: Visitor) -> None:
    menu = person.get("/mailbox/INBOX").one("details.account")
    assert len(menu.select("p")) == 1 and not person.get("/mailbox/INBOX").all("nav.own")
    assert not menu.select("a[target]")


def test_nobody_sees_them_before_signing_in(app: Flask, given: Any) -> None:
    given(links=LINKS)
    assert "ent.lycee.example" not in Visitor(app).get("/login").html


# --- domains ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("together", [False, True])
def test_people_of_a_listed_domain_are_inside(given: Any, person: Visitor, fill: Any, together: bool) -> None:
    given(domains=(Domain("Autre.example", "Collège"),) if together else ())
    fill(person, message("Plans", sender=f"Charlie Roux <{CHARLIE}>"))
    line = person.get(person.get("/mailbox/INBOX").link("Plans")).one(".trust").get_text(" ", strip=True)
    assert f"{'inside' if together else 'outside'} your organisation" in line


@pytest.mark.parametrize("together", [False, True])
def test_they_are_offered_as_recipients(given: Any, person: Visitor, charlie: Visitor, together: bool) -> None:
    given(domains=(Domain("autre.example"),) if together else ())
    assert (CHARLIE in person.get("/recipients?words=charlie").text) is together
    assert (person.address in charlie.get(f"/recipients?words={person.address}").text) is together


def test_folders_are_shared_between_them(given: Any, person: Visitor, charlie: Visitor, fill: Any) -> None:
    given(domains=(Domain("autre.example", "Collège Ampère"),))
    person.submit(person.get("/folders"), "#new-folder", name="Team")
    fill(person, message("Plans"), mailbox="Team")
    told = person.submit(person.get("/folder/Team"), "#share", who=CHARLIE, level="read", action="give")
    assert f"{CHARLIE} can read this folder" in told.notices
    assert charlie.get(f"/mailbox/shared/{person.address}/Team").rows == ["Plans"]


def test_the_page_calls_a_domain_by_its_name(given: Any, person: Visitor) -> None:
    given(domains=(Domain("lycee.example", "Lycée Ampère"),))
    person.submit(person.get("/folders"), "#new-folder", name="Team")
    assert "Everyone at Lycée Ampère" in person.get("/folder/Team").text
