"""Rules of other programs, on a real Pigeonhole: shown first, taken with their folders, undone; their scripts stay as they are."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from imapclient import IMAPClient

from deploy.demo.services import Services
from tests.support.messages import message
from webmail import managesieve
from webmail.filters import store
from webmail.filters.rules.rules import MOST_RULES, ActionKind, RuleAction

SAMPLES = Path(__file__).parents[2] / "samples" / "filters"
CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
FOREIGN = sorted(CORPORA.glob("sieve-*/*.sieve"))


@pytest.fixture
def account(person, account_of):
    return account_of(person.address)


def preview(person, name: str = "", data: bytes = b""):
    data = data or (SAMPLES / name).read_bytes()
    return person.submit(person.get("/filters/import"), "form.form", file=(BytesIO(data), name or "file"))


def test_thunderbirds_filters_are_shown_then_taken_with_their_folders(person, account):
    page = preview(person, "msgFilterRules.dat")
    assert len(page.all("[data-found]")) == 3 and len(page.all("[data-left-out]")) == 1
    assert store.load(account).filters.rules == ()  # nothing yet
    page = person.submit(page, "#import", take=["0"])
    assert page.address == "/filters" and "1 filter imported" in page.notices
    [rule] = store.load(account).filters.rules
    assert RuleAction(ActionKind.READ) in rule.actions
    folder = next(one.value for one in rule.actions if one.kind is ActionKind.MOVE)
    assert folder.endswith("Réunions") and not page.all(".field-error")


def test_it_is_undone(person, account):
    person.submit(preview(person, "msgFilterRules.dat"), "#import", take=["0"])
    page = person.get("/filters")
    person.submit(page, "#notices form")
    assert store.load(account).filters.rules == ()


def test_the_absence_comes_switched_off(person, account):
    text = b'require "vacation";\r\nvacation :days 7 :subject "Away" "Back on Monday";\r\n'
    person.submit(preview(person, data=text), "#import", **{"take-absence": "1"})
    absence = store.load(account).filters.absence
    assert (absence.on, absence.subject, absence.text) == (False, "Away", "Back on Monday")


def test_too_many_are_refused_before_folders_are_made_for_them(person, account, imap_of):
    rule = b'if header :contains "subject" "x%d" { fileinto "Neu%d"; }\r\n'
    text = b'require "fileinto";\r\n' + b"".join(rule % (number, number % 20) for number in range(MOST_RULES + 5))
    page = person.submit(preview(person, data=text), "#import")
    assert page.status == 422 and f"up to {MOST_RULES}" in page.text
    assert store.load(account).filters.rules == ()
    assert not [name for _flags, _delimiter, name in imap_of(person.address).list_folders() if "Neu" in name]


def test_while_a_reply_is_on_another_text_is_not_taken_and_that_is_said(person, account):
    person.submit(person.get("/absence"), "form.form", on="1", text="I am away", action="save")
    assert store.load(account).filters.absence.on
    text = b'require ["vacation", "fileinto"];\r\nvacation "Back on Monday";\r\n'
    page = person.submit(preview(person, data=text), "#import", **{"take-absence": "1"})
    assert page.status == 422 and "was not replaced" in page.text
    text += b'if header :contains "subject" "x" { fileinto "Archive"; }\r\n'
    page = person.submit(preview(person, data=text), "#import", take=["0"], **{"take-absence": "1"})
    assert "1 filter imported" in page.notices and "was not replaced" in page.notices
    assert store.load(account).filters.absence.text == "I am away"


def test_what_may_not_be_forwarded_is_not_taken(person, account):
    text = b'require "copy";\r\nif header :contains "subject" "x" { redirect :copy "eve@outside.example"; }\r\n'
    page = preview(person, data=text)
    assert page.one("[name=take]").has_attr("disabled") and "0 filters can be imported" in page.text
    person.submit(page, "#import", take=["0"])
    assert store.load(account).filters.rules == ()


@pytest.mark.parametrize(
    "data", [b"\x00\xff", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"{", b"if {", b"x" * 1_100_000, b" "]
)
def test_what_is_no_rules_is_said(person, data):
    page = preview(person, data=data)
    assert page.status == 422 and page.all("#filter-file-error")


def test_own_filters_go_out_and_come_back(person, account):
    person.submit(preview(person, "msgFilterRules.dat"), "#import", take=["0"])
    kept = person.get("/filters/export?as=json")
    page = preview(person, data=kept.response.get_data())
    assert len(page.all("[data-found]")) == 1
    assert "Réunions" in person.get("/filters/export").response.get_data(as_text=True)


@pytest.mark.skipif(not FOREIGN, reason="the scripts of other programs are not on this machine")
@pytest.mark.parametrize("path", FOREIGN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_scripts_of_other_programs_are_opened_and_stay_as_they_are(person, account, services, path):
    """Those that this server takes lie in its folder byte for byte; the others are opened as files."""
    assert preview(person, data=path.read_bytes()).status in (200, 422)
    name = f"theirs-{person.address.partition('@')[0]}"
    try:
        with managesieve.connect(account) as connection:
            connection.write(name, path.read_bytes().decode())
    except managesieve.ScriptRefusedError:
        return
    [there] = services.base.rglob(f"{name}.sieve")
    there.write_bytes(path.read_bytes())  # as another program stored it: our client sends whole lines
    before = there.stat()
    for address in ("/filters/scripts", f"/filters/script?name={name}", "/filters", "/filters/import"):
        assert person.get(address).status == 200
    assert person.submit(person.get("/filters/import"), "form.form", script=name).status in (200, 422)
    assert there.read_bytes() == path.read_bytes()
    assert (there.stat().st_mtime_ns, there.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


THEIRS = [
    'if header :contains ["subject", "x-a"] "devis" { fileinto "Archive"; stop; }',
    'if address :domain :is "from" "outside.example" { fileinto "Archive"; }',
    'if not exists "x-a" { addflag "\\\\Flagged"; fileinto "Archive"; } else { keep; }',
    'if header :contains "subject" "devis" { fileinto "Archive"; } elsif header :is "x-a" "1" { fileinto "INBOX"; } else { keep; }',
    'if header :matches "subject" "urgent*" { if size :under 100K { addflag "\\\\Seen"; fileinto "Archive"; stop; } }',
    'if anyof (not header :contains "subject" "devis", size :over 1M) { stop; } fileinto "Archive";',
]


@pytest.mark.parametrize("theirs", THEIRS)
def test_what_is_imported_does_what_their_script_did(person, account, deliver, services, theirs):
    """The same three messages by their script, then by ours: they end in the same folders with the same flags."""
    text = f'require ["fileinto", "imap4flags"];\r\n{theirs}\r\n'
    letters = [("Devis 1", {}), ("Urgent: x", {"X_A": "1"}), ("Bonjour", {"X_A": "1"})]

    def after_delivery() -> list[tuple[str, str, frozenset[bytes]]]:
        for subject, headers in letters:
            deliver(person.address, message(subject, sender="a@outside.example", **headers))
        return _taken_out(person.address, services)

    with managesieve.connect(account) as connection:
        connection.write("theirs", text)
        connection.activate("theirs")
    before = after_delivery()
    assert len(before) == len(letters)
    person.submit(preview(person, data=text.encode()), "#import")
    store.run_alone(0, account)
    assert store.load(account).filters.rules and after_delivery() == before


def _taken_out(address: str, services: Services) -> list[tuple[str, str, frozenset[bytes]]]:
    """What is in the two folders: subject, folder, flags; nothing is left there."""
    found = []
    with IMAPClient("127.0.0.1", services.ports.imap, ssl=False) as client:
        client.login(address, services.password)
        for folder in ("INBOX", "Archive"):
            client.select_folder(folder)
            uids = client.search("ALL")
            for row in client.fetch(uids, ["ENVELOPE", "FLAGS"]).values() if uids else ():
                found.append((row[b"ENVELOPE"].subject.decode(), folder, frozenset(row[b"FLAGS"]) - {b"\\Recent"}))
            if uids:
                client.delete_messages(uids)
                client.expunge()
    return sorted(found, key=lambda one: one[:2])
