"""Settings in pages: each preference saved by itself, undo, two tabs, finding one; on real servers."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.settings_pages import FORM, PAGES, choose, place_of
from tests.support.visits import Page, Visitor
from webmail import preferences
from webmail.database.connection import db
from webmail.models import User

OTHER = {
    "layout": "right", "page_size": "100", "snippets": None, "conversations": "y", "others_below": None, "prefer_text": "y", "images": "always",
    "receipts": "never", "archive_by": "year", "undo_seconds": "30", "write_format": "markdown", "quote": "above",
    "without_signatures": None, "notifications": "y", "refresh_minutes": "15", "theme": "dark", "dark_mail": None, "text_size": "large",
    "density": "compact", "language": "en", "time_zone": "Asia/Tokyo", "shortcuts": None,
    "calendar_view": "week", "first_day": "sunday", "hours_from": "9", "hours_to": "17", "second_zone": "America/Toronto",
    "week_numbers": None, "week_a": "2026-09-07", "school_zone": "B", "todos_shown": "y", "birthdays": None, "busy_shown": None, "ask_services": "y", "pencil_in": "known", "reminders": "both", "remind_before": "15",
    "remind_days": "0", "remind_hour": "9", "agenda_hour": "7",
}  # fmt: skip


@pytest.fixture
def bob(app: Flask, make_account: Callable[..., str]) -> Visitor:
    """Somebody else."""
    return Visitor(app, make_account()).sign_in()


def stored(person: Visitor) -> dict[str, object]:
    """All choices of a person, as the database has them."""
    with db.connection_context():
        user = User.get(User.address == person.address)
        return {name: getattr(preferences.for_user(user), name) for name in OTHER if name != "language"} | {
            "language": user.language
        }


def alone(person: Visitor, name: str, value: str | None) -> Page:
    """A control sends itself, as scripts do."""
    page = person.get(place_of(name))
    fields = {"csrf_token": str(page.one(f"{FORM} [name=csrf_token]")["value"]), "only": name}
    return person.post(place_of(name), fields | ({name: value} if value is not None else {}), htmx=f"saved-{name}")


def undo_of(page: Page) -> str:
    found = re.search(r'"undo":"([^"]+)"', str(page.one("button.undo")["hx-vals"]))
    assert found
    return found[1]


@pytest.mark.parametrize("name", OTHER)
def test_each_preference_is_saved_alone_and_undone(person: Visitor, name: str) -> None:
    before = stored(person)
    page = alone(person, name, OTHER[name])
    after = stored(person)
    assert {one for one in OTHER if before[one] != after[one]} == {name}
    if name == "language":  # the whole page changes: its notice has the undo
        assert page.headers["HX-Redirect"] == "/settings/language-time"
        person.submit(person.get("/settings/language-time"), "form[action='/settings/undo']")
    else:
        assert page.text.strip().startswith("Saved") and not page.all("html")
        token = str(person.get(place_of(name)).one(f"{FORM} [name=csrf_token]")["value"])
        page = person.post("/settings/undo", {"csrf_token": token, "undo": undo_of(page)}, htmx=f"saved-{name}")
        assert page.text.strip().startswith("Undone") and page.one(f"#control-{name}").has_attr("hx-swap-oob")
        assert page.all(f"#control-{name} [autofocus]")
    assert stored(person) == before


@pytest.mark.parametrize("slug", PAGES)
def test_a_page_changes_only_its_own_preferences(person: Visitor, slug: str) -> None:
    before = stored(person)
    page = person.submit(person.get(f"/settings/{slug}"), FORM, **{name: OTHER[name] for name in PAGES[slug]})
    assert "Settings saved." in page.notices and page.address == f"/settings/{slug}"
    after = stored(person)
    assert {one for one in OTHER if before[one] != after[one]} == set(PAGES[slug])
    assert "Previous setting restored." in person.submit(page, "form[action='/settings/undo']").notices
    assert stored(person) == before


def test_a_page_that_nobody_touched_changes_nothing(person: Visitor) -> None:
    before = stored(person)
    for slug in PAGES:
        page = person.submit(person.get(f"/settings/{slug}"), FORM)
        assert not page.all("form[action='/settings/undo']")
    assert stored(person) == before


def test_two_tabs_keep_what_the_other_chose(person: Visitor) -> None:
    first, second = person.get("/settings/reading"), person.get("/settings/reading")
    person.submit(first, FORM, page_size="100", snippets=None)
    person.submit(second, FORM, images="always")
    found = stored(person)
    assert (found["page_size"], found["snippets"], found["images"]) == (100, False, "always")
    person.submit(second, FORM, images="always", conversations="y")
    assert stored(person)["page_size"] == 100


def test_an_undo_leaves_what_another_tab_chose_later(person: Visitor) -> None:
    page = choose(person, density="compact")
    token = str(page.one("form[action='/settings/undo'] [name=undo]")["value"])
    alone(person, "density", "cosy")
    csrf = str(page.one(f"{FORM} [name=csrf_token]")["value"])
    page = person.post("/settings/undo", {"csrf_token": csrf, "undo": token})
    assert "can no longer be undone" in page.notices and stored(person)["density"] == "cosy"


BAD = {
    "layout": "above", "page_size": "1000000", "images": "", "receipts": "x", "undo_seconds": "3600", "theme": "pink",
    "text_size": "huge", "language": "de", "time_zone": "Europe/Lyon", "refresh_minutes": "-1", "quote": "\0",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_refused_beside_its_control(person: Visitor, name: str) -> None:
    before = stored(person)
    page = alone(person, name, BAD[name])
    assert page.status == 422 and page.one(".field-error").get_text(strip=True)
    page = person.submit(person.get(place_of(name)), FORM, **{name: BAD[name]})
    assert page.status == 422 and page.all(f"#setting-{name} [aria-invalid]") and page.all(f"#{name}-error")
    assert stored(person) == before


@pytest.mark.parametrize("name", ["", "favourites", "roles", "room_quiet_until", "theme", "csrf_token"])
def test_only_what_the_page_has_can_be_changed_there(person: Visitor, name: str) -> None:
    before = stored(person)
    page = person.get("/settings/reading")
    fields = {"csrf_token": str(page.one(f"{FORM} [name=csrf_token]")["value"]), "only": name, name or "theme": "dark"}
    assert person.post("/settings/reading", fields, htmx="saved-x").status in (200, 400)
    assert stored(person) == before


def test_a_form_of_before_there_were_pages_resets_nothing(person: Visitor) -> None:
    choose(person, theme="dark", snippets=None)
    token = str(person.get("/settings/reading").one(f"{FORM} [name=csrf_token]")["value"])
    person.post("/settings", {"csrf_token": token, "page_size": "25", "density": "compact", "conversations": "y"})
    found = stored(person)
    assert (found["page_size"], found["density"], found["conversations"]) == (25, "compact", True)
    assert (found["theme"], found["snippets"], found["shortcuts"]) == ("dark", False, True)


def test_there_is_nothing_for_strangers_and_no_page_of_another_name(app: Flask, person: Visitor) -> None:
    stranger = Visitor(app)
    for url in ("/settings", "/settings/reading", "/settings?q=theme"):
        assert stranger.get(url, follow=False).location.startswith("/login")
    assert person.get("/settings/nope").status == 404
    assert person.post("/settings/reading", {"only": "snippets"}).status == 400  # without the token
    assert person.post("/settings/undo", {"undo": "x"}).status == 400


def test_another_persons_undo_is_none(person: Visitor, bob: Visitor) -> None:
    page = alone(person, "theme", "dark")
    choose(bob, theme="dark")
    token = str(bob.get("/settings/reading").one(f"{FORM} [name=csrf_token]")["value"])
    answer = bob.post("/settings/undo", {"csrf_token": token, "undo": undo_of(page)}, htmx="saved-theme")
    assert answer.status == 409 and stored(bob)["theme"] == "dark"


def test_the_index_names_every_preference_and_where_it_is(person: Visitor) -> None:
    page = person.get("/settings")
    for name in OTHER:
        assert page.one(f"#{name} a")["href"] == f"{place_of(name)}#{name}"  # and old links to #name lead to it
        assert person.get(place_of(name)).all(f"{FORM} [name={name}]")
    for place in page.all("main a[href^='/']"):
        assert person.get(str(place["href"])).status == 200, place
    assert page.one(".settings-nav [aria-current=page]").get_text() == "All settings"
    assert person.get("/settings/writing").one(".settings-nav [aria-current=page]").get_text() == "Writing"


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("theme", "Theme"), ("thème", "Theme"), ("THEME sombre", "Theme"), ("fuseau", "Time zone"), ("horaire", "Time zone"),
        ("receipt", "Read receipts"), ("accuses de lecture", "Read receipts"), ("dark", "Theme"), ("annuler envoi", "Time to undo sending"),
        ("étiquettes", "Tags"), ("signature", "Signatures"), ("modèles", "Templates"), ("raccourcis", "Keyboard shortcuts"),
    ],
)  # fmt: skip
def test_a_setting_is_found_by_words_of_either_language(person: Visitor, words: str, first: str) -> None:
    page = person.get(f"/settings?q={words}")
    found = [a.get_text() for a in page.all(".settings-found a")]
    assert first in found[:2], found
    assert person.get(str(page.all(".settings-found a")[0]["href"])).status == 200


def test_a_search_in_vain_says_so(person: Visitor) -> None:
    page = person.get("/settings?q=<b>zzz" + "z" * 300)
    assert "No setting matches “<b>zzz" in page.text and not page.all("main b") and page.all(".settings-list")
    assert person.get("/settings?q=%20%00").status == 200


def test_pieces_for_scripts(person: Visitor) -> None:
    page = person.get("/settings/reading", htmx="main")
    assert page.html.lstrip().startswith("<title>Reading") and page.all("main#main") and not page.all("html")


class TestLook:
    def test_the_root_element_has_it_on_every_page(self, person: Visitor) -> None:
        html = person.get("/mailbox/INBOX").one("html")
        assert not html.has_attr("data-theme") and not html.has_attr("data-size")
        choose(person, theme="contrast", text_size="larger")
        for url in ("/mailbox/INBOX", "/settings", "/compose", "/nope"):
            page = person.get(url)
            html = page.one("html")
            assert (html["data-theme"], html["data-size"]) == ("contrast", "larger"), url
            assert page.all("link[href*='css/contrast.css']"), url

    def test_the_sign_in_page_keeps_it_in_this_browser(self, app: Flask, person: Visitor) -> None:
        page = choose(person, theme="dark")
        page = person.post("/logout", {"csrf_token": str(page.one(f"{FORM} [name=csrf_token]")["value"])})
        assert page.all("[name=password]") and page.one("html")["data-theme"] == "dark"
        assert page.one("meta[name=color-scheme]")["content"] == "dark"
        assert not Visitor(app).get("/login").one("html").has_attr("data-theme")

    def test_a_cookie_that_is_none_of_ours_is_ignored(self, app: Flask) -> None:
        visitor = Visitor(app)
        visitor.client.set_cookie("traboule-look", '"><script>.x')
        assert visitor.get("/login").one("html").attrs == {"lang": "en"}


class TestTimeZone:
    def test_every_time_is_the_persons_own(self, person: Visitor, bob: Visitor, fill: Callable[..., list[int]]) -> None:
        letter = message("Heure")
        letter.replace_header("Date", "Mon, 05 Jan 2026 23:30:00 +0100")
        for one in (person, bob):
            fill(one, letter)
        choose(person, time_zone="tokyo")
        seen = person.get(person.get("/mailbox/INBOX").link("Heure")).text
        assert "Tuesday 6 January 2026, 07:30" in seen
        usual = bob.get(bob.get("/mailbox/INBOX").link("Heure")).text
        assert set(re.findall(r"\w+ \d+ January 2026, \d\d:\d\d", usual)) == {"Monday 5 January 2026, 23:30"}

    def test_a_message_is_sent_later_in_it(self, person: Visitor) -> None:
        """Tomorrow at 8 is 8 in Tokyo, which is 23:00 UTC of the day before."""
        from tests.support.compose_form import FORM as COMPOSE
        from webmail.models import Outbox

        choose(person, time_zone="Asia/Tokyo")
        page = person.submit(
            person.get("/compose"), COMPOSE, to=person.address, subject="Later", body="b", action="later:tomorrow"
        )
        assert page.status == 200, page.text
        with db.connection_context():
            row = Outbox.select().join(User).where(User.address == person.address).get()
        assert row.scheduled.hour == 23

    def test_its_field_offers_zones_and_says_what_is_usual_here(self, person: Visitor) -> None:
        page = person.get("/settings/language-time")
        field = page.one("[name=time_zone]")
        assert field["placeholder"] == "Europe/Paris" and field["value"] == ""
        assert page.all("datalist option[value='Europe/London']")


@pytest.mark.parametrize("url", ["/settings", *(f"/settings/{slug}" for slug in PAGES)])
def test_a_page_is_small(person: Visitor, url: str) -> None:
    """With the sheet of its own, at most 12 KB compressed."""
    own = Path(__file__).parents[3] / "static/css/settings.css"
    size = sum(len(gzip.compress(one)) for one in (person.get(url).html.encode(), own.read_bytes()))
    assert size <= 12_000, size
    print(url, size)
