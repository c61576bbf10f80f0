"""A file of people, as an administrator lives it: chosen, looked at, imported, and the passwords on paper, which open the mailbox."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.browsing import overflow
from tests.support.every_page import ADMIN
from tests.support.waiting import eventually
from webmail.models import PasswordSheet, Session, User

CSV = "Nom;Prénom;Classe;Adresse e-mail\nLefèvre;Élodie;Import 6A;elodie.{0}@lycee.example\nQuesnel;Bob;Import 6A;\nMartin;Zoé;Import 6B;zoe.{0}@gmail.example\n"


def _looked_at(page: Page, name: str) -> None:
    """Pictures, for who wants to look: TRABOULE_PICTURES names a folder."""
    if folder := os.environ.get("TRABOULE_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, caret="initial")


def _check(page: Page, check_accessibility: Callable[[Page], None], scripts: bool) -> None:
    if scripts:  # axe needs them
        check_accessibility(page)


@pytest.fixture
def administrator(open_browser: Callable[..., Page]) -> Page:
    return open_browser(ADMIN, width=360)


def test_people_come_from_a_file_and_their_passwords_on_paper(
    administrator: Page, open_browser: Callable[..., Page], demo: Services, scripts: bool,
    check_accessibility: Callable[[Page], None],
) -> None:  # fmt: skip
    page, number = administrator, f"p{int(scripts)}"
    page.goto("/admin/people/import")
    content = CSV.format(number).replace("Quesnel;Bob", f"Quesnel;Bob{number}").encode("cp1252")
    page.set_input_files("#people-file", {"name": "élèves.csv", "mimeType": "text/csv", "buffer": content})
    page.click("main form button.btn-primary")
    expect(page.locator("[data-outcome=created]")).to_have_count(2)
    expect(page.locator("[data-outcome=refused]")).to_have_count(1)
    assert overflow(page) == 0
    _check(page, check_accessibility, scripts)
    _looked_at(page, f"import-360-{number}")
    page.click("main details summary")
    _check(page, check_accessibility, scripts)
    _looked_at(page, f"import-open-360-{number}")
    page.click("button[value=import]")
    expect(page.locator("#notices")).to_contain_text("élèves.csv")

    def sheet() -> bool:
        with accounts.tables(demo.database):
            return PasswordSheet.select().where(PasswordSheet.name == "élèves.csv", PasswordSheet.printed.is_null()).exists()

    eventually(sheet)
    page.goto("/admin/people/sheets")
    _check(page, check_accessibility, scripts)
    _looked_at(page, f"sheets-{number}")
    page.click("button[value=print] >> nth=0")
    expect(page.locator("[data-temporary-password]")).to_have_count(2)
    _check(page, check_accessibility, scripts)
    _looked_at(page, f"printed-screen-{number}")
    letters = page.inner_text(f"[data-person='elodie.{number}@lycee.example'] [data-temporary-password]")
    printed = page.pdf(prefer_css_page_size=True) if scripts else b""
    if scripts:  # printing is the browser's own: a person a page of A5
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2
        assert {tuple(map(round, map(float, box.split()[2:]))) for box in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", printed)} == {
            (420, 595)
        }
        if folder := os.environ.get("TRABOULE_PICTURES"):
            Path(folder, "sheets.pdf").write_bytes(printed)
    page.reload()
    expect(page.locator("main")).to_contain_text("personne ne peut les afficher")

    pupil = open_browser(width=360)
    pupil.fill("[name=username]", f"elodie.{number}@lycee.example")
    pupil.fill("[name=password]", letters.upper())
    pupil.click("main button >> nth=0")
    expect(pupil).to_have_url(re.compile("/account/password"))
    with accounts.tables(demo.database):
        Session.delete().where(Session.user == User.get(User.address == f"elodie.{number}@lycee.example")).execute()


def test_a_school_year_is_shown_before_it_begins(
    administrator: Page, demo: Services, scripts: bool, check_accessibility: Callable[[Page], None]
) -> None:
    if not scripts:
        pytest.skip("there are none on this page, but for those that look at it")
    page = administrator
    page.goto("/admin/people/school-year")
    assert overflow(page) == 0
    _check(page, check_accessibility, scripts)
    _looked_at(page, "year-360")
    page.click("main form button.btn-primary")
    expect(page.locator("main h1")).to_be_visible()
    assert overflow(page) == 0
    _check(page, check_accessibility, scripts)
    _looked_at(page, "year-planned-360")
    page.click("button[value=cancel]")
    expect(page.locator("#notices")).to_be_visible()
