"""Refused settings: what can't be is said beside its field, in the reader's language, with what to do; what was typed stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Page, Visitor
from webmail.establishments import setting_values
from webmail.models import EstablishmentSetting, User

FORM = "main form.form"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en") as made:
        yield made


@pytest.fixture
def racine(app: Flask) -> Visitor:
    return french_administrator(app)


def french_administrator(app: Flask) -> Visitor:
    ground.add("racine@lycee.example")
    User.update(role="admin", language="fr").where(User.local == "racine").execute()
    return ground.signed_in(app, "racine", "fr").confirm()


def sent(visitor: Visitor, section: str, **typed: str | list[str]) -> Page:
    return visitor.submit(visitor.get(f"/admin/settings/{section}"), FORM, **typed)


def links(url: str, name: str = "ENT", group: str = "") -> dict[str, list[str]]:
    return {"link-order": ["1", "2", "3"], "link-name": [name, "", ""], "link-url": [url, "", ""], "link-group": [group, "", ""]}


def typed_in(page: Page, name: str) -> str:
    box = page.one(f"[name={name}]")
    if box.name == "select":
        return str(box.select_one("[selected]")["value"])
    return str(box.get("value") if box.name == "input" else box.get_text().strip())


@pytest.mark.parametrize(("section", "typed", "field", "words"), [
    ("kept", {"transfers-days": "90", "transfers-most-days": "30"}, "transfers-days", "ne peut pas dépasser 30 jours"),
    ("terms", {"presentation-terms-fr": "Soyez sages."}, "terms-version", "Donnez une version"),
    ("terms", {"terms-version": "2026-09"}, "presentation-terms", "Écrivez les conditions"),
    ("policies", {"recovery-address": "required"}, "recovery-address", "Choisissez une autre valeur"),
    ("banner", {"presentation-banner-from": "2099-01-02T08:00", "presentation-banner-until": "2099-01-01T08:00"},
     "presentation-banner-until", "La fin doit"),
    ("banner", {"presentation-banner-fr": "x" * 501, "presentation-banner-en": "x" * 500}, "presentation-banner",
     "Le texte français compte 501 caractères"),
    ("links", links("javascript:alert(1)"), "links", "« ENT » ne peut pas mener à"),
    ("links", links(""), "links", "« ENT » n’a pas d’adresse"),
    ("links", links("https://x.example/" + "y" * 2000), "links", "trop longue"),
    ("links", links("https://x.example", "N" * 61), "links", "60 caractères"),
    ("links", links("https://x.example", group="G" * 101), "links", "100 caractères"),
])  # fmt: skip
def test_a_refusal_is_beside_its_field_in_the_reader_s_language(racine, section, typed, field, words):
    page = sent(racine, section, **typed)
    assert page.status == 422 and words in page.one(f"#{field}-error").get_text().replace("\xa0", " ")
    assert "must" not in page.one("main").get_text() and not page.all("main [lang=en]:is(span)")
    assert not EstablishmentSetting.select().exists()
    for name, value in typed.items():
        if isinstance(value, str):
            assert typed_in(page, name) == value
        else:
            shown = [box.get("value", "") for box in page.all(f"[name={name}]")]
            assert shown[0] == value[0]


def test_the_default_typed_again_is_measured_by_itself(app, racine):
    """Not by the value that it replaces."""
    here = app.extensions["settings"].transfers
    usual, most = here.days, here.most_days
    assert usual < most
    sent(racine, "kept", **{"transfers-days": str(most)})
    page = sent(racine, "kept", **{"transfers-days": str(usual), "transfers-most-days": str(most - 1)})
    assert page.status == 200 and app.extensions["settings"].transfers.days == usual


def test_where_the_file_sets_one_of_two_the_other_is_told(tmp_path):
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "config.toml").write_text("[transfers]\ndays = 20\n")
    with ground.application(tmp_path / "instance", language="en") as app:
        page = sent(french_administrator(app), "kept", **{"transfers-most-days": "10"})
        assert page.status == 422 and "20 jours" in page.one("#transfers-most-days-error").get_text().replace("\xa0", " ")


def test_what_is_wrong_in_another_section_is_named_with_the_way_there(app, racine):
    setting_values.save(None, {"recovery_address": "required"}, "somebody")
    page = sent(racine, "limits", **{"collection-items": "900"})
    told = page.one("main [role=alert]")
    assert page.status == 422 and told.a["href"].startswith("/admin/settings/policies") and "must" not in told.get_text()
    assert page.one("[name=collection-items]")["value"] == "900"


def test_neither_an_earlier_value_nor_an_undo_brings_back_what_fits_no_more(app, racine):
    sent(racine, "kept", **{"transfers-days": "25"})
    first = sent(racine, "kept", **{"transfers-days": "5"})
    setting_values.save(None, {"transfers.most_days": 10}, "somebody")
    app.extensions["live_settings"].refresh()
    refused = racine.submit(first, "form[action$='/settings/undo']")
    assert "ne peut pas être rétablie" in refused.notices and "10 jours" in refused.notices.replace("\xa0", " ")
    assert setting_values.current(None)["transfers.days"] == 5
    row = EstablishmentSetting.get(EstablishmentSetting.value == "25")
    shown = racine.get("/admin/settings/kept")
    page = racine.submit(shown, f"form[action$='/earlier/{row.id}']")
    assert "10 jours" in page.notices.replace("\xa0", " ")
    assert setting_values.current(None)["transfers.days"] == 5
