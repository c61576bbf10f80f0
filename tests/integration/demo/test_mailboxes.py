"""The demo's mailboxes, filled."""

from __future__ import annotations

import re
import shutil
import time
from datetime import datetime, timedelta

import pytest
from imapclient import IMAPClient

from deploy.demo.mailboxes import fill
from deploy.demo.services import Services

ALICE, BOB = "alice@lycee.example", "bob@lycee.example"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A demo of its own whose mailboxes are filled; the seconds it took."""
    base = tmp_path_factory.mktemp("filled") / "demo"
    with Services(base, web=False) as services:
        started = time.monotonic()
        counts = fill(services)
        yield services, counts, time.monotonic() - started
    shutil.rmtree(base.resolve())


@pytest.fixture
def alice_filled(filled):
    services, _, _ = filled
    with IMAPClient("127.0.0.1", services.ports.imap, ssl=False) as client:
        client.login(ALICE, services.password)
        yield client


def selectable(client: IMAPClient) -> set[str]:
    return {name for flags, _, name in client.list_folders() if b"\\Noselect" not in flags and b"\\NonExistent" not in flags}


def test_each_person_has_mail_and_it_comes_quickly(filled):
    _, counts, seconds = filled
    assert counts[ALICE] >= 400
    assert 40 <= counts[BOB] <= 100
    assert counts["charlie@autre.example"] >= 15
    assert counts["admin@lycee.example"] >= 12
    assert seconds < 60  # 2.5 on the machine it was written on, when that did nothing else


def test_filling_again_adds_nothing(filled, alice_filled):
    services, _, _ = filled
    before = alice_filled.folder_status("INBOX", ["MESSAGES"])
    assert fill(services) == {}
    assert alice_filled.folder_status("INBOX", ["MESSAGES"]) == before


def test_alice_finds_her_folders_and_a_busy_week(alice_filled):
    folders = selectable(alice_filled)
    this_year = datetime.now().year
    assert {
        "Conseils de classe",
        "Parents",
        f"Sorties {this_year}",
        "Rectorat",
        "Projets/Erasmus/Leeds",
        f"Archive/{this_year - 1}",
    } <= folders
    counts = {name: alice_filled.folder_status(name, ["MESSAGES"])[b"MESSAGES"] for name in folders}
    assert counts["Drafts"] == 2
    assert counts["Junk"] == 5
    assert counts["Sent"] > 50
    alice_filled.select_folder("INBOX", readonly=True)
    week = alice_filled.search(["SINCE", (datetime.now() - timedelta(days=7)).date()])
    assert 15 <= len(week) <= 45
    assert 5 <= len(alice_filled.search(["UNSEEN"])) <= 16
    assert alice_filled.search(["FLAGGED"])
    assert alice_filled.search(["ANSWERED"])


def test_threads_hold_together(alice_filled):
    alice_filled.select_folder("Projets/Erasmus/Leeds", readonly=True)
    threads = alice_filled.thread("REFERENCES")
    assert max(len(re.findall(r"\d+", repr(thread))) for thread in threads) >= 3


def test_every_message_names_its_structure(alice_filled):
    """Dovecot reads each one; the odd kinds are all there."""
    kinds = set()
    for folder in selectable(alice_filled):
        if alice_filled.select_folder(folder, readonly=True)[b"EXISTS"]:
            for data in alice_filled.fetch(alice_filled.search(["ALL"]), ["BODYSTRUCTURE"]).values():
                kinds |= set(re.findall(r"[a-z0-9.+-]+", repr(data[b"BODYSTRUCTURE"]).lower()))
    odd = "calendar delivery-status rfc822 pdf png ms-tnef x-wav iso-2022-jp koi8-r iso-8859-15 windows-1252 flowed"
    assert set(odd.split()) - kinds == set()


def test_full_text_search_finds_words_without_accents(alice_filled):
    alice_filled.select_folder("INBOX", readonly=True)
    assert alice_filled.search(["TEXT", "herissons"], "UTF-8")
