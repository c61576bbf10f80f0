"""Links and files attached to events: typed, kept as other programs wrote them, downloaded; a file sent as a link on the way."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_ground import calendar_of, put
from tests.support.visits import Page, Visitor
from webmail.calendar import form_store
from webmail.models import CalendarObject, KeptEventForm, User, now

FORM = "form[data-event-form]"
TEN = ":20301210T090000Z"
SCRIPT = "<script>alert(1)</script>"
INSIDE = (
    f"ATTACH;FMTTYPE=text/html;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=evil.html:{base64.b64encode(SCRIPT.encode()).decode()}"
)


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", transfers={"on": True}, public_url="https://mail.lycee.example") as made:
        yield made


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app)


def text() -> str:
    return CalendarObject.get().text.replace("\r\n ", "")


def attaches() -> list[str]:
    return [line for line in text().splitlines() if line.startswith("ATTACH")]


def address(uid: str, more: str = "") -> str:
    return f"/calendar/events/{calendar_of().id}/{uid}.ics{more}"


def links(page: Page) -> list[str]:
    return [str(one["value"]) for one in page.all("[name=link]")]


def made(alice: Visitor, *typed: str, **fields: object) -> Page:
    values = {"title": "Conseil", "start": "2030-12-08", "start_hour": "17:00", "end": "2030-12-08", "end_hour": "19:00"}
    page = alice.get("/calendar/events/new")
    return alice.submit(page, FORM, **values | {"link": list(typed), "action": "save"} | fields)


# --- links -----------------------------------------------------------------------------------------------------------


def test_links_are_attached_shown_and_taken_out(app, alice):
    page = made(alice, "https://host.example/plan?a=1;b=2,3", "", "https://other.example/")
    assert attaches() == ["ATTACH:https://host.example/plan?a=1;b=2,3", "ATTACH:https://other.example/"]
    first = page.all(".attached a")[0]
    assert (first["href"], first["target"], first["rel"]) == (
        "https://host.example/plan?a=1;b=2,3",
        "_blank",
        ["noopener", "noreferrer"],
    )
    assert [one.get_text() for one in page.all(".attached bdi")] == ["host.example", "other.example"]
    form = alice.get(page.link("Edit"))
    assert links(form) == ["https://host.example/plan?a=1;b=2,3", "https://other.example/", ""]
    alice.submit(form, FORM, link=["", "https://other.example/", "https://third.example/x"], action="save")
    assert attaches() == ["ATTACH:https://other.example/", "ATTACH:https://third.example/x"]


@pytest.mark.parametrize(
    "bad", ["http://host.example/", "javascript:alert(1)", "https://", "https:///x", "https://a b.example/", "https://a.example/\u202egpj",
            "https://[x/", "https://a.example/" + "x" * 2000, "data:text/html,x", "host.example"],
)  # fmt: skip
def test_only_addresses_by_tls_are_taken(app, alice, bad):
    page = made(alice, bad)
    assert page.status == 422 and not CalendarObject.select().exists()
    assert page.one("#links-error").get_text() == "Enter an address that begins with https://"
    assert links(page)[0] == bad  # nothing typed is lost


def test_ten_at_most(app, alice):
    ten = [f"https://host.example/{number}" for number in range(10)]
    page = made(alice, *ten, "https://host.example/11")
    assert page.one("#links-error").get_text() == "Attach at most 10 links."
    assert made(alice, *ten, *ten).status == 200  # the same again is one
    assert len(attaches()) == 10


def test_another_field_keeps_what_was_typed(app, alice):
    page = made(alice, "https://host.example/", action="more-links")
    assert links(page) == ["https://host.example/", "", ""] and page.one("[name=title]")["value"] == "Conseil"
    assert len(page.all("[name=reminder]")) == 1 and not CalendarObject.select().exists()


def test_what_other_programs_attached_stays_byte_for_byte(app, alice):
    lines = [
        "ATTACH;FILENAME=Plan.pdf;FMTTYPE=application/pdf:https://drive.example/plan", "ATTACH:http://old.example/a",
        "ATTACH:javascript:alert(1)", "ATTACH:cid:part1@example", INSIDE,
    ]  # fmt: skip
    uid = put(calendar_of(), "Conseil", TEN, "", *lines)
    page = alice.get(address(uid))
    told = {one.get_text(): one["href"] for one in page.all(".attached a")}
    assert told["Plan.pdf"] == "https://drive.example/plan" and told["http://old.example/a"] == "http://old.example/a"
    assert sorted(told) == ["Plan.pdf", "evil.html", "http://old.example/a"]
    assert "javascript:alert(1)" in page.text and "cid:part1@example" in page.text  # as text
    form = alice.get(page.link("Edit"))
    assert links(form) == ["https://drive.example/plan", ""]
    alice.submit(
        form, FORM, title="Conseil de classe", link=["https://drive.example/plan", "https://new.example/"], action="save"
    )
    assert attaches() == [*lines, "ATTACH:https://new.example/"]
    alice.submit(alice.get(address(uid, "/edit")), FORM, link=[""], action="save")
    assert attaches() == lines[1:]


def test_a_file_of_a_device_is_saved_and_never_shown(app, alice):
    uid = put(calendar_of(), "Conseil", TEN, "", INSIDE, "ATTACH:https://host.example/")
    page = alice.get(address(uid))
    answer = alice.client.get(page.link("evil.html"))
    assert answer.data == SCRIPT.encode()
    assert answer.mimetype == "application/octet-stream" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    for number in (1, 2, 99):  # an address; nothing
        assert alice.client.get(address(uid, f"/attached/{number}")).status_code == 404
    bob = ground.person(app, "bob")
    assert bob.client.get(address(uid, "/attached/0")).status_code == 404
    ground.share(calendar_of(), "bob", "busy")
    assert bob.client.get(address(uid, "/attached/0")).status_code == 404


@pytest.mark.parametrize("value", ["!!!", "A", "QUJD" * 5, ""])
def test_a_broken_file_breaks_nothing(app, alice, value):
    uid = put(calendar_of(), "Conseil", TEN, "", f"ATTACH;ENCODING=BASE64;VALUE=BINARY;FILENAME=..\\..//x\u202e.txt:{value}")
    assert alice.get(address(uid)).status == 200
    assert alice.client.get(address(uid, "/attached/0")).status_code in (200, 404)


def test_one_of_a_series_has_links_of_its_own(app, alice):
    uid = put(calendar_of(), "Cours", TEN, "", "RRULE:FREQ=DAILY;COUNT=3", "ATTACH:https://all.example/")
    form = alice.get(address(uid, "/edit?at=20301211T090000Z"))
    alice.submit(form, FORM, scope="one", link=["https://all.example/", "https://one.example/"], action="save")
    assert text().count("ATTACH:https://all.example/") == 2 and text().count("ATTACH:https://one.example/") == 1
    form = alice.get(address(uid, "/edit?at=20301212T090000Z"))
    alice.submit(form, FORM, scope="all", link=["https://new.example/"], action="save")
    assert text().count("ATTACH:https://new.example/") == 1 and text().count("ATTACH:https://all.example/") == 1


# --- a file as a link ------------------------------------------------------------------------------------------------


def sent_file(alice: Visitor, name: str = "Film.mp4") -> Page:
    """The page of a file that was sent from /transfers/new."""
    page = alice.get("/transfers/new")
    form = page.one("form#transfer")
    fields = {str(one["name"]): one.get("value", "") for one in form.select("input[type=hidden], input[type=date]")}
    data = {**fields, "files": (io.BytesIO(b"film"), name), "action": "link"}
    return Page(alice.client.post(str(form["action"]), data=data, content_type="multipart/form-data", follow_redirects=True))


def test_a_file_goes_as_a_link_and_nothing_typed_is_lost(app, alice):
    page = made(alice, "https://host.example/", notes="Ordre du jour", repeat="weekly", days=["2", "4"], action="file")
    assert page.address == "/transfers/new"
    assert not CalendarObject.select().exists()
    page = sent_file(alice)
    link = str(page.one("[data-transfer-link]")["href"])
    page = alice.submit(page, "form[action^='/calendar/forms/']")
    assert "The link is in the event" in page.notices
    assert links(page) == ["https://host.example/", link, ""]
    assert page.one("[name=title]")["value"] == "Conseil" and "Ordre du jour" in page.one("[name=notes]").get_text()
    assert [one["value"] for one in page.all("[name=days][checked]")] == ["2", "4"]
    assert not alice.get("/transfers/new").all("[action^='/calendar/forms/'], a[href^='/calendar/forms/']")  # the errand is over
    alice.submit(page, FORM, action="save")
    assert attaches() == ["ATTACH:https://host.example/", f"ATTACH:{link}"]
    assert not KeptEventForm.select().exists()


def test_of_an_event_that_is_there_too_and_only_once(app, alice):
    uid = put(calendar_of(), "Cours", TEN, "", "RRULE:FREQ=DAILY;COUNT=3")
    form = alice.get(address(uid, "/edit?at=20301211T090000Z"))
    alice.submit(form, FORM, title="Cours filmé", scope="all", action="file")
    page = sent_file(alice)
    alice.submit(page, "form[action^='/calendar/forms/']")
    page = alice.submit(page, "form[action^='/calendar/forms/']")  # pressed twice
    assert page.address.startswith(address(uid, "/edit?at=20301211T090000Z&form="))
    assert len(links(page)) == 2 and page.one("[name=title]")["value"] == "Cours filmé"
    assert page.one("[name=scope][checked]")["value"] == "all"
    alice.submit(page, FORM, action="save")
    assert text().count("SUMMARY:Cours filmé") == 1 and len(attaches()) == 1


def test_back_without_a_file(app, alice):
    page = made(alice, action="file")
    page = alice.get(page.link("Back to the event"))
    assert page.one("[name=title]")["value"] == "Conseil" and links(page) == [""]
    assert page.one("[name=start]")["value"] == "2030-12-08"


def test_the_calendar_leads_back_to_what_was_being_written(app, alice):
    made(alice, action="file")
    assert alice.get(alice.get("/calendar/month/2030-12-08").link("Back to the event")).one("[name=title]")["value"] == "Conseil"


def test_a_form_is_its_writers_and_does_not_stay_for_ever(app, alice):
    made(alice, action="file")
    name = KeptEventForm.get().id
    bob = ground.person(app, "bob")
    assert "no longer available" in bob.get(f"/calendar/forms/{name}").notices
    assert "Conseil" not in bob.get(f"/calendar/events/new?form={name}").html
    KeptEventForm.update(at=now() - form_store.KEPT).execute()
    assert "no longer available" in alice.get(f"/calendar/forms/{name}").notices
    for number in range(form_store.MOST + 2):
        form_store.keep(User.get(User.address == "alice@lycee.example"), "/calendar/events/new", [("title", str(number))])
    assert KeptEventForm.select().count() == form_store.MOST


def test_a_link_that_is_none_is_pointed_out(app, alice):
    made(alice, action="file")
    name = KeptEventForm.get().id
    token = alice.get("/calendar/events/new").one(f"{FORM} [name=csrf_token]")["value"]
    page = alice.post(f"/calendar/forms/{name}", {"csrf_token": token, "link": "javascript:alert(1)"})
    assert alice.submit(page, FORM, action="save").status == 422


def test_where_no_files_are_sent_nothing_is_offered(tmp_path):
    with ground.application(tmp_path / "instance", transfers={"on": False}) as app:
        page = ground.person(app).get("/calendar/events/new")
        assert not page.all("button[value=file]") and page.all("button[value=more-links]")
