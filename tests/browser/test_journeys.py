"""What a person does from morning to evening, in Chromium, with scripts and without."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import wait_for_row

OpenBrowser = Callable[..., Page]
ALICE, BOB = "alice@lycee.example", "bob@lycee.example"
pytestmark = pytest.mark.usefixtures("as_on_the_first_day")


def test_alice_answers_a_message_with_a_file_and_bob_sees_it(open_browser: OpenBrowser, tmp_path: Path, scripts: bool) -> None:
    words = f"Réponse {time.time_ns()}"
    alice = open_browser(ALICE)
    expect(alice.locator("[data-row]")).to_have_count(50)
    alice.locator("[data-row] .s a[id]").first.click()
    expect(alice.locator("article h1")).to_be_visible()
    alice.get_by_role("link", name="Répondre", exact=True).click()
    expect(alice.locator("[name=to]")).not_to_have_value("")
    expect(alice.locator("[name=subject]")).to_have_value(re.compile("^Re: "))
    alice.fill("[name=to]", f"Bob Girard <{BOB}>")
    alice.fill("[name=subject]", words)
    alice.fill("[name=body]", "Bonjour Bob,\n\nvoici le document demandé.\n")
    file = tmp_path / "autorisation été.txt"
    file.write_text("signé\n")
    alice.set_input_files("[name=attachments]", file)
    if not scripts:
        alice.click("button[value=attach]")
    expect(alice.locator("#attachments li")).to_contain_text("autorisation été.txt")
    alice.click("button[value=send]")
    expect(alice.locator("[role=status]").first).to_contain_text(re.compile("Envoi|Envoyé"))

    bob = open_browser(BOB)
    try:
        wait_for_row(bob, words)
    except AssertionError as error:
        alice.goto("/outbox")
        raise AssertionError(alice.locator("main").inner_text()) from error
    bob.locator("[data-row]", has_text=words).locator(".s a[id]").click()
    body = bob.locator("[data-message-body]")
    expect(body).to_be_visible()
    if body.locator("iframe").count():  # an answer to a formatted message is formatted, where scripts run
        expect(body.frame_locator("iframe").locator("body")).to_contain_text("voici le document demandé")
    else:
        expect(body).to_contain_text("voici le document demandé")
    with bob.expect_download() as download:
        bob.locator(".files a").first.click()
    assert download.value.suggested_filename == "autorisation été.txt"
    assert download.value.path().read_text() == "signé\n"


def test_a_selection_is_archived_and_brought_back(open_browser: OpenBrowser) -> None:
    alice = open_browser(ALICE)
    before = [row.get_attribute("data-uid") for row in alice.locator("[data-row]").all()]
    for place in (1, 3):
        alice.locator("[name=uids]").nth(place).check()
    alice.click("button[value=archive]")
    expect(alice.locator(".notice-done")).to_contain_text("2 messages archivés")
    expect(alice.locator(f"[data-uid='{before[1]}']")).to_have_count(0)
    alice.get_by_role("button", name="Annuler").click()
    expect(alice.locator(".notice-done")).to_contain_text("Action annulée pour 2 messages")
    expect(alice.locator("[data-row]")).to_have_count(50)


def test_a_message_on_its_way_is_stopped_and_gone_on_with(open_browser: OpenBrowser) -> None:
    words = f"Trop tôt {time.time_ns()}"
    alice = open_browser(ALICE, at="/compose")
    alice.fill("[name=to]", BOB)
    alice.fill("[name=subject]", words)
    alice.fill("[name=body]", "Pas encore")
    alice.click("button[value=send]")
    alice.locator(".notice").get_by_role("button", name="Annuler").click()
    expect(alice.locator("[name=subject]")).to_have_value(words)
    expect(alice.locator("header.top")).to_have_count(1)  # a page in its place, not within the notice


def test_older_newer_and_search(open_browser: OpenBrowser) -> None:
    alice = open_browser(ALICE)
    first = alice.locator("[data-row] .s a[id]").first.text_content()
    alice.locator("a[rel=next]").click()
    expect(alice.locator("a[rel=prev]")).to_be_visible()
    alice.locator("a[rel=prev]").click()
    expect(alice.locator("[data-row] .s a[id]").first).to_have_text(first or "")
    alice.fill("[name=query]", "subject:conseil")
    alice.press("[name=query]", "Enter")
    expect(alice.locator("main .found-bar")).to_contain_text("trouvé")
    alice.wait_for_load_state()
    for subject in alice.locator("[data-row] .s a[id]").all_text_contents():
        assert "conseil" in subject.lower()
    alice.fill("[name=query]", "zzzz-nothing-zzzz")
    alice.press("[name=query]", "Enter")
    expect(alice.locator(".empty")).to_be_visible()


def test_a_star_and_a_deletion_from_the_message(open_browser: OpenBrowser) -> None:
    alice = open_browser(ALICE)
    row = alice.locator("[data-row]").nth(4)
    uid = row.get_attribute("data-uid")
    was = alice.locator(f"[data-uid='{uid}'] .f button").text_content()
    alice.locator(f"[data-uid='{uid}'] .f button").click()
    expect(alice.locator(f"[data-uid='{uid}'] .f button")).not_to_have_text(was or "")
    alice.locator(f"[data-uid='{uid}'] .s a[id]").click()
    expect(alice.locator("article")).to_be_visible()
    alice.click("button[value=delete]")
    expect(alice.locator(".notice-done")).to_contain_text("corbeille")
    expect(alice.locator(f"[data-uid='{uid}']")).to_have_count(0)
    alice.get_by_role("button", name="Annuler").click()
    expect(alice.locator(".notice-done")).to_contain_text("Action annulée pour 1 message")


def test_a_draft_is_saved_found_and_gone_on_with(open_browser: OpenBrowser) -> None:
    words = f"Brouillon {time.time_ns()}"
    alice = open_browser(ALICE, at="/compose")
    alice.fill("[name=to]", BOB)
    alice.fill("[name=subject]", words)
    alice.fill("[name=body]", "À finir demain")
    alice.click("button[value=save]")
    expect(alice.locator("#saved")).to_contain_text("Enregistré dans Brouillons")
    alice.goto("/mailbox/Drafts")
    alice.locator("[data-row]", has_text=words).locator(".s a[id]").click()
    expect(alice.locator("[name=body]")).to_have_value(re.compile("À finir demain"))
    expect(alice.locator("[name=to]")).to_have_value(re.compile(BOB))
    alice.click("button[value=discard]")
    alice.click("button[value=discard-now]")
    expect(alice.locator(".notice-done")).to_contain_text("supprimé")
    alice.goto("/mailbox/Drafts")
    expect(alice.locator("[data-row]", has_text=words)).to_have_count(0)


def test_an_html_message_is_shown_in_its_frame_and_nothing_leaves(open_browser: OpenBrowser) -> None:
    alice = open_browser(ALICE)
    asked: list[str] = []
    alice.context.on("request", lambda request: asked.append(request.url))
    for place in range(50):
        alice.goto("/mailbox/INBOX")
        alice.locator("[data-row] .s a[id]").nth(place).click()
        expect(alice.locator("article")).to_be_visible()
        alice.wait_for_load_state("domcontentloaded")
        if alice.locator("[data-message-body] iframe").count():
            break
    frame = alice.frame_locator("[data-message-body] iframe")
    expect(frame.locator("body")).not_to_be_empty()
    host = alice.url.split("/")[2]
    assert [url for url in asked if url.split("/")[2] != host and not url.startswith("data:")] == []


def test_the_keyboard_alone_is_enough(open_browser: OpenBrowser) -> None:
    alice = open_browser(ALICE)
    alice.goto("/mailbox/INBOX")
    alice.keyboard.press("Tab")
    assert "Aller au contenu" in (alice.locator(":focus").text_content() or "")
    alice.keyboard.press("Enter")
    for _ in range(60):
        alice.keyboard.press("Tab")
        if alice.locator("[data-row] .s a[id]:focus").count():
            break
    alice.keyboard.press("Enter")
    expect(alice.locator("article h1")).to_be_visible()
    for _ in range(60):
        alice.keyboard.press("Tab")
        if alice.locator("a.btn-primary:focus", has_text="Répondre").count():
            break
    alice.keyboard.press("Enter")
    expect(alice.locator("[name=body]")).to_be_visible()
