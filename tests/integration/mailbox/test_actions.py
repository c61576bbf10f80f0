"""What one does to messages, and takes back: visits on a real Dovecot."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.settings_pages import choose
from tests.support.visits import Page, Visitor

Fill = Callable[..., list[int]]
FORM = "form#messages"


def select(page: Page, *subjects: str) -> list[str]:
    """The UIDs of the rows with these subjects."""
    rows = {row.select_one(".s a").get_text(): row["data-uid"] for row in page.all("[data-row]")}
    return [str(rows[subject]) for subject in subjects]


def undo(person: Visitor, page: Page) -> Page:
    return person.submit(page, "#notices form")


@pytest.mark.parametrize(("action", "mailbox"), [("archive", "Archive"), ("delete", "Trash"), ("junk", "Junk")])
def test_a_selection_goes_where_it_should_and_comes_back(person: Visitor, fill: Fill, action: str, mailbox: str) -> None:
    fill(person, message("Un"), message("Deux"), message("Trois"))
    inbox = person.get("/mailbox/INBOX")
    after = person.submit(inbox, FORM, action=action, uids=select(inbox, "Un", "Trois"))
    assert after.rows == ["Deux"] and after.notices.startswith("2 messages")
    assert set(person.get(f"/mailbox/{mailbox}").rows) == {"Un", "Trois"}
    back = undo(person, after)
    assert "Undone for 2 messages" in back.notices
    assert set(back.rows) == {"Un", "Deux", "Trois"}
    assert person.get(f"/mailbox/{mailbox}").rows == []


def test_a_move_to_a_chosen_folder(person: Visitor, fill: Fill, imap_of: Callable[[str], IMAPClient]) -> None:
    imap_of(person.address).create_folder("Projets & co/Été")
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    after = person.submit(inbox, FORM, action="move", to="Projets & co/Été", uids=select(inbox, "Un"))
    assert after.rows == [] and "moved to Été" in after.notices
    assert undo(person, after).rows == ["Un"]


def test_flags_are_set_and_only_what_changed_is_undone(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    person.submit(inbox, FORM, action="read", uids=select(inbox, "Un"))
    after = person.submit(inbox, FORM, action="read", uids=select(inbox, "Un", "Deux"))
    assert after.notices.startswith("1 message marked as read") and after.all("tr.u") == []
    assert [row["data-uid"] for row in undo(person, after).all("tr.u")] == select(inbox, "Deux")


def test_a_star_flags_its_own_row(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    (uid,) = select(inbox, "Deux")
    after = person.submit(inbox, FORM, star=f"flag:{uid}")
    assert len(after.all(".f .on")) == 1
    assert person.submit(after, FORM, star=f"unflag:{uid}").all(".f .on") == []


def test_from_the_message_one_comes_back_to_the_list(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"), message("Deux"))
    page = person.get(person.get("/mailbox/INBOX?query=subject:Un").link("Un"))
    after = person.submit(page, "main form.list-bar", action="archive")
    assert after.rows == [] and "query=subject" in after.address
    assert person.get("/mailbox/Archive").rows == ["Un"]


def test_deleting_from_the_trash_asks_first_and_is_for_good(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"), message("Deux"), mailbox="Trash")
    trash = person.get("/mailbox/Trash")
    asked = person.submit(trash, FORM, action="delete", uids=select(trash, "Un"))
    assert "for good?" in asked.text
    assert set(person.get("/mailbox/Trash").rows) == {"Un", "Deux"}
    after = person.submit(asked, "main form", action="destroy")
    assert after.rows == ["Deux"] and "deleted for good" in after.notices and not after.all("#notices form")


def test_nothing_selected_says_what_to_do(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"))
    after = person.submit(person.get("/mailbox/INBOX"), FORM, action="archive")
    assert "Select messages first" in after.notices and after.rows == ["Un"]


def test_the_offer_to_undo_stays_for_a_while_and_other_notices_are_shown_once(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    person.submit(inbox, FORM, action="archive", uids=select(inbox, "Un"))
    assert person.get("/mailbox/Archive").notices == ""  # it belongs to the list that one acted on
    later = person.get("/mailbox/INBOX")
    assert "1 message archived" in later.notices
    assert set(undo(person, later).rows) == {"Un", "Deux"}
    assert person.get("/mailbox/INBOX").notices == ""


@pytest.mark.parametrize("action", ["explode", "", "read\r\nX"])
def test_an_unknown_action_changes_nothing(person: Visitor, fill: Fill, action: str) -> None:
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    page = person.submit(inbox, FORM, action=action, to="", uids=select(inbox, "Un"))
    assert page.status in (400, 404)
    assert person.get("/mailbox/INBOX").rows == ["Un"]


def test_a_move_without_a_folder_asks_for_one(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    page = person.submit(inbox, FORM, action="move", to="", uids=select(inbox, "Un"))
    assert page.rows == ["Un"] and "Choose a folder first" in page.notices


def test_a_search_is_newest_first_after_an_undo_too(person: Visitor, imap_of: Callable[[str], IMAPClient]) -> None:
    client = imap_of(person.address)
    for day in (1, 2, 3):
        client.append("INBOX", bytes(message(f"Jour {day}")), msg_time=datetime(2026, 3, day, 12, tzinfo=UTC))
    inbox = person.get("/mailbox/INBOX")
    undo(person, person.submit(inbox, FORM, action="archive", uids=select(inbox, "Jour 1")))
    assert person.get("/mailbox/INBOX?query=subject:Jour").rows == ["Jour 3", "Jour 2", "Jour 1"]


@pytest.mark.parametrize("uids", ["0", "-1", "99999999999", "1:*", "1,x", "1.2", "1.x.INBOX", "x", "１"])
def test_uids_are_numbers(person: Visitor, fill: Fill, uids: str) -> None:
    fill(person, message("Un"))
    page = person.submit(person.get("/mailbox/INBOX"), FORM, action="archive", uids=[uids])
    assert page.status in (200, 400)
    assert person.get("/mailbox/INBOX").rows == ["Un"]


def test_another_uidvalidity_acts_on_nothing(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    page = person.submit(inbox, FORM, action="delete", v="12345", uids=select(inbox, "Un"))
    assert page.status == 410
    assert person.get("/mailbox/INBOX").rows == ["Un"]


def test_a_missing_or_foreign_token_changes_nothing(
    app: Flask, person: Visitor, make_account: Callable[..., str], fill: Fill
) -> None:
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    foreign = Visitor(app, make_account()).sign_in().get("/mailbox/INBOX").soup.select_one("[name=csrf_token]")["value"]
    for token in (None, "", foreign, "x"):
        page = person.submit(inbox, FORM, action="delete", uids=select(inbox, "Un"), csrf_token=token)
        assert page.status == 400 and "has expired" in page.text
    assert person.get("/mailbox/INBOX").rows == ["Un"]


def test_every_post_address_refuses_a_get(app: Flask, person: Visitor) -> None:
    tried = 0
    shown = {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    for rule in app.url_map.iter_rules():
        if rule.rule not in shown:
            url = re.sub(r"<int:\w+>", "1", rule.rule)
            url = re.sub(r"<[^>]*>", "INBOX", url)
            named = url.startswith(("/settings/", "/calendar/"))  # there is a page for each name, so an unknown one is not found
            if url.startswith("/admin/"):  # the same, and a page of a name is for administrators
                assert person.get(url).status in (403, 405), url
            else:
                assert person.get(url).status in ((404, 405) if named else (405,)), url
            tried += 1
    assert tried >= 4


def test_signed_out_nothing_is_done(app: Flask, person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"))
    inbox = person.get("/mailbox/INBOX")
    person.client.delete_cookie("traboule")
    page = person.submit(inbox, FORM, action="delete", uids=select(inbox, "Un"), follow=False)
    assert page.status == 303 and page.location.startswith("/login")
    assert person.sign_in().get("/mailbox/INBOX").rows == ["Un"]


def test_a_full_quota_is_said_plainly_and_nothing_is_lost(
    app: Flask, make_account: Callable[..., str], fill: Fill, imap_of: Callable[[str], IMAPClient]
) -> None:
    """A move within one's mailbox needs no room; the sentence is asked of a copy that the server refuses."""
    person = Visitor(app, make_account(quota=30_000)).sign_in()
    fill(person, message("Un", "x" * 20_000))
    page = person.get("/mailbox/INBOX")
    after = person.submit(page, FORM, action="archive", uids=select(page, "Un"))
    assert "archived" in after.notices
    assert person.get("/mailbox/Archive").rows == ["Un"]


