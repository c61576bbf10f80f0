"""Refusals: what a telephone was refused stands on its owner's page Devices, in words, once, until it was taken or is dismissed."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from tests.support.visits import Page, Visitor
from tests.unit.dav.conftest import Phone, card, event
from webmail import create_app
from webmail.auth.devices import refused_changes
from webmail.auth.devices.refused_changes import RefusalReason
from webmail.auth.passwords import hashing
from webmail.collections import store
from webmail.database.connection import db
from webmail.dav import refusals
from webmail.dav.refusals import title_in
from webmail.models import CollectionShare, RefusedChange, User, now

OLD = card("o", "Marie Curie").replace("4.0", "2.1")
RULE = event("r", "SUMMARY:Conseil de classe", "RRULE:FREQ=SECONDLY")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = create_app(
        tmp_path / "instance", sign_in="accounts", domain="lycee.example", secure_cookies=False, imap_security="none", imap_port=1,
        server_timeout=1, language="en", recovery_address="off",
    )  # fmt: skip
    with db.connection_context():
        yield made
    db.obj.close()


@pytest.fixture
def alice(person: Callable[..., User]) -> User:
    return person("alice", password=hashing.hash_password("correct horse"))


@pytest.fixture
def web(app: Flask, alice: User) -> Visitor:
    visitor, fields = Visitor(app, alice.address), {"username": alice.address, "password": "correct horse"}
    visitor.submit(visitor.get("/login"), "form[action='/login']", follow=False, **fields)
    return visitor


def later() -> None:
    """As if the latest refusals had been a while ago."""
    RefusedChange.update(last=now() - timedelta(minutes=15)).execute()


def told(page: Page) -> list[str]:
    return [" ".join(one.get_text(" ").split()) for one in page.all("[data-refused]")]


def test_which_where_why_and_what_to_do(alice: User, phone: Phone, web: Visitor) -> None:
    assert phone.put("calendar/r.ics", RULE).status_code == 403
    assert phone.put("contacts/o.vcf", OLD).status_code == 403
    card_line, event_line = told(web.get("/devices"))
    assert (
        "Marie Curie" in card_line
        and "Address book “" in card_line
        and "vCard 2.1" in card_line
        and "import the file in Contacts" in card_line
    )
    assert "Conseil de classe" in event_line and "Calendar “" in event_line and "repeats is not supported" in event_line
    assert "Refused once" in event_line and "from “Phone”" in event_line


def test_the_same_again_is_one_line_with_a_count(alice: User, phone: Phone) -> None:
    for _time in range(3):
        phone.put("calendar/r.ics", RULE)
        later()
    phone.put("calendar/r.ics", RULE)
    phone.put("calendar/r.ics", RULE)  # at once: not counted
    [row] = refused_changes.for_user(alice)
    assert (row.count, row.reason) == (4, "rule")


def test_it_goes_once_the_item_is_taken(alice: User, phone: Phone) -> None:
    for name in "abc":
        phone.put(f"calendar/{name}.ics", RULE)
    assert phone.put("calendar/a.ics", event("a")).status_code == 201
    assert phone.ask("DELETE", "calendar/b.ics").status_code == 404
    assert [row.place for row in refused_changes.for_user(alice)] == ["calendar/c.ics"]
    assert phone.ask("MOVE", "calendar/a.ics", Destination=f"{phone.home}calendar/c.ics").status_code == 201
    assert refused_changes.for_user(alice) == []


def test_twenty_are_kept_the_latest_first(alice: User, bob: User, phone: Phone, phone_of: Callable[..., Phone]) -> None:
    phone_of(bob).put("calendar/r.ics", RULE)
    for number in range(refused_changes.MOST + 2):
        phone.put(f"calendar/{number}.ics", RULE)
    places = [row.place for row in refused_changes.for_user(alice)]
    assert len(places) == RefusedChange.select().where(RefusedChange.user == alice).count() == refused_changes.MOST
    assert places[0] == "calendar/21.ics" and "calendar/1.ics" not in places
    assert len(refused_changes.for_user(bob)) == 1


def test_a_banner_stands_on_pages_until_devices_was_opened(alice: User, phone: Phone, web: Visitor) -> None:
    banner = "Something from one of your devices could not be saved."
    assert banner not in web.get("/contacts").text
    phone.put("calendar/r.ics", RULE)
    assert banner in web.get("/contacts").text
    assert banner not in web.get("/devices").text and banner not in web.get("/contacts").text
    later()
    phone.put("calendar/r.ics", RULE)  # it was told once
    assert banner not in web.get("/contacts").text


def test_one_is_dismissed_or_all_but_nobody_elses(
    alice: User, bob: User, phone: Phone, phone_of: Callable[..., Phone], web: Visitor
) -> None:
    phone_of(bob).put("calendar/r.ics", RULE)
    for name in "abc":
        phone.put(f"calendar/{name}.ics", RULE)
    [others] = refused_changes.for_user(bob)
    for chosen, left in ((str(others.id), 3), ("²", 3), ("", 3), (str(refused_changes.for_user(alice)[0].id), 2), ("all", 0)):
        page = web.get("/devices")
        token = page.all("form[action='/devices/refused'] [name=csrf_token]")[0]["value"]
        assert web.post("/devices/refused", {"refused": chosen, "csrf_token": token}, follow=False).status == 303
        assert len(refused_changes.for_user(alice)) == left
    assert len(refused_changes.for_user(bob)) == 1
    assert told(web.get("/devices")) == []


def test_hostile_names_are_escaped_and_bounded(alice: User, phone: Phone, web: Visitor) -> None:
    phone.put("calendar/r.ics", event("r", "SUMMARY:<script>alert(1)</script>\u202e" + "x" * 5_000, "RRULE:FREQ=SECONDLY"))
    phone.put(f"calendar/{'n' * 300}", event("s", "RRULE:FREQ=SECONDLY"))
    page = web.get("/devices").html
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page and "\u202e" not in page and "x" * 201 not in page
    assert {len(row.place) for row in refused_changes.for_user(alice)} == {14, 255}


def limits(phone: Phone) -> None:
    phone.put("calendar/big.ics", event("b", "SUMMARY:Sortie"))
    phone.put("calendar/big.ics", event("b", "SUMMARY:Sortie", "X:" + "x" * 3_000_000))


@pytest.mark.parametrize(
    ("wish", "reason", "title"),
    [
        (limits, "large", "Sortie"),
        (lambda phone: [phone.put(f"calendar/{n}.ics", event("u", "SUMMARY:Deux")) for n in "ab"], "uid-taken", "Deux"),
        (lambda phone: phone.put("gone/a.ics", event("a", "SUMMARY:Perdu")), "no-collection", "Perdu"),
        (lambda phone: phone.put("calendar/a.ics", event("a", component="VJOURNAL")), "component", ""),
        (lambda phone: phone.put("calendar/a.ics", event("a", "SUMMARY:Vide", start="")), "dates", "Vide"),
        (lambda phone: phone.put("calendar/a.ics", event("a", "SUMMARY:\x07Cloche")), "characters", "Cloche"),
        (lambda phone: phone.put("contacts/a.vcf", card("a", "Été").replace("UID:a\r\n", "")), "no-uid", "Été"),
        (lambda phone: phone.put("contacts/a.vcf", "no card"), "several", ""),
        (lambda phone: phone.ask("MKCALENDAR", "calendar/"), "name-taken", ""),
        (lambda phone: phone.ask("MKCALENDAR", "shared-3/", MAKE), "read-only", "Sport & co"),
    ],
)  # fmt: skip
def test_each_kind_of_refusal(alice: User, phone: Phone, wish: Callable[[Phone], object], reason: str, title: str) -> None:
    wish(phone)
    [row] = refused_changes.for_user(alice)
    assert (row.reason, row.title) == (reason, title)


MAKE = (
    "<C:mkcalendar xmlns:C='urn:ietf:params:xml:ns:caldav' xmlns:D='DAV:'><D:set><D:prop>"
    "<D:displayname>Sport &amp; co</D:displayname></D:prop></D:set></C:mkcalendar>"
)


def test_what_may_only_be_read(alice: User, bob: User, phone: Phone) -> None:
    shared = store.create(bob, "team", store.CALENDAR, "VEVENT", '{"D:displayname": "Équipe"}')
    CollectionShare.create(collection=shared, user=alice, rights="read")
    path = f"shared-{shared.id}/a.ics"
    assert phone.put(path, event("a", "SUMMARY:Match")).status_code == 403
    [row] = refused_changes.for_user(alice)
    assert (row.reason, row.title, row.collection, row.device) == ("read-only", "Match", "Équipe", "Phone")
    assert refused_changes.for_user(bob) == []


@pytest.mark.parametrize("rights", ["busy", "read", "write"])
def test_a_refusal_tells_nothing_of_what_one_may_not_see(
    alice: User, bob: User, phone: Phone, phone_of: Callable[..., Phone], rights: str
) -> None:
    phone_of(bob).put("calendar/a.ics", event("a", "SUMMARY:Secret", "CLASS:PRIVATE"))
    shared = store.default_collection(bob, store.CALENDAR)
    CollectionShare.create(collection=shared, user=alice, rights=rights)
    for method, body in (("DELETE", ""), ("PUT", "no event"), ("PUT", "X" * 2_000_000)):
        phone.ask(method, f"shared-{shared.id}/a.ics", body)
        later()
    if rights != "write":
        assert refused_changes.for_user(alice)
    assert "Secret" not in "".join(row.title for row in refused_changes.for_user(alice))


def test_what_passes_by_itself_is_not_told(alice: User, phone: Phone) -> None:
    phone.put("calendar/a.ics", event("a"))
    assert phone.put("calendar/a.ics", event("a"), If_None_Match="*").status_code == 412
    assert phone.ask("GET", "calendar/none.ics").status_code == 404
    assert phone.ask("REPORT", "calendar/", "<no/>").status_code >= 400
    assert refused_changes.for_user(alice) == []


def test_noting_neither_fails_nor_delays_the_answer(alice: User, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        import peewee as pw

        raise pw.OperationalError("database is locked")

    ended: list[int] = []
    note = refusals.Noting([b"the ", b"answer"], away, lambda: None, lambda: ended.append(1))
    assert b"".join(note) == b"the answer" and ended == []
    note.close()
    assert ended == [1]
    # nor do many hold many threads
    monkeypatch.setattr(refusals, "_turns", threading.BoundedSemaphore(1))
    with refusals._turns:
        assert phone.put("calendar/r.ics", RULE).status_code == 403
    assert refused_changes.for_user(alice) == []
    phone.put("calendar/r.ics", RULE)
    assert len(refused_changes.for_user(alice)) == 1


@pytest.mark.parametrize(
    ("item", "title"),
    [
        ("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=89lodie", "Élodie"),
        ("item1.FN:A\\, B", "A, B"),
        ("SUMMARY;LANGUAGE=\"a:b\":C", "C"),
        ("SUMMARY;X=\"a" * 8_000, ""),
        ("X-SUMMARY:no", ""),
    ],
)  # fmt: skip
def test_titles_of_what_is_badly_written(item: str, title: str) -> None:
    assert title_in(f"BEGIN:X\r\n{item}\r\nEND:X".encode()) == title


def test_every_reason_of_the_readers_is_known() -> None:
    """A new one is UNREADABLE until it has words of its own: these are, and nothing else."""
    said = set()
    for name in ("mime/formats/calendars/calendar_object.py", "mime/formats/recurrence/recurrence_rules.py", "mime/formats/recurrence/occurrences.py",
                 "contacts/device_cards.py", "dav/item_writes.py"):  # fmt: skip
        tree = ast.parse((Path(refusals.__file__).parents[1] / name).read_text())
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if re.fullmatch("(Unusable|Unbounded|unusable).*", getattr(call.func, "id", "")) and call.args:
                first = call.args[0]
                first = first.values[0] if isinstance(first, ast.JoinedStr) else first
                said |= {str(first.value)} if isinstance(first, ast.Constant) else set()
    unknown = {one for one in said if not any(one.startswith(begin) for begin in refusals.WORDS)}
    assert unknown == {
        "a line without a name", "a line outside of it", "components in disorder",
        "no event, task or journal entry in it, or not its end", "a time zone that changes otherwise than once a year",
    }  # fmt: skip
    assert set(refusals.WORDS.values()) < set(RefusalReason)
