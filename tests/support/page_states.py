"""What pages look like after a click or two, or where something went wrong: states that no address of `every_page.py` shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from deploy.demo.accounts import demo_password
from tests.support.browsing import until_true
from tests.support.compose_form import FORM
from tests.support.contact_pages import EDIT
from tests.support.settings_pages import choose_in_browser

State = Callable[[Page, dict[str, str]], object]


def _tick(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["message-files"].replace("/message/1/", "/mailbox/"))
    page.locator("[name=uids]").first.check()


def _whole_page(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["inbox"])
    page.locator("[data-select-all]").check()


def _all_that_match(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["inbox"] + "?select=all")


def _undo_offered(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["inbox"])  # what comes back has another UID: not one of those that pages are named by
    page.locator("[name=uids]").nth(2).check()
    page.click(".list-bar [name=action][value=archive]")
    expect(page.locator("#notices form button").first).to_be_visible()


def _undone(page: Page, _pages: dict[str, str]) -> None:
    """After `_undo_offered`, so that everything is as it was."""
    page.locator("#notices form button").first.click()
    expect(page.locator("#notices form")).to_have_count(0)


def _open_menu(page: Page, menu: str) -> None:
    page.locator(f"{menu} > summary").first.click()
    expect(page.locator(f"{menu} .pop").first).to_be_visible()


def _list_menu(page: Page, pages: dict[str, str]) -> None:
    _tick(page, pages)
    _open_menu(page, ".list-bar details.menu")


def _sort_menu(page: Page, pages: dict[str, str]) -> None:
    """Where little room is, it goes while rows are ticked."""
    page.goto(pages["inbox"])
    menu = page.locator(".list-bar details.menu").nth(1)
    menu.locator("> summary").click()
    expect(menu.locator(".pop")).to_be_visible()


def _account_menu(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["inbox"])
    _open_menu(page, "details.account")


def _message_menu(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["message-files"])
    _open_menu(page, ".list-bar details.menu")


def _chooser(value: str) -> State:
    def state(page: Page, pages: dict[str, str]) -> None:
        _tick(page, pages)
        button = page.locator(f".list-bar button[value={value}]")
        if not button.is_visible():
            _open_menu(page, ".list-bar details.menu")
        if not button.is_visible():
            button.locator("xpath=ancestor::details[@class='sub']/summary").click()
        button.click()
        expect(page.locator("#chooser")).to_be_visible()

    return state


def _new_folder(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["inbox"])
    page.locator("#folders [hx-target='#making']").dispatch_event("click")  # on a telephone it is on the page of the folders
    expect(page.locator("#making input[name=name]")).to_have_count(1)


def _keys(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["inbox"])
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()


def _new_message(page: Page, pages: dict[str, str]) -> None:
    """From elsewhere: asked for again at its own address, it would be the draft of before."""
    page.goto("about:blank")
    page.goto(pages["compose"])


def _compose_menu(menu: str) -> State:
    def state(page: Page, pages: dict[str, str]) -> None:
        _new_message(page, pages)
        _open_menu(page, menu)

    return state


def _suggestions(page: Page, pages: dict[str, str]) -> None:
    _new_message(page, pages)
    until_true(page, "window.recipients")
    page.locator("#to").focus()
    page.keyboard.type("bob")
    expect(page.locator("#recipients-found [role=option]").first).to_be_visible()


def _search_box(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["empty"])  # over rows, it would hide a part of what one touches
    page.locator("#query").focus()
    page.keyboard.type("sorties")
    expect(page.locator("#suggestion-list [role=option]").first).to_be_visible()
    page.keyboard.press("ArrowDown")


def _found(query: str, what: str) -> State:
    def state(page: Page, _pages: dict[str, str]) -> None:
        page.goto(f"/mailbox/INBOX?query={query}&scope=all")
        expect(page.locator(what)).to_be_visible()
        expect(page.locator("#count-events")).not_to_be_empty()
        expect(page.locator("#count-contacts")).not_to_be_empty()

    return state


def _send(to: str, subject: str, action: str = "send") -> State:
    def state(page: Page, pages: dict[str, str]) -> None:
        _new_message(page, pages)
        page.fill(f"{FORM} [name=to]", to)
        page.fill(f"{FORM} [name=subject]", subject)
        page.locator(f"{FORM} [name=action][value={action}]:visible").first.click()
        expect(page.locator("[aria-invalid=true], #asked, #discarding, [data-rendered], .rendered, iframe").first).to_be_visible()

    return state


def _refused(place: str, form: str, **fields: str) -> State:
    """A form with what it does not take."""

    def state(page: Page, _pages: dict[str, str]) -> None:
        page.goto(place)
        for name, value in fields.items():
            page.fill(f"{form} [name={name}]", value)
        page.evaluate("form => { form.noValidate = true; }", page.locator(form).first.element_handle())
        page.locator(f"{form} button:visible:not([value=preview])").last.click()
        expect(page.locator(".field-error, [role=alert]").first).to_be_visible()

    return state


def _found_everywhere(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["found"] + "&scope=all")
    page.locator("details:has(#search-name) > summary").click()


def _visible_images(page: Page, pages: dict[str, str]) -> None:
    page.goto(pages["message-links"] + "?images=1")


def _new_app_password(page: Page, _pages: dict[str, str]) -> None:
    page.goto("/devices")
    page.fill("#new-app-password [name=name]", "Téléphone")
    page.click("#new-app-password button")
    _see_app_password(page)


def _connected(kind: str) -> State:
    """A device that is being set up, with its pictures."""

    def state(page: Page, _pages: dict[str, str]) -> None:
        page.goto(f"/devices/connect/{kind}")
        page.click("#connect button")
        _see_app_password(page)

    return state


def _see_app_password(page: Page) -> None:
    """Through the question for the account's own password, if it comes."""
    shown, question = page.locator("[data-device-password]"), page.locator("main [name=password]")
    expect(shown.or_(question).first).to_be_visible()
    if question.count():
        question.fill(demo_password())
        page.click("main form.form button >> nth=0")
        page.click("main form button.btn-primary")
    expect(shown).to_be_visible()


