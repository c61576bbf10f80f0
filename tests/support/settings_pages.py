"""Settings in tests: `choose(alice, undo_seconds="30")` changes preferences on their page, as somebody without scripts does."""

from __future__ import annotations

from typing import Any

from tests.support.visits import Page, Visitor

PAGES = {
    "reading": (
        "layout",
        "page_size",
        "snippets",
        "conversations",
        "others_below",
        "prefer_text",
        "images",
        "receipts",
        "archive_by",
    ),
    "writing": ("undo_seconds", "write_format", "quote", "without_signatures"),
    "notifications": ("notifications", "refresh_minutes"),
    "appearance": ("theme", "dark_mail", "text_size", "density"),
    "language-time": ("language", "time_zone"),
    "calendar": (
        "calendar_view",
        "first_day",
        "hours_from",
        "hours_to",
        "second_zone",
        "week_numbers",
        "week_a",
        "school_zone",
        "todos_shown",
        "birthdays",
        "busy_shown",
        "ask_services",
        "pencil_in",
    ),  # fmt: skip
    "reminders": ("reminders", "remind_before", "remind_days", "remind_hour", "agenda_hour"),
    "shortcuts": ("shortcuts",),
}
FORM = "#settings-form"


def place_of(name: str) -> str:
    """The page that a preference is on."""
    return next(f"/settings/{slug}" for slug, names in PAGES.items() if name in names)


def choose(person: Visitor, **fields: Any) -> Page:
    """Send the pages with these fields; returns the last answer. `None` unticks."""
    answer = None
    for place in dict.fromkeys(place_of(name) for name in fields):
        mine = {name: value for name, value in fields.items() if place_of(name) == place}
        answer = person.submit(person.get(place), FORM, **mine)
        assert answer.status == 200, answer.text
    assert answer is not None
    return answer


def choose_in_browser(page: Any, name: str, value: str | bool) -> None:
    """The same in Chromium, with scripts and without; `page` is a Playwright page."""
    page.goto(place_of(name))
    if isinstance(value, bool):
        page.locator(f"[name={name}]").set_checked(value)
    elif page.locator(f"select[name={name}]").count():
        page.select_option(f"[name={name}]", value)
    else:
        page.check(f"[name={name}][value='{value}']")
    button = page.locator("[data-save] button")
    if button.is_visible():
        button.click()
        page.wait_for_selector("#notices .notice")
    else:
        page.wait_for_selector(f"#saved-{name} button")
