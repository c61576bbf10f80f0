"""Scope of a search: where the box looks, and what a search without results offers: everywhere, a folder, somebody."""

from __future__ import annotations

from tests.support.messages import message
from tests.support.searches import search
from webmail.database.connection import db
from webmail.models import Correspondent, User


def box(visitor, page, words):
    return visitor.submit(page, "form#search", query=words)


def test_the_box_searches_everywhere_and_this_folder_is_one_click_away(folders):
    page = box(folders, folders.get("/mailbox/Travail"), "budget")
    assert len(page.rows) == 5 and "scope=all" in page.address
    here = folders.get(page.link("Only in Travail"))
    assert here.rows == ["Budget 2"]
    again = box(folders, here, "commun")
    assert again.rows == ["Budget 2"] and "scope" not in again.address  # as narrowly as this page


def test_an_address_without_a_scope_stays_in_its_folder(folders):
    assert search(folders, "budget", "Travail").rows == ["Budget 2"]


def test_in_a_folder_means_that_folder_alone(folders):
    page = box(folders, folders.get("/mailbox/INBOX"), "in:Travail budget")
    assert page.rows == ["Budget 2"] and page.address.startswith("/mailbox/Travail") and "scope" not in page.address
    assert len(box(folders, page, "in:all budget").rows) == 5


def test_a_search_without_results_offers_what_is_elsewhere(folders):
    page = search(folders, "subject:4", "Travail")
    assert page.rows == []
    assert folders.get(page.link("Show the message found in another folder")).rows == ["Budget 4"]
    page = search(folders, "nirgendwo", "Travail")
    assert "found in all folders" not in page.text and "check the spelling" in page.text


def test_it_offers_a_folder_of_nearly_that_name(folders, imap_of):
    imap_of(folders.address).create_folder("Erasmus")
    folders.get("/mailbox/INBOX", reload=True)
    for words in ("erasmus", "Erasmsu", "érasme", "erasm"):
        page = search(folders, words, scope="all")
        assert folders.get(page.link("Open the folder Erasmus")).address == "/mailbox/Erasmus", words
        assert (
            page.text.count("No messages found") == 1 and "0 messages" not in page.text and "filter" not in page.one("main").text
        )
    assert "Open the folder" not in search(folders, "xyzzy", scope="all").text
    assert "Open the folder" not in search(folders, "-erasmus from:x@y.example larger:900M", scope="all").text


def test_it_offers_somebody_of_nearly_that_name(folders):
    with db.connection_context():
        user = User.get(User.address == folders.address)
        Correspondent.create(user=user, address="zoe.lambert@ailleurs.example", name="Zoé Lambert")
    page = search(folders, "lambret", scope="all")
    found = folders.get(page.link("Messages from Zoé Lambert"))
    assert found.one("#query")["value"] == "from:zoe.lambert@ailleurs.example"


def test_names_in_offers_are_escaped(folders, imap_of):
    imap_of(folders.address).create_folder("<b>gras")
    folders.get("/mailbox/INBOX", reload=True)
    page = search(folders, "gras", scope="all")
    assert "Open the folder <b>gras" in page.text and not page.all(".empty b")


def test_offers_come_in_a_fragment_too(folders):
    page = folders.get("/mailbox/Travail?query=subject:4", htmx="main")
    assert page.link("Show the message found in another folder") and not page.all("body")


def test_looking_elsewhere_never_fails_the_page(folders, monkeypatch):
    from webmail import imap
    from webmail.errors import ServerAwayError

    def broken(*_arguments, **_options):
        raise ServerAwayError("no answer")

    monkeypatch.setattr(imap.multi_search, "count", broken)
    page = search(folders, "nirgendwo", "Travail")
    assert page.status == 200 and "No messages found." in page.text


def test_a_message_of_the_sender_is_found_by_the_offer(folders, fill):
    fill(folders, message("Bonjour", sender="Zoé Lambert <zoe.lambert@ailleurs.example>"))
    assert search(folders, "from:zoe.lambert@ailleurs.example", scope="all").rows == ["Bonjour"]


def test_where_no_text_has_the_words_the_folder_that_they_name_is_the_first_result(folders, imap_of):
    client = imap_of(folders.address)
    for name, subject in (("Erasmus", "Convention 2025"), ("Erasmus/Leeds", "Programme 2026"), ("Divers", "Tout")):
        client.create_folder(name)
        client.append(name, bytes(message(subject)))
    folders.get("/mailbox/INBOX", reload=True)
    page = search(folders, "érasmus", scope="all")
    assert page.one("#query")["value"] == "érasmus" and "this is the whole folder Erasmus" in page.notices
    assert page.one(".meant li a").get_text() == "Convention 2025"  # those of the folder itself
    assert "Convention 2025" in folders.get(page.link("Convention 2025")).one("article h1").get_text()
    opened = folders.get(page.link("Show 1 message in Erasmus"))
    assert opened.address.startswith("/mailbox/Erasmus?") and opened.rows == ["Convention 2025"]
    assert opened.one("#query")["value"] == "érasmus" and opened.one("[name=scope]")["value"] == "all"  # to be refined
    page = search(folders, "programme erasmus 2026", scope="all")
    assert [one.get_text() for one in page.all(".meant li a")] == ["Programme 2026"]
    inside = folders.get(page.link("Show 1 message in Erasmus"))
    assert inside.rows == ["Programme 2026"] and inside.address.startswith("/mailbox/Erasmus?query=programme+2026&scope=below")
    assert not search(folders, "erasmus nirgendwo", scope="all").all(".meant")
    assert not search(folders, "erasmus OR divers", scope="all").all(".meant")  # not one folder alone
    assert search(folders, "convention", scope="all").rows == ["Convention 2025"]
