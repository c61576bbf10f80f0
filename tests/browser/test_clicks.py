"""How many clicks a person needs: sixteen things that everybody does, with scripts and without, each with its limit.

The numbers stand in docs/benchmarks.md, "Clicks".
"""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from email.utils import localtime
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from deploy.demo.services import Services
from tests.support.browsing import Hand
from tests.support.maries_mail import new_marie
from tests.support.messages import message

OpenBrowser = Callable[..., Page]


@pytest.fixture
def marie(demo: Services) -> str:
    """The address of somebody new, with mail to do all this with."""
    return new_marie(demo)


@pytest.fixture
def page(open_browser: OpenBrowser, marie: str) -> Page:
    """Marie's inbox."""
    return open_browser(marie)


def row(page: Page, words: str) -> Locator:
    return page.locator("[data-row]", has_text=words)


def tick(hand: Hand, words: str) -> None:
    hand.click(row(hand.page, words).locator("[name=uids]"))


def test_signing_in_takes_one(open_browser: OpenBrowser, demo: Services, marie: str) -> None:
    hand = Hand(page := open_browser())
    expect(page.locator("[name=username]")).to_be_focused()
    page.keyboard.type(marie)
    page.keyboard.press("Tab")
    page.keyboard.type(demo.password)
    hand.enter()
    expect(page.locator("[data-row]").first).to_be_visible()
    assert hand.clicks <= 1


def test_finding_last_years_message_about_erasmus_takes_two(page: Page, scripts: bool) -> None:
    """Three without scripts, where no key leads to the search box."""
    hand = Hand(page)
    if scripts:
        page.keyboard.press("/")
        expect(page.locator("#query")).to_be_focused()
    else:
        hand.click(page.locator("#query"))
    page.keyboard.type("Erasmus")
    hand.enter()
    expect(page.locator(".meant")).to_contain_text("Erasmus")
    hand.click(page.locator(".meant a", has_text="Convention"))
    expect(page.locator("article h1")).to_have_text("Convention de subvention")
    assert hand.clicks <= (2 if scripts else 3)


def test_a_reply_to_all_with_a_file_takes_four(page: Page, tmp_path: Path, scripts: bool) -> None:
    row(page, "Réunion").locator(".s a[id]").click()
    file = tmp_path / "note.txt"
    file.write_text("à lire\n")
    hand = Hand(page)
    hand.click(page.locator(".answers a[href*='all=1']"))
    expect(page.locator("[name=body]")).to_be_attached()
    page.keyboard.type("Voici la note.")
    hand.choose_file(page.locator("[name=attachments]"), file)
    if scripts:
        expect(page.locator("#attachments li")).to_contain_text("note.txt")
    hand.click(page.locator("button[value=send]").first)
    expect(page.locator("#notices [role=status]").first).to_be_visible()
    expect(page.locator("main.compose")).to_have_count(0)
    page.goto("/outbox")
    expect(page.locator("main")).to_contain_text("Réunion")
    assert hand.clicks <= 4


def test_a_new_folder_with_three_messages_takes_five(page: Page, scripts: bool) -> None:
    hand = Hand(page)
    for number in (1, 2, 3):
        tick(hand, f"Message {number}")
    hand.click(page.locator(".list-bar button[value=moveto]"))
    field = page.locator("#chooser [name=find]")
    if scripts:
        expect(field).to_be_focused()
        page.keyboard.type("Sorties 2027")
    else:
        field.fill("Sorties 2027")
    hand.click(page.locator(".chooser-new button"))
    expect(page.locator("#folders")).to_contain_text("Sorties 2027")
    expect(row(page, "Message 2")).to_have_count(0)
    page.locator("#folders a", has_text="Sorties 2027").click()
    expect(page.locator("[data-row]")).to_have_count(3)
    assert hand.clicks <= 5


def test_a_tag_takes_three(page: Page) -> None:
    page.goto("/tags")
    page.fill("#new-name", "À relire")
    page.click("main button[value=add]")
    expect(page.locator("main form:not(.card) [name=name]")).to_have_value("À relire")
    page.goto("/mailbox/INBOX")
    hand = Hand(page)
    tick(hand, "Message 4")
    hand.click(page.locator(".list-bar details.menu > summary").first)
    hand.click(page.locator(".list-bar .pop button[value^='tag:']"))
    expect(row(page, "Message 4").locator(".tag")).to_have_text("À relire")
    assert hand.clicks <= 3


