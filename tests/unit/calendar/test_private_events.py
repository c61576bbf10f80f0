"""Private events: who may only read a shared calendar sees them as busy, wherever they look; the owner may hide them from all."""

from __future__ import annotations

import importlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from playhouse.migrations import Runner

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put, put_text, share
from tests.support.visits import Visitor
from tests.unit.dav.conftest import NAMES, Phone
from webmail import preferences
from webmail.auth.devices import app_passwords
from webmail.calendar import privacy
from webmail.calendar.display import day_counts
from webmail.calendar.files import importing
from webmail.calendar.notifications import reminders
from webmail.calendar.reminders import daily_agenda
from webmail.database.connection import db
from webmail.database.migrate import MIGRATIONS
from webmail.models import CalendarObject, Collection, CollectionShare, DailyAgenda, Occurrence, SystemMessage, User

C = NAMES["C"]
SECRETS = ("zinzolin", "Zinzolin", "ZINZOLIN")
ONE = "DTSTAMP:20260101T000000Z\r\nDTSTART:20261208T090000Z\r\nDTEND:20261208T100000Z"
ALL_OF_IT = "\r\n".join((
    "SUMMARY:Zinzolin, chez le médecin", "LOCATION:Clinique zinzolin", "DESCRIPTION:zinzolin", "URL:https://zinzolin.example/",
    "ATTENDEE;CN=Zinzolin:mailto:zinzolin@lycee.example", "ORGANIZER;CN=Zinzolin:mailto:zinzolin@lycee.example",
    "CATEGORIES:Zinzolin", "X-ZINZOLIN:zinzolin", "COMMENT:zinzolin", "CONTACT:zinzolin", "CONFERENCE;VALUE=URI:https://zinzolin.example/",
    "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=zinzolin.txt:emluem9saW4=", "GEO:1;2", "PRIORITY:3",
    "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:zinzolin", "TRIGGER:-PT15M", "END:VALARM",
))  # fmt: skip
RANGE = "<c:time-range start='20261201T000000Z' end='20270101T000000Z'/>"


def furnish(calendar: Collection) -> None:
    """A private event, a task, a day; a series of which one is private, and a private one of which one is not; what goes on."""
    put(calendar, "Conseil", ":20261208T140000Z", ":20261208T150000Z")
    put_text(calendar, "whole", f"BEGIN:VEVENT\r\nUID:whole\r\n{ONE}\r\nCLASS:PRIVATE\r\n{ALL_OF_IT}\r\nEND:VEVENT")
    day = "DTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20261209"
    put_text(
        calendar,
        "day",
        f"BEGIN:VEVENT\r\nUID:day\r\n{day}\r\nCLASS:CONFIDENTIAL\r\nTRANSP:TRANSPARENT\r\n{ALL_OF_IT}\r\nEND:VEVENT",
    )
    task = "DTSTAMP:20260101T000000Z\r\nDUE:20261210T100000Z\r\nSUMMARY:Zinzolin\r\nDESCRIPTION:zinzolin"
    put_text(calendar, "task", f"BEGIN:VTODO\r\nUID:task\r\n{task}\r\nCLASS:PRIVATE\r\nEND:VTODO")
    for uid, series, changed in (("one", "PUBLIC", "PRIVATE"), ("but-one", "PRIVATE", "PUBLIC")):
        words = {"PRIVATE": ALL_OF_IT, "PUBLIC": "SUMMARY:Portes ouvertes"}
        start = "DTSTAMP:20260101T000000Z\r\nDTSTART:20261201T160000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY"
        other = "DTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:20261208T160000Z\r\nDTSTART:20261208T170000Z\r\nDURATION:PT1H"
        put_text(
            calendar, uid,
            f"BEGIN:VEVENT\r\nUID:{uid}\r\n{start}\r\nCLASS:{series}\r\n{words[series]}\r\nEND:VEVENT\r\n"
            f"BEGIN:VEVENT\r\nUID:{uid}\r\n{other}\r\nCLASS:{changed}\r\n{words[changed]}\r\nEND:VEVENT",
        )  # fmt: skip


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    mail = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "public_url": "https://mail.lycee.example"}
    with ground.application(tmp_path / "instance", recovery_address="off", language="en", **mail) as made:
        yield made


