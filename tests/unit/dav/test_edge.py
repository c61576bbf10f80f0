"""The edge: hostile requests get a 4xx at once, whatever they are; discovery; signing in."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product

import peewee as pw
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.cpu_time import cpu_seconds
from tests.support.limits import let_pass
from tests.support.waiting import eventually
from tests.unit.dav.conftest import NAMES, Phone, card, event
from webmail import imap, rate_limits
from webmail.account import Account
from webmail.auth.devices import app_passwords, failures
from webmail.auth.passwords import hashing
from webmail.dav import edge, sign_in, storage
from webmail.dav.queries import budget
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.models import AppPassword, AuditEntry, DeviceNetwork, LimitUse, SignInFailure, User, now
from webmail.rate_limits import QUARTER, RateLimit

PROPFIND = "<d:propfind xmlns:d='DAV:'><d:prop>%s</d:prop></d:propfind>"
DEEP = "<a xmlns='DAV:'>" + "<b>" * 100_000
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><propfind xmlns="DAV:">&b;</propfind>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><propfind xmlns="DAV:">&a;</propfind>'
MANY = "<propfind xmlns='DAV:'><prop>" + "<a/>" * 200_000 + "</prop></propfind>"


HOSTILE = [BOMB, OUTSIDE, DEEP, MANY, "<a", "a", b"\xff\xfe<\0a\0", b"\0" * 1000, "<a/>" * 3]


@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_xml_is_refused_at_once(phone: Phone, body: str | bytes) -> None:
    phone.ask("PROPFIND", "")
    for method in ("PROPFIND", "REPORT", "PROPPATCH", "MKCOL", "MKCALENDAR"):
        _is_refused(phone, method, body)


def _is_refused(phone: Phone, method: str, body: str | bytes) -> None:
    with cpu_seconds(0.1, method):
        answer = phone.ask(method, "x" if method.startswith("MK") else "calendar/", body)
    assert answer.status_code == 400, answer.text


REPORTS = [
    f"<c:calendar-query xmlns:c='urn:ietf:params:xml:ns:caldav'>{inner}</c:calendar-query>"
    for inner in (
        "<c:filter/>",
        "<c:filter><c:comp-filter/></c:filter>",
        "<c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'><c:time-range/></c:comp-filter></c:comp-filter></c:filter>",
        "<c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'><c:time-range start='x' end='y'/></c:comp-filter></c:comp-filter></c:filter>",
        "<c:filter><c:prop-filter name='UID'><c:text-match>x</c:text-match></c:prop-filter></c:filter>",
    )
] + [
    "<c:free-busy-query xmlns:c='urn:ietf:params:xml:ns:caldav'/>",
    "<c:free-busy-query xmlns:c='urn:ietf:params:xml:ns:caldav'><c:time-range start='20260101T000000Z' end='99991231T000000Z'/></c:free-busy-query>",
    "<c:free-busy-query xmlns:c='urn:ietf:params:xml:ns:caldav'><c:time-range start='x'/></c:free-busy-query>",
    "<c:calendar-multiget xmlns:c='urn:ietf:params:xml:ns:caldav' xmlns:d='DAV:'><d:href/><d:href>http://[</d:href><d:href>/../../etc/passwd</d:href></c:calendar-multiget>",
    "<d:sync-collection xmlns:d='DAV:'><d:sync-token>data:,traboule-1-99999999999999999999</d:sync-token></d:sync-collection>",
    "<d:sync-collection xmlns:d='DAV:'><d:sync-token>nonsense</d:sync-token></d:sync-collection>",
    "<d:unknown xmlns:d='DAV:'/>",
    "",
]


def test_odd_questions_break_nothing(phone: Phone) -> None:
    phone.put("calendar/a.ics", event())
    for body, path in product(REPORTS, ["calendar/", "contacts/", "", "calendar/a.ics"]):
        assert phone.ask("REPORT", path, body).status_code < 500, (path, body)


def test_too_much_is_refused_before_it_is_read(phone: Phone, app: Flask) -> None:
    text = event("u", "DESCRIPTION:" + "x" * 1_100_000)
    assert phone.put("calendar/a.ics", text).status_code == 413
    with cpu_seconds(0.1):
        assert phone.ask("PROPFIND", "", "<a>" * 3_000_000).status_code == 413


def test_chunked_bodies_are_bounded_and_read(phone: Phone) -> None:
    from io import BytesIO

    token = base64.b64encode(f"{phone.address}:{phone.secret}".encode()).decode()

    def put(name: str, body: bytes, **more: str) -> int:
        headers = {"Authorization": f"Basic {token}", "Transfer-Encoding": "chunked"}
        environ = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": "", **more}
        return phone.client.open(phone.home + name, method="PUT", headers=headers, environ_overrides=environ).status_code

    assert put("calendar/a.ics", event("u1").encode()) == 201
    assert put("calendar/b.ics", event("u2", "DESCRIPTION:" + "x" * 2_000_000).encode()) == 413
    assert put("calendar/c.ics", event("u3").encode(), CONTENT_LENGTH="7") == 400
    assert phone.ask("GET", "calendar/a.ics").text == event("u1")


def test_odd_lengths(phone: Phone) -> None:
    token = base64.b64encode(f"{phone.address}:{phone.secret}".encode()).decode()

    class Asked:
        def read(self, size: int) -> bytes:
            assert size <= 10_000_000
            return b""

    for length in ("-1", "x", "9" * 5000, "1e3", "0" * 5000, "0" * 20 + "9" * 12):
        answer = phone.client.open(
            phone.home + "calendar/a.ics", method="PUT", headers={"Authorization": f"Basic {token}"},
            environ_overrides={"CONTENT_LENGTH": length, "wsgi.input": Asked()},
        )  # fmt: skip
        assert answer.status_code in (400, 413)


PATHS = [
    "/dav/../login",
    "/dav/%2e%2e/%2e%2e/etc/passwd",
    "/dav/alice@lycee.example/../bob@lycee.example/calendar/",
    "/dav/alice@lycee.example/calendar/..%2f..%2fx",
    "/dav/alice@lycee.example/calendar/a/b/c.ics",
    "/dav/%ff%fe/",
    "/dav/alice@lycee.example/calendar/%00",
    "/dav/alice@lycee.example/calendar/a%0ab",
    "/dav//",
    "/dav/" + "x" * 3000,
    "/dav/.web/",
    "/dav/.token/x",
    "/dav/.sharing/v1/all/list",
    "/dav/.well-known/caldav",
    "/dav/nobody/",
]


def test_paths_lead_nowhere_else(phone: Phone) -> None:
    for path, method in product(PATHS, ["GET", "PROPFIND", "PUT", "DELETE", "MKCOL", "REPORT"]):
        _leads_nowhere(phone, method, path)


def _leads_nowhere(phone: Phone, method: str, path: str) -> None:
    answer = phone.ask(method, path, event() if method == "PUT" else "")
    assert 400 <= answer.status_code < 500 or path == "/dav//", (answer.status_code, answer.text)


def test_headers_do_not_move_us(phone: Phone) -> None:
    answer = phone.ask(
        "PROPFIND", "", PROPFIND % "<d:current-user-principal/>", X_Script_Name="/evil", X_Forwarded_Prefix="/evil"
    )
    assert answer.status_code == 207 and "evil" not in answer.text
    assert phone.ask("PROPFIND", "", Depth="99").status_code == 400
    for method in ("COPY", "LOCK", "UNLOCK", "ACL", "TRACE", "POST", "PATCH", "X"):
        assert phone.ask(method, "calendar/").status_code == 405, method
    assert phone.ask("OPTIONS", "calendar/").headers["DAV"].startswith("1, 3, access-control, calendar-access, addressbook")


RULES = [
    "FREQ=SECONDLY", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MINUTELY", "FREQ=HOURLY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=WEEKLY;INTERVAL=0", "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20", "FREQ=DAILY;COUNT=-1",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTH=5", "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=3", "FREQ=YEARLY;BYYEARDAY=400", "FREQ=NEVER", "x",
    "FREQ=WEEKLY;COUNT=99999999999999999999", "FREQ=WEEKLY;UNTIL=x", "FREQ=YEARLY;BYMONTH=13", "FREQ=DAILY;BYSETPOS=2",
    "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60))), "FREQ=WEEKLY\r\nRRULE:FREQ=DAILY",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\r\nBEGIN:VLOCATION\r\nEND:VLOCATION",
]  # fmt: skip


ZONE = ["BEGIN:VTIMEZONE", "TZID:X", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200"]
ZONE_END = ["END:STANDARD", "END:VTIMEZONE", "BEGIN:VEVENT", "UID:u", "DTSTART:20260101T100000Z"]


def test_rules_that_never_end_are_refused_at_once(phone: Phone) -> None:
    phone.put("calendar/warm.ics", event("warm", "RRULE:FREQ=WEEKLY"))
    for rule in RULES:
        with cpu_seconds(0.1, rule):
            answer = phone.put("calendar/a.ics", event("u", f"RRULE:{rule}"))
        assert answer.status_code == 403 and "valid-calendar-data" in answer.text, rule


@pytest.mark.parametrize(
    "lines",
    [
        ["EXDATE:" + ",".join(["20260101T000000Z"] * 60_000)],
        ["EXDATE:20260101T000000Z"] * 30_000,
        ["RDATE:" + ",".join(["20260101T000000Z"] * 3_000)],
        ["X;" + '"' * 100_000 + ":"],
        [":" * 900_000],
        ["BEGIN:VALARM"] * 20_000,
        ["DTSTART:00010101T000000Z"],
        ["EXRULE:FREQ=DAILY"],
        ["END:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20260101"] * 2_000,
        ["END:VEVENT", *ZONE, "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", *ZONE_END],
        ["END:VEVENT", *ZONE, "RRULE:FREQ=YEARLY;INTERVAL=4", *ZONE_END],
    ],
)
def test_events_that_cost_too_much_are_refused_at_once(phone: Phone, lines: list[str]) -> None:
    phone.put("calendar/warm.ics", event("warm", "RRULE:FREQ=WEEKLY"))
    with cpu_seconds(0.1):
        answer = phone.put("calendar/a.ics", event("u", "RRULE:FREQ=DAILY", *lines))
    assert answer.status_code == 403 and "valid-calendar-data" in answer.text


@pytest.mark.parametrize("lines", [["X:y"] * 5_000, ["X" + ";A=b" * 200_000 + ":c"], ["BEGIN:VCARD"] * 1_000])
def test_cards_that_cost_too_much_are_refused_at_once(phone: Phone, lines: list[str]) -> None:
    phone.put("contacts/warm.vcf", card("warm"))
    text = card("u", "x", *lines)
    with cpu_seconds(0.15):
        assert phone.put("contacts/a.vcf", text).status_code in (201, 403)


# --- discovery -------------------------------------------------------------------------------------------------------


def test_well_known_places_lead_here(app: Flask) -> None:
    for name, method, slash in product(["caldav", "carddav"], ["GET", "PROPFIND", "HEAD"], ["", "/"]):
        answer = app.test_client().open(f"/.well-known/{name}{slash}", method=method)
        assert answer.status_code == 301 and answer.headers["Location"] == "/dav/"


def test_a_telephone_finds_its_collections_from_the_root(phone: Phone) -> None:
    root = phone.xml("PROPFIND", "/dav/", PROPFIND % "<d:current-user-principal/>", Depth="0")
    principal = root.findtext(".//D:current-user-principal/D:href", "", NAMES)
    asked = "<c:calendar-home-set xmlns:c='%s'/><a:addressbook-home-set xmlns:a='%s'/><c:calendar-user-address-set xmlns:c='%s'/>"
    found = phone.xml("PROPFIND", principal, PROPFIND % (asked % (NAMES["C"], NAMES["CR"], NAMES["C"])), Depth="0")
    assert found.findtext(".//C:calendar-home-set/D:href", "", NAMES) == principal
    assert found.findtext(".//CR:addressbook-home-set/D:href", "", NAMES) == principal
    assert "mailto:alice@lycee.example" in [one.text for one in found.iterfind(".//C:calendar-user-address-set/D:href", NAMES)]
    listed = phone.xml("PROPFIND", principal, PROPFIND % "<d:resourcetype/><d:displayname/>", Depth="1")
    names = {one.findtext("D:href", "", NAMES).rsplit("/", 2)[1]: one for one in listed.iterfind("D:response", NAMES)}
    assert names["calendar"].find(".//D:resourcetype/C:calendar", NAMES) is not None
    assert names["contacts"].find(".//D:resourcetype/CR:addressbook", NAMES) is not None


# --- signing in ------------------------------------------------------------------------------------------------------


def test_nobody_comes_in_without_a_password(app: Flask, alice: User) -> None:
    for header in (
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"alice").decode(),
        "Bearer x",
        "Basic " + "A" * 9000,
        "Basic //8=",
    ):
        answer = app.test_client().open("/dav/", method="PROPFIND", headers={"Authorization": header} if header else {})
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith("Basic "), header


def test_a_password_opens_only_what_it_is_for(phone_of: Callable[..., Phone], alice: User) -> None:
    books, calendars, mail = (phone_of(alice, uses) for uses in (("carddav",), ("caldav",), ("imap", "smtp")))
    assert books.put("contacts/a.vcf", card()).status_code == 201
    assert books.put("calendar/a.ics", event()).status_code == 409 and books.ask("MKCALENDAR", "work").status_code == 403
    assert calendars.put("calendar/a.ics", event()).status_code == 201
    assert calendars.ask("GET", "contacts/a.vcf").status_code == 404
    assert calendars.ask("MKCOL", "contacts").status_code == 403
    listed = books.xml("PROPFIND", "", Depth="1")
    assert [one.text.rsplit("/", 2)[1] for one in listed.iterfind("D:response/D:href", NAMES)][1:] == ["contacts"]
    assert mail.ask("PROPFIND", "").status_code == 401


def test_an_ended_password_or_account_is_out_at_once(phone_of: Callable[..., Phone], alice: User) -> None:
    phone = phone_of(alice)
    assert phone.ask("PROPFIND", "").status_code == 207
    row = AppPassword.get(AppPassword.user == alice)
    assert row.used is not None and row.used_protocol == "caldav"
    AppPassword.update(expires=int(time.time()) - 1).execute()
    assert phone.ask("PROPFIND", "").status_code == 401
    AppPassword.update(expires=None).execute()
    User.update(active=0).execute()
    assert phone.ask("PROPFIND", "").status_code == 401
    User.update(active=1).execute()
    app_passwords.revoke(alice, row.id)
    assert phone.ask("PROPFIND", "").status_code == 401


def test_the_password_of_somebody_else_is_none(phone_of: Callable[..., Phone], app: Flask, alice: User, bob: User) -> None:
    assert Phone(app, bob.address, phone_of(alice).secret).ask("PROPFIND", "").status_code == 401


@pytest.fixture
def own(app: Flask, alice: User) -> Phone:
    User.update(password=hashing.hash_password("The right one 9")).where(User.id == alice.id).execute()
    return Phone(app, "alice", "The right one 9")


def test_the_accounts_own_password_where_it_is_allowed(
    app: Flask, own: Phone, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = f"/dav/{alice.address}/"
    assert own.ask("PROPFIND", home).status_code == 207
    with monkeypatch.context() as once:
        once.setattr(hashing, "verify", lambda *_given: pytest.fail("hashed again"))
        assert own.ask("PROPFIND", home).status_code == 207
    User.update(second_step=1).execute()
    assert own.ask("PROPFIND", home).status_code == 401
    object.__setattr__(app.extensions["settings"], "own_password_on_devices", "always")
    assert own.ask("PROPFIND", home).status_code == 207
    User.update(password=hashing.hash_password("Another one 9"), second_step=0).execute()
    assert own.ask("PROPFIND", home).status_code == 401
    object.__setattr__(app.extensions["settings"], "own_password_on_devices", "never")
    own.secret = "Another one 9"
    assert own.ask("PROPFIND", home).status_code == 401


def test_the_same_wrong_password_counts_once_and_never_for_pages(app: Flask, own: Phone, alice: User) -> None:
    right, own.secret = own.secret, "forgotten"
    for _ in range(30):
        assert own.ask("PROPFIND", "/dav/").status_code == 401
    settings = app.extensions["settings"]
    assert rate_limits.used(settings, RateLimit("passwords of devices", 10, QUARTER).by(alice.address)) == 1
    assert rate_limits.used(settings, RateLimit("passwords for a name", 10, QUARTER).by(alice.address)) == 0
    assert AuditEntry.get(AuditEntry.act == "sign-in-refused").target == alice.address
    let_pass(timedelta(minutes=5))
    SignInFailure.update(at=now() - timedelta(minutes=5)).execute()
    assert own.ask("PROPFIND", "/dav/").status_code == 401
    told = failures.last(alice.address, now() - timedelta(minutes=1))
    assert told is not None and told.protocol == failures.DAV  # the same again is told to the page that waits
    own.secret = right
    assert own.ask("PROPFIND", "/dav/").status_code == 207
    for number in range(30):
        own.secret = f"guess {number}"
        answer = own.ask("PROPFIND", "/dav/", network="203.0.113.9")
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) >= 60
    assert AuditEntry.get(AuditEntry.act == "sign-in-blocked").target == alice.address
    own.secret, sign_in._right = right, type(sign_in._right)()
    assert own.ask("PROPFIND", "/dav/").status_code == 207, "its network is known, and strangers' tries are counted elsewhere"
    sign_in._right = type(sign_in._right)()
    DeviceNetwork.delete().execute()
    assert own.ask("PROPFIND", "/dav/").status_code == 429
    letters, _row = app_passwords.add(alice, "Phone", ("caldav",))
    own.secret = letters
    assert own.ask("PROPFIND", "/dav/").status_code == 207  # no guessing stands in its way
    let_pass(timedelta(minutes=16))
    own.secret = right
    assert own.ask("PROPFIND", "/dav/").status_code == 207


def test_several_connections_with_a_right_password_at_once(
    app: Flask, own: Phone, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As devices open them: while the first one is checked, none of the others is refused, and one check is enough for all."""
    checks: list[str] = []
    real = hashing.verify

    def verify(hashed: str, secret: str) -> bool:
        checks.append(secret)
        time.sleep(0.2)
        return real(hashed, secret)

    monkeypatch.setattr(hashing, "verify", verify)

    def ask(_number: int) -> int:
        return Phone(app, alice.address, own.secret).ask("PROPFIND", "/dav/").status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(ask, range(6))) == {207}
    assert len(checks) == 1
    assert not LimitUse.select().exists()