def test_htmx_acts_and_gets_the_list_with_the_notice(person: Visitor, fill: Fill) -> None:
    fill(person, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    piece = person.submit(inbox, FORM, htmx="main", action="archive", uids=select(inbox, "Un"))
    assert piece.rows == ["Deux"] and piece.one("#notices[hx-swap-oob]") and "1 message archived" in piece.notices
    assert not piece.all("body")


def test_all_that_match_are_marked_whatever_the_page(person: Visitor, fill: Fill) -> None:
    choose(person, page_size="25")
    fill(person, *(message(f"Rapport {n}") for n in range(30)), message("Autre"))
    found = person.get("/mailbox/INBOX?query=subject:Rapport")
    assert len(found.rows) == 25
    everything = person.get(person.get(found.link("All")).link("Select all 30 messages"))
    assert "All 30 messages are selected" in everything.text
    after = person.submit(everything, FORM, action="read")
    assert "30 messages marked as read" in after.notices
    assert [row.select_one(".s a").get_text() for row in person.get("/mailbox/INBOX").all("tr.u")] == ["Autre"]
    assert "Undone for 30 messages" in undo(person, after).notices


def test_a_date_leads_to_its_page(person: Visitor, imap_of: Callable[[str], IMAPClient]) -> None:
    choose(person, page_size="25")
    client = imap_of(person.address)
    for day in range(1, 31):
        client.append("INBOX", bytes(message(f"Jour {day}")), msg_time=datetime(2026, 3, day, 12, tzinfo=UTC))
    page = person.get("/mailbox/INBOX?date=2026-03-04")
    assert "page=2" in page.address and "Jour 4" in page.rows
    wrong = person.get("/mailbox/INBOX?date=nonsense")
    assert wrong.rows[0] == "Jour 30"
    assert "recognised" in wrong.notices


def around_the_mark(page: Page) -> tuple[str, str, str]:
    """What the heading of a day says, and the subjects above and below it."""
    mark = page.one("tr#day")
    beside = [row.select_one(".s a") if row else None for row in (mark.find_previous_sibling("tr"), mark.find_next_sibling("tr"))]
    return mark.get_text(), *(link.get_text() if link else "" for link in beside)


def test_the_day_one_goes_to_is_marked_or_what_is_nearest_told(person: Visitor, imap_of: Callable[[str], IMAPClient]) -> None:
    choose(person, page_size="25")
    client = imap_of(person.address)
    for day in (*range(1, 5), *range(8, 31)):
        client.append("INBOX", bytes(message(f"Jour {day}")), msg_time=datetime(2026, 3, day, 12, tzinfo=UTC))
    going = person.get("/mailbox/INBOX?date=2026-03-08", follow=False)
    assert going.location.endswith("/mailbox/INBOX?day=2026-03-08#day")
    page = person.get(going.location)
    assert around_the_mark(page) == ("Sunday 8 March 2026", "Jour 9", "Jour 8")
    assert page.one("tr#day")["aria-current"] == "date" and len(page.rows) == 25
    told = "No messages from Friday 6 March 2026. The nearest are from Wednesday 4 March 2026 and Sunday 8 March 2026."
    page = person.get("/mailbox/INBOX?date=2026-03-06")
    assert around_the_mark(page) == (told, "Jour 8", "Jour 4") and not page.one("tr#day").has_attr("aria-current")
    words, above, below = around_the_mark(person.get("/mailbox/INBOX?date=2020-01-01"))
    assert words.endswith("The nearest after that day is from Sunday 1 March 2026.") and (above, below) == ("Jour 1", "")
    words, above, below = around_the_mark(person.get("/mailbox/INBOX?date=2026-04-02"))
    assert words.endswith("The nearest before that day is from Monday 30 March 2026.") and (above, below) == ("", "Jour 30")
    for url in (
        "/mailbox/INBOX?day=2020-01-01",
        "/mailbox/INBOX?day=2026-03-08&sort=unread",
        "/mailbox/INBOX?day=x",
        "/mailbox/Sent?day=2026-03-08",
    ):
        assert not person.get(url).all("tr#day"), url


@pytest.mark.parametrize(("sort", "first"), [("unread", "Deux"), ("flagged", "Un"), ("sent", "Trois"), ("subject", "Deux")])
def test_orders(person: Visitor, fill: Fill, sort: str, first: str) -> None:
    later = bytes(message("Trois")).replace(b"24 Nov", b"25 Nov")
    fill(person, later, message("Un"), message("Deux"))
    inbox = person.get("/mailbox/INBOX")
    person.submit(inbox, FORM, action="read", uids=select(inbox, "Un", "Trois"))
    person.submit(inbox, FORM, action="flag", uids=select(inbox, "Un"))
    page = person.get(f"/mailbox/INBOX?sort={sort}")
    assert page.rows[0] == first and len(page.rows) == 3


def test_what_is_undone_on_the_second_page_is_where_one_looks(person: Visitor, imap_of: Callable[[str], IMAPClient]) -> None:
    choose(person, page_size="25")
    for number in range(60):
        arrived = datetime(2026, 3, 1, number // 6, number % 6, tzinfo=UTC)
        imap_of(person.address).append("INBOX", bytes(message(f"Jour {number}")), msg_time=arrived)
    second = person.get("/mailbox/INBOX?page=2")
    back = undo(person, person.submit(second, FORM, action="delete", uids=select(second, "Jour 34")))
    assert "page=2" in back.address and back.rows == second.rows and back.rows[0] == "Jour 34"