@pytest.fixture
def bob(app: Flask) -> Visitor:
    """Who owns the calendar."""
    return ground.person(app, "bob")


@pytest.fixture
def alice(app: Flask, bob: Visitor) -> Visitor:
    return ground.person(app)


@pytest.fixture
def calendar(alice: Visitor) -> Collection:
    made = calendar_of("bob", "plans", "Plans")
    Collection.update(components="VEVENT,VTODO").where(Collection.id == made.id).execute()
    furnish(made)
    return Collection.get_by_id(made.id)


def user(local: str = "alice") -> User:
    return User.get(User.address == f"{local}@lycee.example")


@pytest.fixture
def phone(app: Flask, alice: Visitor) -> Phone:
    letters, _row = app_passwords.add(user(), "Phone", ("caldav",))
    return Phone(app, alice.address, letters)


def hide(calendar: Collection, hidden: bool = True) -> None:
    Collection.update(hides_private=int(hidden)).where(Collection.id == calendar.id).execute()


def again(calendar: Collection, rights: str) -> None:
    CollectionShare.update(rights=rights).where(CollectionShare.collection == calendar).execute()


# --- every surface ---------------------------------------------------------------------------------------------------


def pages(calendar: Collection) -> dict[str, str]:
    """What GET routes of the calendar and of collections tell; by route, with the address where events are."""
    number = calendar.id
    event = f"/calendar/events/{number}/whole.ics"
    return {
        "/calendar": "/calendar",
        "/calendar/<view>/<day>": "",  # each of them: `views`
        "/calendar/go": "/calendar/go?day=2026-12-08",
        "/calendar/events/<int:calendar>/<href>": event,
        "/calendar/events/<int:calendar>/<href>/attached/<int:number>": f"{event}/attached/0",
        "/calendar/events/<int:calendar>/<href>/delete": f"{event}/delete",
        "/calendar/events/<int:calendar>/<href>/edit": f"{event}/edit",
        "/calendar/events/<int:calendar>/<href>/move": f"{event}/move",
        "/calendar/events/new": f"/calendar/events/new?like={number}/whole.ics",
        "/calendar/export": "/calendar/export",
        "/calendar/export/<int:calendar>/<href>": f"/calendar/export/{number}/whole.ics",
        "/calendar/export/<int:number>": f"/calendar/export/{number}",
        "/calendar/import": f"/calendar/import?calendar={number}",
        "/calendar/reminders": "/calendar/reminders",
        "/calendar/reminders/due": "/calendar/reminders/due",
        "/calendar/search": "/calendar/search?words=zinzol&from=2026-12-01&to=2026-12-31",
        "/calendar/search/first": "/calendar/search/first?words=zinzol",
        "/calendar/side-by-side": "/calendar/side-by-side?who=bob@lycee.example&day=2026-12-08",
        "/calendar/with/<uid>": "/calendar/with/x",
        "/collections": "/collections",
        "/collections/<int:number>": f"/collections/{number}",
        "/collections/<int:number>/addresses": f"/collections/{number}/addresses",
        "/collections/<int:number>/shares": f"/collections/{number}/shares",
        "/collections/people": "/collections/people?q=zinzol",
        "/collections/trash": "/collections/trash?words=zinzol",
    }