def test_where_the_mail_server_checks_passwords(app: Flask, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    object.__setattr__(app.extensions["settings"], "sign_in", "imap")
    asked: list[str] = []

    def check(account: Account) -> None:
        password = account.credential.password  # type: ignore[union-attr]
        asked.append(password)
        if password == "away":
            raise ServerAwayError("no answer")
        if password != "right":
            raise SignInRefusedError("wrong")

    monkeypatch.setattr(imap, "check", check)
    for secret, status in (("right", 207), ("right", 207), ("wrong", 401), ("wrong", 401), ("away", 503), ("away", 503)):
        assert Phone(app, alice.address, secret).ask("PROPFIND", "").status_code == status, secret
    assert asked == ["right", "wrong", "away", "away"]
    where_it_was_right = RateLimit("passwords of devices", 10, QUARTER).by(alice.address, "127.0.0.1")
    assert rate_limits.used(app.extensions["settings"], where_it_was_right) == LimitUse.select().count() == 1
    assert Phone(app, "stranger@lycee.example", "right").ask("PROPFIND", "").status_code == 401


def test_a_database_that_is_away_is_told_as_such(app: Flask, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_what: object) -> None:
        raise pw.OperationalError("database is locked")

    monkeypatch.setattr("webmail.collections.store.accessible", broken)
    answer = phone.ask("PROPFIND", "calendar/")
    assert answer.status_code == 503 and answer.headers["Retry-After"]


# --- many at once ----------------------------------------------------------------------------------------------------


def test_devices_of_one_person_leave_threads_to_others(
    app: Flask, phone: Phone, phone_of: Callable[..., Phone], bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ask, two run and a few wait; the others are told to come back, and somebody else is served at once."""
    going, held = threading.Event(), threading.Semaphore(0)
    theirs = phone_of(bob)

    def slow(_edge: object, _environ: object, _method: str, path: str, *_what: object) -> tuple[int, dict[str, str], list[bytes]]:
        if path.startswith("/alice"):
            held.release()
            going.wait(30)
        return 200, {}, []

    monkeypatch.setattr(edge.DavEdge, "_admitted", slow)
    statuses: list[int] = []
    askers = [threading.Thread(target=lambda: statuses.append(phone.ask("GET", "calendar/a.ics").status_code)) for _ in range(14)]
    for one in askers:
        one.start()
    admission = app.extensions["dav"].edge().admission
    for _ in range(admission.of_one):
        assert held.acquire(timeout=20)
    few = admission.of_one + admission.waiting_of_one
    eventually(lambda: statuses.count(503) == 14 - few, what="those who are sent away")
    assert theirs.ask("GET", "calendar/a.ics").status_code == 200
    going.set()
    for one in askers:
        one.join(20)
    assert statuses.count(200) == few


def test_nobodys_body_is_read(app: Flask, phone: Phone) -> None:
    class Silent:
        def read(self, _size: int) -> bytes:
            raise AssertionError("it would never come")

    for secret in ("", "wrong"):
        token = base64.b64encode(f"{phone.address}:{secret}".encode()).decode()
        answer = phone.client.open(
            phone.home + "calendar/a.ics", method="PUT", headers={"Authorization": f"Basic {token}"} if secret else {},
            environ_overrides={"CONTENT_LENGTH": "1000000", "wsgi.input": Silent()},
        )  # fmt: skip
        assert answer.status_code == 401 and answer.headers["Connection"] == "close"


def test_answers_have_an_end(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        phone.put(f"contacts/{name}.vcf", card(name, name, "NOTE:" + "x" * 1_000))
    monkeypatch.setattr(budget, "MOST_BYTES", 3_000)
    hrefs = [f"<d:href>{phone.home}contacts/{name}.vcf</d:href>" for name in "abc"]

    def ask(count: int, program: str = "DAVx5") -> TestResponse:
        inside = "<d:prop><d:getetag/><r:address-data/></d:prop>" + "".join(hrefs[:count])
        body = (
            f"<r:addressbook-multiget xmlns:d='DAV:' xmlns:r='urn:ietf:params:xml:ns:carddav'>{inside}</r:addressbook-multiget>"
        )
        return phone.ask("REPORT", "contacts/", body, User_Agent=program)

    assert ask(2).status_code == 207 and ask(3).status_code == 403 and "number-of-matches-within-limits" in ask(3).text
    assert ask(3, "Thunderbird/153.0").status_code == 400
    assert len(phone.sync("contacts/")[1]) == 3  # without the cards there is room
    monkeypatch.setattr(storage, "MOST_FILTERED", 2)
    words = "<r:filter><r:prop-filter name='FN'><r:text-match>a</r:text-match></r:prop-filter></r:filter>"
    body = f"<r:addressbook-query xmlns:d='DAV:' xmlns:r='urn:ietf:params:xml:ns:carddav'><d:prop/>{words}</r:addressbook-query>"
    assert "number-of-matches-within-limits" in phone.ask("REPORT", "contacts/", body).text