def test_undoing_a_deletion_takes_one(page: Page) -> None:
    row(page, "Message 5").locator("[name=uids]").check()
    page.locator(".list-bar button[value=delete]").click()
    expect(row(page, "Message 5")).to_have_count(0)
    hand = Hand(page)
    hand.click(page.locator("#notices .notice form button"))
    expect(row(page, "Message 5")).to_have_count(1)
    assert hand.clicks <= 1


def test_another_signature_takes_four(page: Page) -> None:
    page.goto("/settings/signatures/new")
    page.fill("[name=name]", "Lycée")
    page.fill("[name=text]", "Marie")
    page.locator("main .btn-primary").click()
    expect(page.locator("main h2")).to_have_text("Lycée")
    page.goto("/mailbox/INBOX")
    hand = Hand(page)
    hand.click(page.locator(".account > summary"))
    hand.click(page.locator(".account a[href='/settings']"))
    signature = page.locator(".settings-list a", has_text="Lycée")
    expect(signature).to_be_in_viewport()  # nobody has to look for it
    hand.click(signature)
    expect(page.locator("[name=text]")).to_have_value("Marie")
    page.locator("[name=text]").fill("Marie, mathématiques")
    hand.click(page.locator("main .btn-primary"))
    expect(page.locator("main li.card")).to_contain_text("Marie, mathématiques")
    assert hand.clicks <= 4


def test_a_first_signature_takes_four(page: Page) -> None:
    hand = Hand(page)
    hand.click(page.locator(".account > summary"))
    hand.click(page.locator(".account a[href='/settings']"))
    hand.click(page.locator(".settings-list a[href='/settings/signatures/new']"))
    expect(page.locator("[name=name]")).not_to_have_value("")  # one's own name: nothing to think of
    page.locator("[name=text]").fill("Marie, mathématiques")
    hand.click(page.locator("main .btn-primary"))
    expect(page.locator("main li.card")).to_contain_text("Marie, mathématiques")
    assert hand.clicks <= 4


def test_forwarding_takes_five_to_the_code(page: Page, demo: Services) -> None:
    hand = Hand(page)
    hand.click(page.locator(".account > summary"))
    hand.click(page.locator(".account a[href='/settings']"))
    hand.click(page.locator(".settings-list a[href='/forwarding']"))
    page.locator("#address").fill("marie.home@world.test")
    hand.click(page.locator("#new form button").last)
    page.locator("[name=password]").fill(demo.password)
    hand.click(page.locator("main button.btn-primary"))
    expect(page.locator("#code")).to_be_visible()
    assert hand.clicks <= 5


def test_finding_large_attachments_takes_two(page: Page) -> None:
    hand = Hand(page)
    hand.click(page.locator(".areas a[href='/files']"))
    hand.click(page.locator("main a[href*='sort=size']"))
    expect(page.locator("main tbody tr").first).to_contain_text("gros.pdf")
    assert hand.clicks <= 2


def _of_today(subject: str, text: str) -> EmailMessage:
    made = message(subject, text)
    made.replace_header("Date", localtime())
    return made


def test_an_event_of_a_message_takes_three(open_browser: OpenBrowser, newcomer: Callable[..., str]) -> None:
    page = open_browser(newcomer("dates", _of_today("Conseil", "La réunion est avancée à demain 16 h, salle des professeurs.")))
    hand = Hand(page)
    hand.click(row(page, "Conseil").locator(".s a[id]"))
    hand.click(page.locator("[data-date-chip]"))
    expect(page.locator("[name=start_hour]")).to_have_value("16:00")
    expect(page.locator("[name=location]")).to_have_value("salle des professeurs")
    hand.click(page.locator("main button[value=save]").first)
    expect(page.locator("main h1")).to_have_text("Conseil")
    assert hand.clicks <= 3