VIEWS = [f"/calendar/{view}/2026-12-08" for view in ("month", "week", "workweek", "day", "agenda", "year")] + [
    "/calendar/month/2044-12-01"
]
OTHERS = {  # of nobody's events, or of what the person themselves gave
    "/calendar/feed/<token>.ics": "tests/unit/collection_pages/test_addresses.py",
    "/calendar/public/<token>": "tests/unit/collection_pages/test_addresses.py",
    "/calendar/forms/<name>": "one's own form", "/calendar/import/<upload>": "one's own file",
    "/calendar/of/<int:uid>/<path:mailbox>": "a message", "/calendar/subscriptions/<int:number>": "one's own subscription",
    "/calendar/subscriptions/new": "a form", "/collections/new": "a form",
    "/calendar/times/<name>": "tests/unit/calendar/test_free_busy.py",
}  # fmt: skip
MORE = [
    "/calendar/search?from=2026-12-01&to=2026-12-31", "/calendar/search?words=portes&from=2026-12-01&to=2026-12-31",
    "/calendar/events/{number}/one.ics", "/calendar/events/{number}/one.ics?at=20261208T160000Z",
    "/calendar/events/{number}/but-one.ics", "/calendar/events/{number}/but-one.ics?at=20261215T160000Z",
    "/calendar/events/{number}/one.ics/delete?at=20261208T160000Z", "/calendar/events/{number}/one.ics/edit?at=20261208T160000Z",
    "/calendar/events/{number}/day.ics", "/calendar/events/new?like={number}/one.ics&at=20261208T160000Z",
    "/calendar/export/{number}/one.ics",
]  # fmt: skip


def told_by_pages(visitor: Visitor, calendar: Collection) -> dict[str, str]:
    """What each page says, whole and as a fragment of another."""
    urls = [*filter(None, pages(calendar).values()), *VIEWS, *(one.format(number=calendar.id) for one in MORE)]
    told = {}
    for url in urls:
        content = visitor.client.get(url, follow_redirects=True).get_data()
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = b"".join(archive.read(name) for name in archive.namelist())
        told[url] = unfolded(content)
    for url in VIEWS[:3]:
        told[f"{url} by HTMX"] = visitor.get(url, htmx="main").html
    return told


def unfolded(content: bytes) -> str:
    return re.sub("\r?\n[ \t]", "", content.decode("utf-8", "replace"))


def report(inside: str, name: str = "c:calendar-query") -> str:
    prop = "<d:prop><d:getetag/><d:getcontentlength/><c:calendar-data/></d:prop>"
    return f"<{name} xmlns:d='DAV:' xmlns:c='{C}'>{prop}{inside}</{name}>"


def asked_for(component: str, inside: str) -> str:
    comp = f"<c:comp-filter name='{component}'>{inside}</c:comp-filter>"
    return report(f"<c:filter><c:comp-filter name='VCALENDAR'>{comp}</c:comp-filter></c:filter>")


def word(name: str) -> str:
    return f"<c:prop-filter name='{name}'><c:text-match>zinzolin</c:text-match></c:prop-filter>"


def told_by_devices(phone: Phone, calendar: Collection) -> dict[str, str]:
    path = f"shared-{calendar.id}/"
    names = [row.href for row in CalendarObject.select().where(CalendarObject.collection == calendar)]
    hrefs = "".join(f"<d:href>{phone.home}{path}{name}</d:href>" for name in names)
    expand = report("", "c:calendar-multiget").replace(
        "<c:calendar-data/>", "<c:calendar-data><c:expand start='20261201T000000Z' end='20270101T000000Z'/></c:calendar-data>"
    )
    sync = report("<d:sync-token/><d:sync-level>1</d:sync-level>", "d:sync-collection")
    every = "<d:propfind xmlns:d='DAV:'><d:allprop/></d:propfind>"
    bodies = {
        "PROPFIND": every, "multiget": report(hrefs, "c:calendar-multiget"), "sync": sync,
        "expand": expand.replace("</d:prop>", f"</d:prop>{hrefs}"), "query": asked_for("VEVENT", RANGE),
        "tasks": asked_for("VTODO", ""), "by title": asked_for("VEVENT", word("SUMMARY")),
        "by place": asked_for("VEVENT", word("LOCATION")), "by person": asked_for("VEVENT", word("ATTENDEE")),
        "tasks by title": asked_for("VTODO", word("SUMMARY")),
        "by alarm": asked_for("VEVENT", "<c:comp-filter name='VALARM'>" + RANGE + "</c:comp-filter>"),
        "free-busy": f"<c:free-busy-query xmlns:c='{C}'>{RANGE}</c:free-busy-query>",
    }  # fmt: skip
    told = {}
    for name, body in bodies.items():
        answer = phone.ask("PROPFIND" if name == "PROPFIND" else "REPORT", path, body, Depth="1")
        assert answer.status_code in (200, 207), (name, answer.text)
        told[name] = unfolded(answer.data)
    for name in names:
        told[f"GET {name}"] = unfolded(phone.ask("GET", path + name).data)
        told[f"PROPFIND {name}"] = unfolded(phone.ask("PROPFIND", path + name, every, Depth="0").data)
    return told


