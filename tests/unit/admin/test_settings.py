"""The establishment's settings in pages: typed, checked, shown to everybody, undone; what config.toml sets stays."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from PIL import Image

from tests.support import calendar_ground as ground
from tests.support.visits import Visitor
from webmail.establishments import colours, establishments, live_settings, logos, setting_values
from webmail.models import AuditAct, AuditEntry, EstablishmentImage, EstablishmentSetting, User, now

FORM = "main form.form"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        yield made


def administrator(app: Flask, name: str = "root", role: str = "admin") -> Visitor:
    ground.add(f"{name}@lycee.example")
    User.update(role=role).where(User.address == f"{name}@lycee.example").execute()
    return ground.signed_in(app, name).confirm()


@pytest.fixture
def root(app: Flask) -> Visitor:
    return administrator(app)


@pytest.fixture
def stranger(app: Flask) -> Visitor:
    return Visitor(app)


def picture(size: tuple[int, int] = (300, 100)) -> bytes:
    Image.new("RGBA", size, (26, 99, 201, 128)).save(into := io.BytesIO(), "PNG", comment="where I was")
    return into.getvalue()


def test_every_section_has_a_page_and_every_setting_words(root):
    page = root.get("/admin/settings")
    sections = [link["href"] for link in page.all("main h2 a")]
    assert len(sections) == 13
    for section in sections:
        shown = root.get(section)
        assert shown.status == 200 and shown.all(f"{FORM} :is(input, textarea, select)[name]")


def test_a_name_is_changed_everywhere_at_once_and_undone(root, stranger):
    before = stranger.get("/login").one("h1").get_text(strip=True)
    root.get("/mailbox/INBOX")
    page = root.submit(root.get("/admin/settings/identity"), FORM, name="Lycée Ampère")
    assert "Saved." in page.notices
    assert "Lycée Ampère" in stranger.get("/login").one("h1").get_text()
    assert "Lycée Ampère" in root.get("/contacts").one(".top .brand").get_text()
    entry = AuditEntry.get(AuditEntry.act == AuditAct.SETTING_CHANGED)
    assert (entry.target, json.loads(entry.details)) == ("name", {})
    assert "Previous settings restored" in root.submit(page, "form[action$='/settings/undo']").notices
    assert stranger.get("/login").one("h1").get_text(strip=True) == before


def test_another_process_sees_it_when_it_looks_again(app, root):
    live = app.extensions["live_settings"]
    setting_values.save(None, {"trust_days": 3}, "elsewhere")
    root.get("/account")
    assert app.extensions["settings"].trust_days == 30
    live.until = 0.0
    root.get("/account")
    assert app.extensions["settings"].trust_days == 3
    setting_values.save(None, {"trust_days": None}, "elsewhere")
    live.refresh()
    assert app.extensions["settings"].trust_days == 30


def test_looking_again_costs_two_queries_and_nothing_in_between(app, statements=None):
    live = app.extensions["live_settings"]
    live.refresh()
    assert live.until > 0 and 0 < live_settings.SECONDS <= 30
    seen = live._seen
    live.look()
    assert live._seen is seen


def test_numbers_keep_their_bounds_and_what_was_typed(root):
    page = root.submit(root.get("/admin/settings/limits"), FORM, **{"message-limit-mb": "26", "collection-items": "900"})
    assert page.status == 422 and "Enter a number from 1 to 25" in page.one("main").get_text()
    assert page.one("[name=collection-items]")["value"] == "900" and not EstablishmentSetting.select().exists()


def test_what_does_not_go_together_is_refused_in_words(app, root):
    assert not app.extensions["settings"].system_address
    page = root.submit(root.get("/admin/settings/policies"), FORM, **{"recovery-address": "required"})
    assert page.status == 422 and "system_address" in page.one("#recovery-address-error").get_text()
    assert app.extensions["settings"].recovery_address == "ask"
    page = root.submit(root.get("/admin/settings/kept"), FORM, **{"transfers-days": "90", "transfers-most-days": "30"})
    assert page.status == 422


def test_what_the_file_sets_wins_and_is_shown_as_such(tmp_path):
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "config.toml").write_text("trust_days = 9\n[transfers]\nmost_days = 40\n")
    with ground.application(tmp_path / "instance", language="en") as app:
        root = administrator(app)
        setting_values.save(None, {"trust_days": 2, "transfers.most_days": 50, "transfers.days": 3}, "somebody")
        app.extensions["live_settings"].refresh()
        here = app.extensions["settings"]
        assert (here.trust_days, here.transfers.most_days, here.transfers.days) == (9, 40, 3)
        page = root.get("/admin/settings/policies")
        assert page.one("[name=trust-days]").has_attr("disabled")
        assert "Set in config.toml" in page.one("#trust-days-hint").get_text()
        root.submit(page, FORM, **{"trust-days": "5", "page-size": "20"})
        assert (here.trust_days, here.page_size) == (9, 20)


def test_the_second_of_two_administrators_is_told_and_keeps_what_they_typed(app, root):
    other = administrator(app, "chief")
    first, second = root.get("/admin/settings/policies"), other.get("/admin/settings/policies")
    root.submit(first, FORM, **{"trust-days": "7"})
    page = other.submit(second, FORM, **{"trust-days": "8", "page-size": "20"})
    assert page.status == 409 and "root@lycee.example" in page.one("[role=alert]").get_text()
    assert page.one("[name=trust-days]")["value"] == "8" and app.extensions["settings"].trust_days == 7
    assert other.submit(page, FORM).status == 200
    assert (app.extensions["settings"].trust_days, app.extensions["settings"].page_size) == (8, 20)


def test_each_earlier_value_can_be_put_back(app, root):
    for days in ("7", "8"):
        root.submit(root.get("/admin/settings/policies"), FORM, **{"trust-days": days})
    page = root.get("/admin/settings/policies")
    rows = [row.get_text(" ", strip=True) for row in page.all(".earlier li")]
    assert "8 days" in rows[0] and "holds now" in rows[0] and "7 days" in rows[1]
    page = root.submit(page, ".earlier form")
    assert app.extensions["settings"].trust_days == 7 and "is as it was" in page.notices


def test_a_setting_is_kept_thirty_times(root):
    for days in range(40):
        setting_values.save(None, {"trust_days": days}, "somebody")
    assert EstablishmentSetting.select().count() == setting_values.KEPT


def test_rows_that_hold_together_no_more_leave_the_others(app):
    setting_values.save(None, {"trust_days": 5, "recovery_address": "required"}, "somebody")
    app.extensions["live_settings"].refresh()
    here = app.extensions["settings"]
    assert (here.trust_days, here.recovery_address) == (5, "ask")


# --- logo and colour -------------------------------------------------------------------------------------------------


def test_a_logo_is_encoded_again_and_served_for_ever(root, stranger):
    page = root.submit(root.get("/admin/settings/identity"), FORM, **{"presentation-logo": (io.BytesIO(picture()), "logo.png")})
    assert "Saved." in page.notices
    image = stranger.get("/login").one("h1 img")
    assert (image["width"], image["height"], image["alt"]) == ("96", "32", "")
    answer = stranger.client.get(image["src"])
    assert answer.mimetype == "image/png" and "immutable" in answer.headers["Cache-Control"] and b"where I was" not in answer.data
    assert root.get("/contacts").one(".top .brand img")["src"] == image["src"]
    root.submit(root.get("/admin/settings/identity"), FORM, **{"remove-logo": "1"})
    assert not stranger.get("/login").all("h1 img")


@pytest.mark.parametrize(
    "data", [b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", b"", b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_picture_is_refused(root, data):
    page = root.submit(root.get("/admin/settings/identity"), FORM, **{"presentation-logo": (io.BytesIO(data), "logo.svg")})
    assert page.status == 422 and "This is no picture" in page.one("main").get_text()


@pytest.mark.parametrize("chosen", ["#000000", "#ffffff", "#ffff00", "#0000ff", "#808080", "#00ff88", "#e8906a", "#ff0000"])
def test_any_colour_is_made_readable_in_both_themes(chosen):
    found = colours.readable(chosen)
    pairs = [
        (found.light, "#faf8f5"), (found.light, "#ffffff"), (found.light, "#f4f0ea"), (found.light, found.light_soft),
        (found.light, found.light_on), (found.dark, "#181614"), (found.dark, "#211e1b"), (found.dark, "#2a2622"),
        (found.dark, found.dark_soft), (found.dark, found.dark_on), ("#6a645b", found.light_soft), ("#a79f93", found.dark_soft),
    ]  # fmt: skip
    assert min(colours.contrast(one, other) for one, other in pairs) >= colours.ENOUGH
    assert colours.readable("#9c3f1c").light == "#9c3f1c"


def test_pages_have_the_colour_and_the_form_says_which(root, stranger):
    page = root.submit(root.get("/admin/settings/identity"), FORM, **{"presentation-accent": "#FFFF00"})
    assert [swatch["aria-label"] for swatch in page.all(".swatches svg")] == ["#707000", "#ffff00"]
    sheet = next(link["href"] for link in stranger.get("/login").all("link[rel=stylesheet]") if "accent" in link["href"])
    assert "#707000" in stranger.client.get(sheet).text and stranger.client.get("/accent/zzzzzz.css").status_code == 404
    page = root.submit(root.get("/admin/settings/identity"), FORM, **{"presentation-accent": "red;}"})
    assert page.status == 422 and "Enter a colour" in page.one("main").get_text()


# --- words -----------------------------------------------------------------------------------------------------------


def test_a_banner_stands_on_all_pages_between_two_moments(root, stranger):
    words = {"presentation-banner-en": "Closed on Friday <b>", "presentation-banner-fr": "Fermé vendredi"}
    root.submit(root.get("/admin/settings/banner"), FORM, **words, **{"presentation-banner-until": "2099-01-01T08:00"})
    for page in (root.get("/contacts"), stranger.get("/login")):
        assert "Closed on Friday <b>" in page.one("[data-announcement]").get_text()
    root.submit(root.get("/admin/settings/banner"), FORM, **{"presentation-banner-from": "2098-01-01T08:00"})
    assert "2098, 08:00" in root.get("/admin/settings/banner").one(".earlier").text  # as it was typed, not as it is kept
    assert not root.get("/contacts").all("[data-announcement]")
    root.submit(
        root.get("/admin/settings/banner"),
        FORM,
        **{"presentation-banner-from": "", "presentation-banner-until": "2001-01-01T08:00"},
    )
    assert not stranger.get("/login").all("[data-announcement]")
    page = root.submit(
        root.get("/admin/settings/banner"), FORM,
        **{"presentation-banner-from": "2099-01-02T08:00", "presentation-banner-until": "2099-01-01T08:00"},
    )  # fmt: skip
    assert page.status == 422 and "must be after" in page.one("main").get_text()


@pytest.mark.parametrize(
    "address", ["/forgot", "/forgot/sent", "/forgot/nobody", "/support", "/help", "/help/start", "/nothing/there"]
)
def test_a_banner_stands_on_pages_of_who_can_not_get_in(root, stranger, address):
    """Also where the mail server or the database is what the announcement is about: it comes with the settings."""
    root.submit(root.get("/admin/settings/banner"), FORM, **{"presentation-banner-en": "The mail server is being moved"})
    page = stranger.get(address)
    assert [one.get_text() for one in page.all("[data-announcement]")] == ["The mail server is being moved"], page.status


def test_a_banner_stands_on_pages_of_errors_once(app, root):
    root.submit(root.get("/admin/settings/banner"), FORM, **{"presentation-banner-en": "The mail server is being moved"})
    for address, status in (("/nothing/there", 404), ("/mailbox/INBOX", 502)):
        page = root.get(address)
        assert (page.status, len(page.all("[data-announcement]"))) == (status, 1)


def test_terms_are_written_in_the_page_and_asked_again_with_each_version(app, root):
    alice = ground.signed_in(app, ground.add("alice@lycee.example").local)
    page = root.submit(root.get("/admin/settings/terms"), FORM, **{"presentation-terms-en": "Be kind."})
    assert page.status == 422 and "Give the terms a version" in page.one("main").get_text()
    root.submit(root.get("/admin/settings/terms"), FORM, **{"presentation-terms-en": "Be kind.", "terms-version": "2026-09"})
    page = alice.get("/contacts")
    assert "/account/terms" in page.address and "Be kind." in page.text
    assert alice.submit(page, "form[action*='/account/terms']").status == 200
    assert "/account/terms" not in alice.get("/contacts").address
    page = root.submit(root.get("/account/terms"), "form[action*='/account/terms']")
    root.submit(root.get("/admin/settings/terms"), FORM, **{"terms-version": "2027-09"})
    assert "/account/terms" in alice.get("/contacts").address


def test_one_language_alone_offers_no_other(root, stranger):
    root.submit(root.get("/admin/settings/languages"), FORM, **{"presentation-languages-en": None, "language": "fr"})
    page = stranger.get("/login")
    assert page.one("html")["lang"] == "fr" and not page.all("form.language")
    assert root.get("/contacts").one("html")["lang"] == "fr" and not root.get("/contacts").all("[name=language]")
    page = root.submit(root.get("/admin/settings/languages"), FORM, **{"presentation-languages-fr": None})
    assert page.status == 422


def test_links_come_in_the_order_that_was_asked_for(app, root):
    page = root.get("/admin/settings/links")
    root.submit(
        page, FORM,
        **{"link-order": ["2", "1", "3"], "link-name": ["ENT", "Cantine", ""], "link-url": ["https://ent.example", "https://c.example", ""],
           "link-icon": ["book", "meal", ""], "link-group": ["", "", ""]},
    )  # fmt: skip
    assert [link.get_text() for link in root.get("/contacts").all("nav.own a")] == ["Cantine", "ENT"]
    page = root.submit(
        root.get("/admin/settings/links"), FORM, **{"link-url": ["javascript:alert(1)", "https://x.example", "", "", ""]}
    )
    assert page.status == 422 and [link.name for link in app.extensions["settings"].links] == ["Cantine", "ENT"]


def test_the_foot_says_what_this_is_and_leads_to_three_pages(root, stranger):
    for path in ("/login", "/forgot", "/support", "/t/nothing", "/help"):
        foot = stranger.get(path).one(".foot")
        assert [link["href"] for link in foot.select("a")] == ["/legal", "/privacy", "/accessibility"]
        assert "not assessed yet" in foot.get_text()
    root.submit(
        root.get("/admin/settings/notices"), FORM,
        **{"presentation-legal-en": "## Us\n\n<script>x</script> ![](https://evil.example/a.png)", "presentation-accessibility-level": "partial"},
    )  # fmt: skip
    page = stranger.get("/legal")
    assert page.one("main h2").get_text() == "Us" and not page.all("main script") and not page.all("main img")
    assert "partially compliant" in stranger.get("/login").one(".foot").get_text()
    root.submit(root.get("/admin/settings/identity"), FORM, **{"presentation-sentence-en": "The mail of our school."})
    assert "The mail of our school." in stranger.get("/login").one(".foot").get_text()


# --- several establishments ------------------------------------------------------------------------------------------


@pytest.fixture
def two(app):
    north, south = establishments.make("Nord"), establishments.make("Sud")
    establishments.set_domains(north, ["lycee.example"])
    establishments.set_domains(south, ["sud.example"])
    app.extensions["live_settings"].refresh()
    return north, south


def test_only_languages_that_are_offered_stand_in_the_preferences(root):
    assert [one["value"] for one in root.get("/settings/language-time").all("#language option")] == ["", "fr", "en"]
    root.submit(root.get("/admin/settings/languages"), FORM, **{"presentation-languages-fr": "", "language": "en"})
    assert [one["value"] for one in root.get("/settings/language-time").all("#language option")] == ["", "en"]


def test_the_audit_log_names_a_setting_as_pages_do(root):
    root.submit(root.get("/admin/settings/policies"), FORM, **{"trust-days": "3"})
    text = root.get("/admin/audit?act=setting-changed").text
    assert "Rules – " in text and "trust_days" not in text


def test_logos_that_nothing_names_are_forgotten_a_day_later(root):
    root.submit(root.get("/admin/settings/identity"), FORM, **{"presentation-logo": (io.BytesIO(picture()), "logo.png")})
    unnamed = logos.keep(picture((40, 40)))
    assert setting_values.sweep_logos() == 0
    EstablishmentImage.update(created=now() - timedelta(days=2)).execute()
    assert setting_values.sweep_logos() == 1
    assert [row.digest for row in EstablishmentImage.select()] != [unnamed.partition("-")[0]]
    root.submit(root.get("/admin/settings/identity"), FORM, **{"remove-logo": "1"})
    assert setting_values.sweep_logos() == 0, "an earlier value can be put back"


def test_an_establishment_has_its_own_name_and_words(app, two, stranger):
    north, south = two
    chief = ground.add("chief@lycee.example")
    establishments.add_administrator(north, chief)
    visitor = ground.signed_in(app, "chief").confirm()
    assert "Nord" in visitor.get("/contacts").one(".top .brand").get_text()
    page = visitor.get("/admin/settings")
    assert {link["href"].partition("?")[0].rpartition("/")[2] for link in page.all("main h2 a")} == {
        "identity", "sign-in", "welcome", "banner", "links", "help", "data", "notices",
    }  # fmt: skip
    assert visitor.get(f"/admin/settings/identity?establishment={south.id}").status == 404
    assert visitor.get("/admin/settings/policies").status == 404 and visitor.get("/admin/settings/register").status == 403
    visitor.submit(visitor.get("/admin/settings/sign-in"), FORM, **{"presentation-sign-in-en": "Hello North"})
    assert "Hello North" not in stranger.get("/login").text
    assert "Hello North" in sign_in_page_at(app, "webmail.lycee.example")
    assert "Hello North" not in sign_in_page_at(app, "webmail.sud.example") and "Sud" in sign_in_page_at(
        app, "webmail.sud.example"
    )
    rows = EstablishmentSetting.select()
    assert [(row.establishment_id, row.name) for row in rows] == [(north.id, "presentation.sign_in")]


def sign_in_page_at(app: Flask, host: str) -> str:
    return str(app.test_client().get("/login", base_url=f"http://{host}", headers={"Accept-Language": "en"}).text)


# --- by command ------------------------------------------------------------------------------------------------------


def test_commands_change_the_same(app, root):
    def run(*words: str) -> str:
        return app.test_cli_runner().invoke(args=["settings", *words]).output

    assert run("set", "trust_days", "7") == "trust_days is 7\n" and app.extensions["settings"].trust_days == 7
    assert "trust_days\t7" in run("list")
    assert "must be from 0 to 365" in run("set", "trust_days", "900") and "can't be 'x'" in run("set", "trust_days", "x")
    assert "only with system_address" in run("set", "recovery_address", "required")
    assert "pages don't change 'forwarding'" in run("set", "forwarding", "anywhere")
    assert "command\t7" in run("history", "trust_days")
    assert run("reset", "trust_days") == "trust_days is null\n" and app.extensions["settings"].trust_days == 30
    entries = [json.loads(entry.details) for entry in AuditEntry.select().where(AuditEntry.act == AuditAct.SETTING_CHANGED)]
    assert entries == [{"by": "command", "after": "7"}, {"by": "command", "before": "7"}]
