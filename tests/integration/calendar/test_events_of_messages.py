"""Where messages meet the calendar: an event from what is written, invitations and files taken in."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from tests.support.calendar_texts import calendar, times
from tests.support.visits import Visitor
from webmail.models import CalendarObject, Collection, User

FORM = "form[data-event-form]"


def message(text: str = "Bonjour", subject: str = "Re: Conseil de classe", file: str = "", method: str = "") -> EmailMessage:
    one = EmailMessage()
    one["From"], one["To"], one["Subject"] = "Zoé Petit <zoe@x.example>", "alice@lycee.example", subject
    one["Date"] = "Fri, 27 Nov 2026 10:00:00 +0100"
    one["Authentication-Results"] = "lycee.example; dkim=pass header.d=x.example; dmarc=pass header.from=x.example"
    one.set_content(text)
    if file:
        one.add_attachment(file.encode(), "text", "calendar", filename="invite.ics", params={"method": method} if method else {})
    return one


def events_of(person: Visitor) -> list[CalendarObject]:
    user = User.get(User.address == person.address)
    return list(CalendarObject.select().join(Collection).where(Collection.user == user).order_by(CalendarObject.id))


def test_an_event_is_made_from_what_is_written(person: Visitor, fill) -> None:
    [uid] = fill(person, message("Le conseil aura lieu jeudi 3 décembre de 17h à 19h en salle 12. Ou le 8 décembre à 18h."))
    page = person.get(person.get(f"/message/{uid}/INBOX").link("Create event…"))
    assert page.one("#event-title")["value"] == "Conseil de classe" and page.one("#event-location")["value"] == "salle 12"
    assert (page.one("#event-start")["value"], page.one("[name=start_hour]")["value"]) == ("2026-12-03", "17:00")
    assert "8 December 2026, 18:00" in page.notices and page.one(".way-back a")["href"].startswith(f"/message/{uid}/INBOX")
    other = person.get(page.link("Tuesday 8 December 2026, 18:00–19:00"))
    assert other.one("#event-start")["value"] == "2026-12-08"
    saved = person.submit(page, FORM, action="save")
    assert saved.status == 200 and f"/message/{uid}/INBOX" in saved.one(".facts").get_text() and "Zoé Petit" in saved.text
    assert times(events_of(person)[0].text) == ["2026-12-03 17:00 Conseil de classe"]


def test_a_task_is_made_of_a_message_and_each_leads_to_the_other(person: Visitor, fill) -> None:
    one = message("Merci de rendre les copies, au plus tard vendredi 4 décembre.", "Copies")
    one["Message-ID"] = "<copies@x.example>"
    [uid] = fill(person, one)
    read = person.get(f"/message/{uid}/INBOX")
    assert read.one("[data-todo-chip]")["href"] and not read.all("[data-message-todo]")
    page = person.get(person.get(read.link("Create event…")).link("Create a task from this message instead"))
    assert page.one("#todo-title")["value"] == "Copies" and page.one("#todo-due")["value"] == "2026-12-04"
    assert person.submit(page, "form.form", follow=True).address.startswith(f"/message/{uid}/INBOX")
    assert (
        person.get(person.get(f"/message/{uid}/INBOX").one("[data-message-todo]")["href"]).one("#todo-title")["value"] == "Copies"
    )
    [row] = events_of(person)
    assert "URL:mid:copies@x.example" in row.text
    moved = person.get(f"/todo/items/{row.collection_id}/{row.href}/message")
    assert moved.address.startswith(f"/message/{uid}/INBOX")


def test_links_to_the_whole_conversation_are_offered(person: Visitor, fill) -> None:
    letters = []
    for number in range(23):
        one = message("Le conseil aura lieu jeudi 3 décembre de 17h à 19h en salle 12. Ou le 8 décembre à 18h.")
        one["Message-ID"] = f"<{number}@x.example>"
        if number:
            one["References"] = "<0@x.example>"
        letters.append(one)
    uids = fill(person, *letters[:3])
    page = person.get(f"/calendar/of/{uids[1]}/INBOX")
    assert page.one("[name=notes]").get_text().count("/message/") == 1
    page = person.get(page.link("Add links to the 2 other messages of this conversation"))
    lines = page.one("[name=notes]").get_text().split("\n")[1:]
    assert [next(uid for uid in uids if f"/message/{uid}/INBOX" in line) for line in lines] == [uids[1], uids[0], uids[2]]
    assert lines[1].startswith("Message from Zoé Petit <zoe@x.example>, Friday 27 November 2026: http")
    assert not any("of this conversation" in link.get_text() for link in page.all("main a"))
    other = person.get(page.link("Tuesday 8 December 2026, 18:00–19:00"))  # another day keeps them
    assert other.one("[name=notes]").get_text().count("/message/") == 3
    alone = fill(person, message("Bonjour", "Autre chose"))[-1]
    assert "of this conversation" not in person.get(f"/calendar/of/{alone}/INBOX").text
    fill(person, *letters[3:])
    page = person.get(
        person.get(f"/calendar/of/{uids[1]}/INBOX").link("Add links to the latest 20 other messages of this conversation")
    )
    assert page.one("[name=notes]").get_text().count("/message/") == 21


def test_a_time_in_a_message_is_a_chip_below_it(person: Visitor, fill) -> None:
    sent = datetime.now(ZoneInfo("Europe/Paris")).replace(second=0, microsecond=0)
    at = (sent + timedelta(days=1)).replace(hour=16, minute=0)
    plain = message("Réunion avancée à 16 h demain, salle des professeurs.", "Réunion")
    html = message("-", "Conseil")
    html.clear_content()
    html.set_content(f"<p>Conseil de classe</p><p>le {at:%d/%m/%Y}<br>à 16&nbsp;h 30 en salle&nbsp;12</p>", "html")
    none = message("Version 3.11, page 8/9, 20 €, 04 72 00 12 34.", "Rien")
    for one in (plain, html, none):
        del one["Date"]
        one["Date"] = sent
    uids = fill(person, plain, html, none)
    page = person.get(f"/message/{uids[0]}/INBOX")
    assert page.one("[data-date-chip]").get_text().strip() == f"Add to calendar: {at:%a} 16:00"
    form = person.get(str(page.one("[data-date-chip]")["href"]))
    assert form.one("#event-start")["value"] == f"{at:%Y-%m-%d}" and form.one("[name=start_hour]")["value"] == "16:00"
    assert form.one("#event-location")["value"] == "salle des professeurs"
    page = person.get(f"/message/{uids[1]}/INBOX")
    form = person.get(str(page.one("[data-date-chip]")["href"]))
    assert (form.one("[name=start_hour]")["value"], form.one("#event-location")["value"]) == ("16:30", "salle 12")
    assert not person.get(f"/message/{uids[2]}/INBOX").all("[data-date-chip]")


def test_without_a_date_the_form_has_the_next_hour(person: Visitor, fill) -> None:
    [uid] = fill(person, message("Il reste trois places."))
    page = person.get(f"/calendar/of/{uid}/INBOX")
    assert page.status == 200 and page.one("#event-start")["value"] and not events_of(person)
    assert person.get("/calendar/of/99999/INBOX").status == 404


def test_an_invitation_is_taken_in_once_and_renewed(person: Visitor, fill) -> None:
    invite = calendar("DTSTART:20301208T160000Z|DTEND:20301208T180000Z|SUMMARY:Réunion|SEQUENCE:1|ORGANIZER:mailto:zoe@x.example")
    invite = invite.replace("BEGIN:VEVENT", "METHOD:REQUEST\r\nBEGIN:VEVENT", 1)
    later = invite.replace("SUMMARY:Réunion", "SUMMARY:Réunion reportée").replace("SEQUENCE:1", "SEQUENCE:2")
    first, second = fill(person, message(file=invite, method="REQUEST"), message(file=later, method="REQUEST"))
    before = person.get(f"/message/{first}/INBOX")
    assert not before.all("[data-in-calendar]")
    page = person.submit(before, "form[action^='/calendar/from/']")
    assert "1 event was added to your calendar. The organiser is not told." in page.notices
    assert times(events_of(person)[0].text) == ["2030-12-08 17:00 Réunion"] and "METHOD" not in events_of(person)[0].text
    for shown in (page, person.get(f"/message/{first}/INBOX")):  # the card says so, also when the page is opened again
        assert "In your calendar" in shown.one("[data-in-calendar]").get_text() and not shown.all(
            "form[action^='/calendar/from/']"
        )
        assert "Réunion" in person.get(shown.link("Show event")).one("h1").get_text()
    again = person.submit(before, "form[action^='/calendar/from/']")  # from a page that was open
    assert "already in your calendar" in again.notices and len(events_of(person)) == 1
    newer = person.get(f"/message/{second}/INBOX")
    assert (
        newer.one("[data-in-calendar]")
        and newer.one("form[action^='/calendar/from/'] button").get_text() == "Update in my calendar"
    )
    page = person.submit(newer, "form[action^='/calendar/from/']")
    assert "1 event in your calendar was updated." in page.notices
    assert times(events_of(person)[0].text) == ["2030-12-08 17:00 Réunion reportée"] and len(events_of(person)) == 1
    person.submit(page, "#notices form:has([name=undo])")
    assert times(events_of(person)[0].text) == ["2030-12-08 17:00 Réunion"]


def test_a_cancellation_marks_the_event(person: Visitor, fill) -> None:
    invite = calendar("DTSTART:20301208T160000Z|SUMMARY:Réunion|SEQUENCE:1|ORGANIZER:mailto:zoe@x.example", uid="off")
    gone = invite.replace("SEQUENCE:1", "SEQUENCE:2").replace("BEGIN:VEVENT", "METHOD:CANCEL\r\nBEGIN:VEVENT", 1)
    first, second = fill(person, message(file=invite, method="REQUEST"), message(file=gone, method="CANCEL"))
    unknown = person.get(f"/message/{second}/INBOX")
    assert "This event is not in your calendar." in unknown.text and not unknown.all("form[action^='/calendar/from/']")
    token = str(unknown.all("[name=csrf_token]")[0]["value"])
    assert "not in your calendar" in person.post(f"/calendar/from/{second}/2/INBOX", {"csrf_token": token}).notices
    person.submit(person.get(f"/message/{first}/INBOX"), "form[action^='/calendar/from/']")
    page = person.submit(person.get(f"/message/{second}/INBOX"), "form[action^='/calendar/from/']")
    assert "1 event is marked as cancelled." in page.notices
    assert "Marked as cancelled in your calendar" in page.one("[data-in-calendar]").get_text()
    assert "STATUS:CANCELLED" in next(row.text for row in events_of(person) if row.uid == "off")


def test_what_is_no_calendar_or_answers_an_invitation_is_not_taken(person: Visitor, fill) -> None:
    answer = calendar("DTSTART:20301208T160000Z|SUMMARY:x").replace("BEGIN:VEVENT", "METHOD:REPLY\r\nBEGIN:VEVENT", 1)
    [uid] = fill(person, message(file=answer, method="REPLY"))
    page = person.get(f"/message/{uid}/INBOX")
    assert not page.all("form[action^='/calendar/from/']")
    token = str(page.all("[name=csrf_token]")[0]["value"])
    sent = person.post(f"/calendar/from/{uid}/2/INBOX", {"csrf_token": token})
    assert "No events could be read" in sent.notices and not events_of(person)
    assert person.post(f"/calendar/from/{uid}/1/INBOX", {"csrf_token": token}).status == 404