def told_by_mail(app: Flask) -> dict[str, str]:
    preferences.change(user(), agenda_hour=7)
    DailyAgenda.delete().execute()
    SystemMessage.delete().execute()
    DailyAgenda.create(user=user(), due=datetime(2026, 12, 8, 6))
    settings = app.extensions["settings"]
    with app.app_context():
        daily_agenda.sweep(
            settings, reminders.agenda_writer(settings), datetime(2026, 12, 8, 6, 10, tzinfo=UTC).replace(tzinfo=None)
        )
    return {"agenda": " ".join(f"{mail.subject} {mail.body} {mail.html}" for mail in SystemMessage.select())}


def told(app: Flask, visitor: Visitor, phone: Phone, calendar: Collection) -> dict[str, str]:
    return told_by_pages(visitor, calendar) | told_by_devices(phone, calendar) | told_by_mail(app)


def telling(said: dict[str, str]) -> set[str]:
    """Who tells a secret."""
    return {name for name, text in said.items() if any(one in text for one in SECRETS)}


def test_every_address_of_the_calendar_is_looked_at(app: Flask, calendar: Collection) -> None:
    known = set(pages(calendar)) | set(OTHERS)
    here = {
        str(rule)
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and str(rule).startswith(("/calendar", "/collections")) and "servers" not in str(rule)
    }
    assert here == known


@pytest.mark.parametrize(("rights", "hidden"), [("read", False), ("write", True), ("manage", True), ("busy", False)])
def test_who_sees_them_as_busy_learns_nothing_anywhere(
    app: Flask, alice: Visitor, phone: Phone, calendar: Collection, rights: str, hidden: bool
) -> None:
    share(calendar, "alice", rights)
    hide(calendar, hidden)
    said = told(app, alice, phone, calendar)
    assert telling(said) == set()
    if rights == "busy":
        return
    assert "Busy" in said["/calendar/month/2026-12-08"] and "Conseil" in said["/calendar/month/2026-12-08"]
    assert "Portes ouvertes" in said["/calendar/month/2026-12-08"] and "Busy" in said["agenda"]
    got = said["GET whole.ics"]
    assert "SUMMARY:Busy" in got and "UID:whole" in got and "DTSTART:20261208T090000Z" in got and "CLASS:PRIVATE" in got
    assert {line.partition(":")[0] for line in got.split("\r\n") if line} <= {
        "BEGIN", "END", "VERSION", "PRODID", "UID", "SUMMARY", "CLASS", "DTSTAMP", "DTSTART", "DTEND"
    }  # fmt: skip
    assert "SUMMARY:Private" in said["GET task.ics"] and "DUE:20261210T100000Z" in said["GET task.ics"]
    assert "CLASS:CONFIDENTIAL" in said["GET day.ics"] and "TRANSP:TRANSPARENT" in said["GET day.ics"]
    for name in ("one", "but-one"):
        both = said[f"GET {name}.ics"]
        assert both.count("SUMMARY:Portes ouvertes") == 1 and both.count("SUMMARY:Busy") == 1 and "RRULE:FREQ=WEEKLY" in both
    assert "whole.ics" in said["query"] and "whole.ics" not in said["by title"] and "FREEBUSY" in said["free-busy"]