def test_sharing_a_calendar_takes_four(page: Page) -> None:
    hand = Hand(page)
    hand.click(page.locator(".areas a[href='/calendar']"))
    hand.click(page.locator("a[href^='/collections?']"))
    hand.click(page.locator("main .collections a[href$='#sharing']").first)
    expect(page.locator("#who")).to_be_in_viewport()
    page.locator("#who").fill("bob@lycee.example")
    hand.click(page.locator("#share button[value=give]"))
    expect(page.locator("[data-share]")).to_contain_text("Bob")
    assert hand.clicks <= 4


def test_an_absence_takes_five(page: Page) -> None:
    hand = Hand(page)
    hand.click(page.locator(".account > summary"))
    hand.click(page.locator(".account a[href='/settings']"))
    hand.click(page.locator(".settings-list a[href='/absence']"))
    hand.click(page.locator("main button[value='times:next-week']"))
    expect(page.locator("[name=until]")).not_to_have_value("")
    page.locator("#text").fill("Je suis absente.")
    hand.click(page.locator("form.absence .btn-primary"))
    expect(page.locator("#notices .notice")).to_be_visible()
    expect(page.locator("[name=on]")).to_be_checked()  # days mean it
    assert hand.clicks <= 5


def test_a_filter_from_a_message_takes_five(page: Page) -> None:
    row(page, "Message 6").locator(".s a[id]").click()
    expect(page.locator("article h1")).to_have_text("Message 6")
    hand = Hand(page)
    hand.click(page.locator("main .toolbar details.menu > summary").first)
    hand.click(page.locator("a[href^='/filters/from/']"))
    hand.click(page.locator("main a[href*='field=from'][href*='match=is']"))
    hand.choose(page.locator("#rule_rows select").last, "Projets")
    hand.click(page.locator("main button.btn-primary"))
    expect(page.locator("#notices .notice")).to_be_visible()
    assert hand.clicks <= 5


def test_contacts_of_a_table_take_five(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("First Name,Last Name,E-mail Address\nÉlodie,Cœur,elodie@x.example\n", encoding="utf-8")
    page.goto("/contacts")
    hand = Hand(page)
    hand.click(page.locator("a[href='/contacts/import']:visible").first)
    hand.choose_file(page.locator("#contact-file"), file)
    hand.click(page.locator("main form[enctype] button.btn-primary"))
    hand.click(page.locator("main button[value=import]"))
    expect(page.locator("#notices .notice")).to_be_visible()
    page.goto("/contacts")
    expect(page.locator("main")).to_contain_text("Élodie Cœur")
    assert hand.clicks <= 5


def test_a_telephone_takes_four_and_two_for_the_password(page: Page, demo: Services) -> None:
    hand = Hand(page)
    hand.click(page.locator(".account > summary"))
    hand.click(page.locator(".account a[href='/devices']"))
    hand.click(page.locator(".device-kinds a[href$='/android']"))
    hand.click(page.locator("#connect button"))
    page.locator("main [name=password]").fill(demo.password)
    hand.click(page.locator("main form.form button").first)
    hand.click(page.locator("main form button.btn-primary"))
    expect(page.locator("[data-device-password]")).to_be_visible()
    assert hand.clicks <= 6


def test_a_large_file_takes_four(page: Page, tmp_path: Path, marie: str, scripts: bool) -> None:
    """Six without scripts, where two buttons attach the file and make it a link."""
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.truncate(30_000_000)
    hand = Hand(page)
    hand.click(page.locator("a.btn-primary[href='/compose']:visible"))
    if scripts:
        page.locator("#to-typing").fill(marie)
    else:
        page.locator("#to").fill(marie)
    page.locator("#subject").fill("Le film")
    hand.choose_file(page.locator(".compose-add label").first if scripts else page.locator("[name=attachments]"), film)
    if not scripts:
        hand.click(page.locator("button[value=attach]"))
        hand.click(page.locator("#links li button").first)
    expect(page.locator("#links li")).to_contain_text("film.mp4")
    expect(page.locator("#uploads li")).to_have_count(0)
    hand.click(page.locator("button[value=send]").first)
    expect(page.locator("main.compose")).to_have_count(0)
    assert hand.clicks <= (4 if scripts else 6)
