"""What a text browser sends: fields and buttons that stand in the list's form go with it, whatever form their markup names."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.messages import message
from tests.support.searches import search
from tests.support.visits import Visitor
from webmail.models import SavedSearch, User

FORM = "#messages"


def test_a_date_is_gone_to(folders: Visitor) -> None:
    page = folders.get("/mailbox/INBOX")
    assert page.rows == ["Budget 7", "Budget 1"]
    gone = folders.submit(page, FORM, date="2026-03-01", follow=False)
    assert gone.status == 303 and gone.location == "/mailbox/INBOX?date=2026-03-01"
    assert folders.get(gone.location).one("tr#day")["aria-current"] == "date"
    assert "recognised" in folders.submit(page, FORM, date="soon").notices
    assert folders.submit(page, FORM, follow=False).location == "/mailbox/INBOX"


def test_a_date_among_what_was_found(folders: Visitor) -> None:
    page = search(folders, "budget", "INBOX")
    gone = folders.submit(page, FORM, date="2026-03-01")
    assert gone.address.startswith("/mailbox/INBOX?") and "query=budget" in gone.address and gone.one("tr#day")


def test_a_search_is_saved_with_its_words_and_its_reach(folders: Visitor) -> None:
    page = folders.get("/mailbox/Travail?query=budget&scope=below")
    saved = folders.submit(page, FORM, name="Travail", action=page.one("[form=save-search][name=action]")["value"])
    assert "Search “Travail” saved." in saved.notices and saved.rows == page.rows
    assert "Give the search a name." in folders.submit(page, FORM, action="save-search").notices
    row = SavedSearch.select().join(User).where(User.address == folders.address).get()
    assert (row.name, row.mailbox, row.query, row.scope) == ("Travail", "Travail", "budget", "below")


def test_a_search_that_found_nothing_is_saved_too(folders: Visitor) -> None:
    page = folders.get("/mailbox/INBOX?query=nowhere")
    assert page.rows == []
    assert "Search “Later” saved." in folders.submit(page, FORM, name="Later", action="save-search").notices


def test_a_field_that_was_left_filled_in_changes_no_other_button(person: Visitor, fill: Callable[..., list[int]]) -> None:
    [uid] = fill(person, message("Sortie"))
    page = person.get("/mailbox/INBOX")
    done = person.submit(page, FORM, date="2020-01-01", uids=str(uid), action="archive")
    assert "1 message archived." in done.notices and done.rows == []