@pytest.mark.parametrize("rights", ["write", "manage"])
def test_who_may_write_sees_all_of_them(app: Flask, alice: Visitor, phone: Phone, calendar: Collection, rights: str) -> None:
    share(calendar, "alice", rights)
    said = telling(told(app, alice, phone, calendar))
    assert said >= {*VIEWS[:5], "agenda", "GET whole.ics", "query", "multiget", "sync", "expand", "tasks", "by title", "by place"}
    assert said >= {f"/calendar/export/{calendar.id}", "/calendar/export", pages(calendar)["/calendar/search"]}
    assert said >= {f"/calendar/events/{calendar.id}/whole.ics{way}" for way in ("", "/edit", "/move", "/attached/0")}


def test_words_are_found_of_what_is_seen(alice: Visitor, calendar: Collection) -> None:
    share(calendar, "alice", "read")
    days = "&from=2026-12-01&to=2026-12-31"
    assert "No event was found" in alice.get(f"/calendar/search?words=zinzolin{days}").text
    assert "Portes ouvertes" in alice.get(f"/calendar/search?words=portes{days}").text
    again(calendar, "write")
    assert "Zinzolin, chez le médecin" in alice.get(f"/calendar/search?words=zinzolin{days}").text


def test_an_override_that_says_nothing_is_as_its_series(app: Flask, phone: Phone, calendar: Collection) -> None:
    text = CalendarObject.get(CalendarObject.uid == "one").text
    with db.atomic():
        CalendarObject.delete().where(CalendarObject.uid == "one").execute()
    series = text.replace("CLASS:PUBLIC", "CLASS:PRIVATE").replace("CLASS:PRIVATE\r\nSUMMARY:Zinzolin", "SUMMARY:Zinzolin")
    put_text(calendar, "one", series.partition("BEGIN:VEVENT")[2].join(("BEGIN:VEVENT", "")).rpartition("\r\nEND:VCALENDAR")[0])
    share(calendar, "alice", "read")
    assert "Zinzolin" not in told_by_devices(phone, calendar)["GET one.ics"]
    private = {one.private for one in Occurrence.select().join(CalendarObject).where(CalendarObject.uid == "one")}
    assert private == {1}


def test_what_an_older_version_wrote_is_looked_at(app: Flask, alice: Visitor, phone: Phone, calendar: Collection) -> None:
    """It knows neither column, whether it adds an event or changes one that was public."""
    CalendarObject.update(public_etag=None).where(CalendarObject.uid != "day").execute()
    CalendarObject.update(public_etag="of another text").where(CalendarObject.uid == "day").execute()
    Occurrence.update(private=None).execute()
    share(calendar, "alice", "read")
    said = told(app, alice, phone, calendar)
    assert telling(said) == set() and "SUMMARY:Conseil" in said["query"]
    again(calendar, "write")
    assert "SUMMARY:Zinzolin" in told_by_devices(phone, calendar)["query"]


def test_the_names_in_french(alice: Visitor, phone: Phone, calendar: Collection) -> None:
    share(calendar, "alice", "read")
    User.update(language="fr").where(User.id == user().id).execute()
    said = told_by_devices(phone, calendar)
    assert "SUMMARY:Occupé" in said["GET whole.ics"] and "SUMMARY:Privé" in said["GET task.ics"]


# --- changes ---------------------------------------------------------------------------------------------------------


def etag(phone: Phone, path: str) -> str:
    return phone.ask("GET", path).headers["ETag"]


def test_a_telephone_is_told_anew_of_what_it_sees_otherwise(phone: Phone, bob: Visitor, calendar: Collection) -> None:
    share(calendar, "alice", "write")
    path = f"shared-{calendar.id}/"
    private = {"whole.ics", "day.ics", "task.ics", "one.ics", "but-one.ics"}
    token, found = phone.sync(path)
    assert len(found) == 6 and phone.sync(path, token)[1] == {}
    before, ctag = etag(phone, path + "whole.ics"), ctag_of(phone, path)
    page = bob.get(f"/collections/{calendar.id}")
    bob.submit(page, "#private", hidden="1", action="private")
    hidden, found = phone.sync(path, token)
    assert set(found) == private and phone.sync(path, hidden)[1] == {} and hidden != token
    assert etag(phone, path + "whole.ics") != before and ctag_of(phone, path) != ctag
    again(calendar, "read")
    assert phone.sync(path, hidden)[1] == {}  # it looks the same
    bob.submit(bob.get(f"/collections/{calendar.id}"), "#private", hidden=None, action="private")
    assert phone.sync(path, hidden)[1] == {}
    again(calendar, "write")
    shown, found = phone.sync(path, hidden)
    assert set(found) == private and etag(phone, path + "whole.ics") == before and ctag_of(phone, path) == ctag