def _absence_preview(page: Page, _pages: dict[str, str]) -> None:
    page.goto("/absence")
    page.check("[name=on]")
    page.fill("#text", "Je suis absente.")
    page.click("button[value=preview]")
    expect(page.locator("#preview")).to_be_visible()


def _forwarding_code(page: Page, _pages: dict[str, str]) -> None:
    """An address inside that can be chosen, and one outside that waits for its code."""
    for address, shown in (("bob@lycee.example", "[name=to]"), ("alice.home@world.test", "#code")):
        page.goto("/forwarding")
        if page.locator(shown).count():
            continue
        page.fill("#address", address)
        page.click("[action='/forwarding/address'] >> nth=-1 >> button")
        question = page.locator("main [name=password]")
        expect(page.locator(shown).or_(question).first).to_be_visible()
        if question.count():
            question.fill(demo_password())
            page.click("main form.form button >> nth=0")
            page.click("main form button.btn-primary")
        expect(page.locator(shown).first).to_be_visible()


def _import_preview(page: Page, _pages: dict[str, str]) -> None:
    page.goto("/filters/import")
    page.set_input_files("[name=file]", Path(__file__).parents[1] / "samples" / "filters" / "msgFilterRules.dat")
    page.click("main form.form .btn-primary")
    expect(page.locator("[data-found]").first).to_be_visible()


def _contacts_file(name: str, content: bytes) -> State:
    """What follows a file of contacts: its columns, or what importing it would do."""

    def state(page: Page, _pages: dict[str, str]) -> None:
        page.goto("/contacts/import")
        page.set_input_files("[name=file]", {"name": name, "mimeType": "text/plain", "buffer": content})
        page.click("main form.form .btn-primary")
        expect(page.locator("main form[action^='/contacts/import/']")).to_be_visible()

    return state


_LIST = "Qui;Où joindre;Pointure\nÉlodie Cœur;elodie@x.example;38\nAnn Roi;ann@x.example;41\n".encode()
_TABLE = b"Name,E-mail,Birthday,Mileage\nAnn Roi,ann@x.example,31/31/1990,12\nBob,bob@x.example,,\n,,,7\n"


def _tried_filter(page: Page, _pages: dict[str, str]) -> None:
    page.goto("/filters/new?field=subject&match=contains&value=re&field=size&match=least&value=1&action=move&to=Archive")
    page.click("main button[value=try]")
    expect(page.locator("[data-tried]")).to_be_visible()


