"""What everybody does, in Firefox, WebKit and Chromiums of 2018 (64 runs our scripts, but not htmx): `make engines`, where these
browsers are installed.

The same with the clicks counted, in Chromium: test_clicks.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.services import Services
from tests.support import firefox, old_chromium, webkit
from tests.support.maries_mail import new_marie
from tests.support.waiting import eventually
from tests.support.webdriver import ENTER, PATIENCE, TAB, WebDriver

ROWS = "[data-row]"


def _engine(name: str, *programs: object) -> object:
    missing = not all(programs)
    return pytest.param(name, marks=pytest.mark.skipif(missing, reason=f"{name} is not installed: deploy/prepare.sh engines"))


ENGINES = [
    _engine("Firefox", firefox.INSTALLED),
    _engine("Firefox without scripts", firefox.INSTALLED),
    _engine("WebKit", webkit.DRIVER, webkit.SCREEN),
    *(_engine(f"Chromium {version}", old_chromium.program(version)) for version in old_chromium.VERSIONS),
]


@pytest.fixture(scope="module", params=ENGINES)
def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    folder = tmp_path_factory.mktemp("profile")
    if request.param == "WebKit":
        with webkit.WebKit(folder) as found:
            yield found
    elif request.param.startswith("Chromium"):
        with old_chromium.OldChromium(folder, int(request.param.split()[1])) as found:
            yield found
    else:
        with firefox.Firefox(folder, firefox.INSTALLED, scripts=request.param == "Firefox") as found:
            yield found


@pytest.fixture(scope="module")
def marie(demo: Services, browser: WebDriver) -> str:
    """Somebody new, signed in."""
    address = new_marie(demo)
    _sign_in(browser, demo, address)
    return address


@pytest.fixture
def inbox(demo: Services, browser: WebDriver, marie: str) -> WebDriver:
    browser.goto(f"{demo.address}/mailbox/INBOX")
    return browser


def _sign_in(browser: WebDriver, demo: Services, address: str) -> None:
    browser.goto(f"{demo.address}/login")
    eventually(lambda: browser.has_keyboard("[name=username]"), PATIENCE, what="the keyboard in the first field")
    for typed in (address, TAB, demo.password, ENTER):
        browser.type(typed)
    browser.until(ROWS)


def row(words: str, inside: str = "") -> str:
    return f"//*[@data-row][contains(., '{words}')]{inside}"


SUBJECT = "//*[contains(@class, 's')]//a[@id]"


def tick(browser: WebDriver, words: str) -> None:
    browser.click(row(words, "//*[@name='uids']"))


def test_signing_in(demo: Services, browser: WebDriver, marie: str) -> None:
    browser.goto(f"{demo.address}/mailbox/INBOX")
    browser.forget()
    _sign_in(browser, demo, marie)


def test_last_years_message_is_found(inbox: WebDriver) -> None:
    if inbox.scripts:
        eventually(lambda: _found_by_key(inbox), PATIENCE, what="the search box by its key")
    else:
        inbox.click("#query")
    inbox.fill("#query", "Erasmus")  # in place of a second "/", where the script came between two
    assert inbox.value("#query") == "Erasmus"
    inbox.type(ENTER)
    inbox.until(".meant", "Erasmus")
    inbox.click("//*[contains(@class, 'meant')]//a[contains(., 'Convention')]")
    inbox.until("article h1", "Convention de subvention")


def _found_by_key(browser: WebDriver) -> bool:
    """The script that knows the key may not be there yet."""
    if not browser.has_keyboard("#query"):
        browser.type("/")
    return browser.has_keyboard("#query")


def test_all_are_answered_with_a_file(inbox: WebDriver, demo: Services, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("à lire\n")
    inbox.click(row("Réunion", SUBJECT))
    inbox.click(".answers a[href*='all=1']")
    inbox.until_count("[name=body]", 1)
    inbox.type("Voici la note.")
    inbox.attach("[name=attachments]", tmp_path / "note.txt")
    if inbox.scripts:
        inbox.until("#attachments li", "note.txt")
    inbox.click("button[value=send]")
    inbox.until_count("main.compose", 0)
    inbox.goto(f"{demo.address}/outbox")
    inbox.until("main", "Réunion")


def test_three_messages_are_filed_in_a_new_folder(inbox: WebDriver) -> None:
    for number in (1, 2, 3):
        tick(inbox, f"Message {number}")
    inbox.click(".list-bar button[value=moveto]")
    inbox.fill("#chooser [name=find]", "Sorties 2027")
    inbox.click(".chooser-new button")
    inbox.until("#folders", "Sorties 2027")
    inbox.until_count(row("Message 2"), 0)
    inbox.click("//*[@id='folders']//a[contains(., 'Sorties 2027')]")
    inbox.until_count(ROWS, 3)


def test_a_message_is_tagged(inbox: WebDriver, demo: Services) -> None:
    inbox.goto(f"{demo.address}/tags")
    inbox.fill("#new-name", "À relire")
    inbox.click("main button[value=add]")
    eventually(lambda: inbox.value("main form:not(.card) [name=name]") == "À relire", PATIENCE, what="the new tag")
    inbox.goto(f"{demo.address}/mailbox/INBOX")
    tick(inbox, "Message 4")
    inbox.click(".list-bar details.menu > summary")
    inbox.click(".list-bar .pop button[value^='tag:']")
    inbox.until(row("Message 4", "//*[contains(@class, 'tag')]"), "À relire")


def test_a_deletion_is_undone(inbox: WebDriver) -> None:
    tick(inbox, "Message 5")
    inbox.click(".list-bar button[value=delete]")
    inbox.until_count(row("Message 5"), 0)
    inbox.click("#notices .notice form button")
    inbox.until_count(row("Message 5"), 1)


def test_a_signature_is_changed(inbox: WebDriver, demo: Services) -> None:
    inbox.goto(f"{demo.address}/settings/signatures/new")
    if inbox.scripts and not isinstance(inbox, old_chromium.OldChromium):  # else there is no editor
        inbox.until_count("#editor", 1)
        inbox.click("#format option[value='']")
        inbox.until_count("#editor", 0)
    inbox.fill("[name=name]", "Lycée")
    inbox.fill("[name=text]", "Marie")
    inbox.click("main .btn-primary")
    inbox.until("main h2", "Lycée")
    inbox.goto(f"{demo.address}/mailbox/INBOX")
    inbox.click(".account > summary")
    inbox.click(".account a[href='/settings']")
    inbox.click("//*[contains(@class, 'settings-list')]//a[contains(., 'Lycée')]")
    eventually(lambda: inbox.value("[name=text]") == "Marie", PATIENCE, what="the signature as it was")
    inbox.fill("[name=text]", "Marie, mathématiques")
    inbox.click("main .btn-primary")
    inbox.until("main li.card", "Marie, mathématiques")


def test_large_attachments_are_found(inbox: WebDriver) -> None:
    inbox.click(".areas a[href='/files']")
    inbox.click("main a[href*='sort=size']")
    inbox.until("main tbody tr", "gros.pdf")


def test_a_setting_is_saved(inbox: WebDriver, demo: Services) -> None:
    page = f"{demo.address}/settings/appearance"
    inbox.goto(page)
    inbox.click("//label[input[@name='density'][@value='compact']]")
    if inbox.scripts:
        inbox.until_count("#saved-density .undo", 1)
    else:
        inbox.click("[data-save] button")
        inbox.until("#notices .notice")
    inbox.goto(page)
    inbox.until_count("[name=density][value=compact]:checked", 1)


def test_a_contact_is_added(inbox: WebDriver, demo: Services) -> None:
    inbox.click(".areas a[href='/contacts']")
    inbox.click("#folders a.btn-primary[href*='/contacts/new']")
    inbox.fill("[name=given]", "Nora")
    inbox.fill("[name=email]", "nora@ailleurs.example")
    inbox.click("main button.btn-primary")
    inbox.until("main h1", "Nora")


def test_an_event_is_added(inbox: WebDriver, demo: Services) -> None:
    inbox.goto(f"{demo.address}/calendar/events/new")
    inbox.fill("[name=title]", "Conseil de classe")
    inbox.click("main button.btn-primary")
    inbox.until("#notices", "Conseil de classe")
    inbox.goto(f"{demo.address}/calendar")
    inbox.until("#main.calendar [data-event]", "Conseil de classe")


ROWS_OF_WORDS = ".btn, .top, .toolbar, .notice, .compose-people, .compose-add, .folders li a, .check, .row, .page-head, .tabs"
APART = """var touching = [];
document.querySelectorAll(told.rows).forEach(function (row) {
    var boxes = Array.prototype.map.call(row.children, function (one) { return one.getBoundingClientRect(); });
    boxes.filter(function (box) { return box.width > 1 && box.height > 1; }).forEach(function (box, at, all) {
        var next = all[at + 1], beside = next && next.left >= box.left && next.top < box.bottom && box.top < next.bottom;
        if (beside && next.left - box.right < 2) touching.push(row.className + ": " + row.textContent.slice(0, 80));
    });
});
return touching"""


@pytest.mark.parametrize("width", [1100, 360])
def test_nothing_touches_its_neighbour(inbox: WebDriver, demo: Services, width: int) -> None:
    if not isinstance(inbox, old_chromium.OldChromium):
        pytest.skip("a gap in rows is known")

    def touching() -> object:
        return inbox.evaluate(APART, rows=ROWS_OF_WORDS)

    inbox.resize(width, 800)
    for page in ("/mailbox/INBOX", "/compose", "/contacts", "/calendar", "/settings/appearance", "/filters", "/folders"):
        inbox.goto(f"{demo.address}{page}")
        eventually(lambda: not touching(), PATIENCE, found=touching)
    inbox.resize(1280, 800)