def ctag_of(phone: Phone, path: str) -> str:
    body = "<d:propfind xmlns:d='DAV:' xmlns:s='http://calendarserver.org/ns/'><d:prop><s:getctag/></d:prop></d:propfind>"
    return phone.xml("PROPFIND", path, body, Depth="0").findtext(".//{http://calendarserver.org/ns/}getctag") or ""


def test_an_answer_that_was_cut_goes_on_as_it_is_seen_now(phone: Phone, calendar: Collection) -> None:
    share(calendar, "alice", "write")
    path = f"shared-{calendar.id}/"

    def ask(token: str) -> tuple[str, list[str], str]:
        most = "<d:limit><d:nresults>2</d:nresults></d:limit>"
        body = report(f"<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>{most}", "d:sync-collection")
        root = phone.xml("REPORT", path, body)
        names = [one.text.rpartition("/")[2] for one in root.iterfind("D:response/D:href", NAMES) if one.text]
        return root.findtext("D:sync-token", "", NAMES), [one for one in names if one], "".join(root.itertext())

    token, first, _text = ask("")
    hide(calendar)  # while it has told two of six
    told: dict[str, str] = {}
    for _time in range(8):
        token, names, text = ask(token)
        assert "inzolin" not in text
        told |= dict.fromkeys(names, "")
        if not names:
            break
    assert set(told) == {row.href for row in CalendarObject.select() if row.href not in first or row.public_etag != row.etag}
    assert phone.sync(path, token)[1] == {}


def test_what_is_hidden_can_not_be_changed(alice: Visitor, phone: Phone, calendar: Collection) -> None:
    share(calendar, "alice", "write")
    hide(calendar)
    path, kept = f"shared-{calendar.id}/", {row.uid: row.text for row in CalendarObject.select()}
    seen = phone.ask("GET", path + "whole.ics")
    own = {"If_Match": f'"{CalendarObject.get(CalendarObject.uid == "whole").etag}"'}
    elsewhere = f"{phone.home}calendar/whole.ics"
    for answer in (
        phone.put(path + "whole.ics", seen.data, If_Match=seen.headers["ETag"]), phone.put(path + "whole.ics", seen.data, **own),
        phone.put(path + "whole.ics", seen.data), phone.ask("DELETE", path + "whole.ics", If_Match=seen.headers["ETag"]),
        phone.ask("DELETE", path + "task.ics"), phone.ask("MOVE", path + "one.ics", Destination=elsewhere),
        phone.ask("MOVE", path + "whole.ics", Destination=f"{phone.home}{path}other.ics"),
        phone.ask("DELETE", path + "but-one.ics"),
    ):  # fmt: skip
        assert answer.status_code == 403 and "private" in answer.text
    event = f"/calendar/events/{calendar.id}/whole.ics"
    token = alice.get("/calendar").all("input[name=csrf_token]")[0]["value"]
    for way in ("delete", "move", "times", "edit"):
        data = {"csrf_token": token, "to": calendar_of().id, "start": "2026-12-09T09:00", "title": "Mine", "scope": "all"}
        answer = alice.post(f"{event}/{way}", data)
        assert "This event is private" in answer.text, way
    assert "This event is private" in alice.get(f"{event}/delete").text and alice.get(f"{event}/edit").status == 403
    assert {row.uid: row.text for row in CalendarObject.select()} == kept
    assert (
        phone.put(
            path + "new.ics", seen.data.replace(b"UID:whole", b"UID:new").replace(b"CLASS:PRIVATE", b"CLASS:PUBLIC")
        ).status_code
        == 201
    )
    assert phone.put(path + "secret.ics", seen.data.replace(b"UID:whole", b"UID:secret")).headers.get("ETag") is None
    assert phone.ask("DELETE", path + "new.ics").status_code == 204