def _panes(layout: str) -> State:
    def state(page: Page, pages: dict[str, str]) -> None:
        choose_in_browser(page, "layout", layout)
        page.goto(pages["inbox"])
        rows = page.locator("[data-row]").filter(has_not_text="Lycée Ampère")  # what the system writes may come at any moment
        rows.locator(".s a[id]").first.click()
        expect(page.locator("article.reading")).to_be_visible()

    return state


def _list_again(page: Page, _pages: dict[str, str]) -> None:
    choose_in_browser(page, "layout", "list")


def _high_contrast(name: str) -> State:
    """The theme is an attribute of the root element: no need to save the preference each time."""

    def state(page: Page, pages: dict[str, str]) -> None:
        page.goto(pages[name])
        page.evaluate("document.documentElement.setAttribute('data-theme', 'contrast')")

    return state


def _invited(page: Page, action: str) -> None:
    """An event with guests, of this establishment and from outside, as its form sends it with one of its buttons."""
    page.goto("/calendar/events/new?date=2027-12-06&at=09:00")
    form = page.locator("[data-event-form]")
    form.locator("[name=title]").fill("Conseil pédagogique")
    guests = form.locator("details", has=page.locator("[name=invite]"))
    if guests.count() and not page.locator("[name=invite]").is_visible():
        guests.first.locator("> summary").click()
    form.locator("[name=invite]").fill("bob@lycee.example, eve@elsewhere.example")
    form.locator(f"[name=action][value={action}]").first.click()


def _find_time(page: Page, _pages: dict[str, str]) -> None:
    _invited(page, "find")
    expect(page.locator(".grid-scroll")).to_be_visible()


def _event_with_guests(page: Page, _pages: dict[str, str]) -> None:
    _invited(page, "save")
    expect(page.locator("[data-attendee]").first).to_be_visible()


STATES: dict[str, State] = {
    "search-box": _search_box, "found-folder": _found("erasmus", ".meant"), "found-nothing": _found("nirgendwo", ".empty"),
    "ticked": _tick, "page-ticked": _whole_page, "all-ticked": _all_that_match, "undo-offered": _undo_offered, "undone": _undone,
    "menu-more": _list_menu, "menu-sort": _sort_menu, "menu-account": _account_menu, "menu-message": _message_menu,
    "chooser-move": _chooser("moveto"), "chooser-tags": _chooser("tags"), "new-folder": _new_folder, "keys-dialog": _keys,
    "compose-later": _compose_menu("#later"), "compose-options": _compose_menu("#options"), "suggestions": _suggestions,
    "compose-bad": _send("nobody@@", "Objet"), "compose-asked": _send("bob@lycee.example", ""),
    "compose-discarding": _send("bob@lycee.example", "Objet", "discard"),
    "contact-bad": _refused("/contacts/new", EDIT), "signature-bad": _refused("/settings/signatures/new", EDIT, name=" "),
    "confirm-bad": _refused("/account/confirm", "main form.form", password="x"),
    "app-password-new": _new_app_password, "connected-iphone": _connected("iphone"), "connected-android": _connected("android"), "app-password-bad": _refused("/devices", "#new-app-password", name=" "),
    "folder-bad": _refused("/folders?new=1", "#new-folder", name="a//b"),
    "forwarding-code": _forwarding_code, "absence-preview": _absence_preview, "absence-bad": _refused("/absence", "form.absence", **{"from": "2030-01-02", "until": "2030-01-01"}),
    "find-time": _find_time, "event-guests": _event_with_guests,
    "contacts-columns": _contacts_file("liste.csv", _LIST), "contacts-report": _contacts_file("table.csv", _TABLE),
    "filter-import-preview": _import_preview, "filter-tried": _tried_filter, "found-everywhere": _found_everywhere, "images-shown": _visible_images,
    "panes-below": _panes("below"), "panes-right": _panes("right"), "panes-off": _list_again,
    **{f"contrast-{name}": _high_contrast(name) for name in ("inbox", "message-links", "draft", "settings-reading", "folders")},
}  # fmt: skip
WIDE_ONLY = {name for name in STATES if name.startswith(("panes-", "contrast-"))}  # the same on a telephone, or not there