def test_what_one_adds_oneself_is_hidden_from_then_on_and_nothing_of_ones_own_goes_away_so(
    alice: Visitor, phone: Phone, calendar: Collection
) -> None:
    share(calendar, "alice", "write")
    hide(calendar)
    form = alice.get("/calendar/events/new")
    typed = {"title": "Zinzolin", "privacy": "private", "calendar": str(calendar.id), "action": "save"}
    typed |= {"start": "2026-12-10", "start_hour": "09:00", "end": "2026-12-10", "end_hour": "10:00"}
    done = alice.submit(form, "main form.form", **typed)
    assert "from now on you see only its time" in done.notices and not done.all("form[action='/calendar/changes/undo']")
    assert done.one("h1").get_text() == "Busy"
    own = calendar_of()
    uid = put(own, "Dentiste", ":20261211T090000Z", ":20261211T100000Z", "CLASS:PRIVATE")
    page = alice.get(f"/calendar/events/{own.id}/{uid}.ics/move")
    done = alice.submit(page, "main form", to=str(calendar.id), action="move")
    assert "Copy it instead" in done.notices
    moved = phone.ask("MOVE", f"calendar/{uid}.ics", Destination=f"{phone.home}shared-{calendar.id}/moved.ics")
    assert moved.status_code == 403 and CalendarObject.get(CalendarObject.uid == uid).collection_id == own.id
    done = alice.submit(page, "main form", to=str(calendar.id), action="copy")
    assert "from now on you see only its time" in done.notices and "Dentiste" not in done.one("main").get_text()


def test_an_entity_tag_tells_nothing_of_what_is_hidden(phone: Phone, calendar: Collection) -> None:
    share(calendar, "alice", "read")
    path, row = f"shared-{calendar.id}/", CalendarObject.get(CalendarObject.uid == "whole")
    assert row.etag[:8] not in etag(phone, path + "whole.ics")
    public = CalendarObject.get(CalendarObject.uid.startswith("Conseil"))
    assert etag(phone, path + public.href.replace(" ", "%20")) == f'"{public.etag}"'
    assert f"<getcontentlength>{row.size}<" not in told_by_devices(phone, calendar)["PROPFIND"].replace("D:", "").replace(
        "d:", ""
    )


def test_a_file_does_not_replace_what_is_hidden(alice: Visitor, calendar: Collection) -> None:
    share(calendar, "alice", "write")
    hide(calendar)
    row = CalendarObject.get(CalendarObject.uid == "whole")
    for text in (row.text, row.text.replace("Zinzolin", "Other")):  # nor tells whether it is the same
        planned = importing.plan(text.encode(), calendar.id, ground.PARIS, user())
        assert (planned.same, planned.changed, planned.fresh) == (1, [], [])
    hide(calendar, False)
    assert importing.plan(row.text.replace("Zinzolin", "Other").encode(), calendar.id, ground.PARIS, user()).changed


def test_what_comes_back_from_the_trash_hides_them_as_before(bob: Visitor, phone: Phone, calendar: Collection) -> None:
    share(calendar, "alice", "write")
    hide(calendar)
    calendar_of("bob", "other")
    page = bob.get(f"/collections/{calendar.id}")
    done = bob.submit(page, "form:has(button[value=delete])", action="delete")
    bob.submit(done, "form[action$='/trash/whole']")
    made = Collection.get(Collection.name == "plans")
    assert made.hides_private == 1 and CollectionShare.get(CollectionShare.collection == made).rights == "write"
    assert "inzolin" not in str(told_by_devices(phone, made))


# --- the choice ------------------------------------------------------------------------------------------------------


def test_the_owner_chooses_and_others_read_it(bob: Visitor, alice: Visitor, calendar: Collection) -> None:
    share(calendar, "alice", "manage")
    url = f"/collections/{calendar.id}"
    done = bob.submit(bob.get(url), "#private", hidden="1", action="private")
    assert "are now hidden from everyone else" in done.notices and done.one("#hidden").has_attr("checked")
    page = alice.get(url)
    assert not page.all("form#private") and "The owner hides them" in page.text
    alice.post(f"{url}/shares", {"csrf_token": page.all("input[name=csrf_token]")[0]["value"], "action": "private"})
    assert Collection.get_by_id(calendar.id).hides_private == 1
    again(calendar, "read")
    assert "You see its private events only as busy." in alice.get(url).text
    done = bob.submit(bob.get(url), "#private", hidden=None, action="private")
    assert "now visible to people who can edit it" in done.notices and Collection.get_by_id(calendar.id).hides_private == 0


def test_owners_of_shared_calendars_are_told_once(bob: Visitor, alice: Visitor, calendar: Collection) -> None:
    share(calendar, "alice", "read")
    assert not bob.get("/calendar").all("#private-news")
    Collection.update(private_news=1).where(Collection.id == calendar.id).execute()  # as the migration leaves it
    assert not alice.get("/calendar").all("#private-news")
    page = bob.get("/calendar")
    assert "private events only as busy" in page.one("#private-news").get_text() and page.link("Plans").endswith("#private")
    page = bob.submit(page, "#private-news form", action="private")
    assert (
        page.address.startswith("/calendar")
        and not page.all("#private-news")
        and not bob.get("/collections").all("#private-news")
    )


def test_pages_cost_no_more_where_nothing_is_private(alice: Visitor, calendar: Collection, queries: Callable[..., int]) -> None:
    share(calendar, "alice", "write")
    alice.get("/calendar/month/2027-06-01")  # what is asked once is not counted
    whole = queries(lambda: alice.get("/calendar/month/2027-03-01"))
    again(calendar, "read")
    assert queries(lambda: alice.get("/calendar/month/2027-03-01")) == whole


@pytest.fixture
def queries() -> Callable[..., int]:
    """How many questions something asks of the database."""

    def count(visit: Callable[[], object]) -> int:
        day_counts.forget()
        asked: list[str] = []
        real = db.obj.execute_sql
        try:
            db.obj.execute_sql = lambda sql, *more, **named: asked.append(sql) or real(sql, *more, **named)
            visit()
        finally:
            del db.obj.execute_sql
        return len(asked)

    return count


def test_what_stood_in_calendars_before(calendar: Collection) -> None:
    """The migration finds what is private, and who is to be told."""
    runner, reader = Runner(db.obj, str(MIGRATIONS)), user()
    runner.down("0062_private_events")
    db.execute_sql(
        f"INSERT INTO collection_shares (collection_id, user_id, rights, props, hidden, seen, created, lowered)"
        f" VALUES ({calendar.id}, {reader.id}, 'read', '{{}}', 0, 1, '2026-11-01', '')"
    )
    runner.up()
    found = {row.uid: row.public_etag == row.etag for row in CalendarObject.select()}
    assert [uid for uid, public in found.items() if public] == [uid for uid in found if uid.startswith("Conseil")]
    assert [row.name for row in Collection.select().where(Collection.private_news == 1)] == ["plans"]
    assert {row.hides_private for row in Collection.select()} == {0}


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("CLASS:PRIVATE", True), ('class;X-A="b:c":confidential', True), ("CLA\r\n SS:PRI\r\n\tVATE", True), ("CLASS:PUBLIC", False),
        ("SUMMARY:CLASS:x", False), ("DESCRIPTION:a\r\n CLASS:PRIVATE", False), ("CLASS:", True), ("SUMMARY:x", False),
    ],
)  # fmt: skip
def test_what_the_migration_takes_for_private(text: str, private: bool) -> None:
    migration = importlib.import_module("webmail.migrations.0062_private_events")
    whole = f"BEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\n"
    assert migration._is_private(whole) is private and privacy.is_private(whole) is private
