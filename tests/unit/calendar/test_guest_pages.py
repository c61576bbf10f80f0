"""Guests without an account: each has a link of their own to a page that shows what they were sent, and takes their answer."""

from __future__ import annotations

import email
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import policy
from threading import Barrier

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.calendar_texts import calendar
from tests.support.groups import group as people_group
from tests.support.visits import Page, Visitor
from tests.unit.calendar.test_organising import edit, leave, new, row, url, waiting
from webmail.calendar import editing, invitations, meeting_mail
from webmail.calendar.guests import guest_links, guest_pages, sent_invitations
from webmail.calendar.invitations import IncomingEvents
from webmail.calendar.views.guests import guest_page
from webmail.database.connection import db
from webmail.itip.permission import MailSender
from webmail.message.arrivals import meeting_replies
from webmail.models import CalendarObject, GuestLink, Outbox, User, now
from webmail.rate_limits import HOUR, QUARTER, RateLimit

EVE, FAY = "eve@elsewhere.example", "fay@elsewhere.example"


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", public_url="https://mail.lycee.example") as made:
        yield made


@pytest.fixture
def outsider(app: Flask) -> Visitor:
    return Visitor(app, EVE, "", "en")


def text_of(sent: Outbox) -> str:
    message = email.message_from_bytes(bytes(sent.content), policy=policy.default)
    return str(message.get_body(("plain",)).get_content())


def link_in(sent: Outbox) -> str:
    found = re.search(r"https://mail\.lycee\.example(/i/\S+)", text_of(sent))
    return found[1] if found else ""


def links() -> dict[str, str]:
    """Each guest's link, of the latest mail to them."""
    return {one: link for sent in waiting() if (link := link_in(sent)) for one in json.loads(sent.recipients)}


def answer_of(alice: Visitor, who: str = EVE) -> str:
    return str(alice.get(url()).one(f"[data-attendee='{who}']")["data-answer"])


def reply(visitor: Visitor, link: str, action: str, **fields: str) -> Page:
    return visitor.submit(visitor.get(link), "main form", **fields, action=action)


def test_who_has_no_account_gets_a_mail_of_their_own_with_a_link_and_who_has_one_none(alice, bob):
    new(alice, invite=f"bob@lycee.example, {EVE}, {FAY}")
    sent = waiting()
    assert [json.loads(one.recipients) for one in sent] == [["bob@lycee.example"], [EVE], [FAY]]
    assert [bool(link_in(one)) for one in sent] == [False, True, True] and len({*links().values()}) == 2
    assert [one.filed for one in sent] == [False, True, True], "one copy in Sent, not one for each guest"
    token = links()[EVE].removeprefix("/i/")
    assert len(token) == 27 and token not in json.dumps([one.__data__ for one in GuestLink.select()], default=str)


def test_the_guest_sees_what_they_were_sent_and_their_answer_counts_at_once(alice, outsider):
    new(alice, invite=f"{EVE}, {FAY}", location="Salle 12", notes="Ordre du jour")
    edit(alice, notes="Ce que personne ne doit lire", quiet="1")
    link = links()[EVE]
    page = outsider.get(link)
    assert page.one("h1").text == "Conseil" and "Salle 12" in page.text and "Ordre du jour" in page.text and FAY in page.text
    assert "personne ne doit" not in page.text and "You have not replied yet." in page.text
    assert answer_of(alice) == "none", "whoever opens the link has answered nothing"
    for action, answer, words in (
        ("accept", "accepted", "You accepted"),
        ("maybe", "tentative", "Maybe"),
        ("decline", "declined", "You declined"),
    ):
        page = reply(outsider, link, action)
        assert words in page.one("[role=status]").text and answer_of(alice) == answer
        assert page.one("[data-attendee]")["data-answer"] == answer and page.one("button[aria-pressed]")["value"] == action
    assert "1 declined" in alice.get(url()).one("[data-answers]").text


def test_guests_who_do_not_see_each_other_do_not_on_the_page_either(alice, outsider):
    new(alice, invite=f"{EVE}, {FAY}", hidden="1")
    page = outsider.get(links()[EVE])
    assert FAY not in page.text and FAY not in outsider.get(links()[EVE] + "/invite.ics").response.text


def test_the_note_of_a_guest_is_on_the_organiser_s_page_until_they_answer_without_one(alice, outsider):
    new(alice, invite=EVE)
    reply(outsider, links()[EVE], "maybe", comment="Train à 18 h <b>")
    assert "Train à 18 h <b>" in alice.get(url()).one(f"[data-attendee='{EVE}']").text
    reply(outsider, links()[EVE], "accept")
    assert "Train" not in alice.get(url()).text


# --- what else comes by a link ---


def test_programs_that_open_links_answer_nothing_and_nobody_gets_a_cookie(app, alice, outsider):
    new(alice, invite=EVE)
    link = links()[EVE]
    before = row().etag
    for method in ("get", "head", "options"):
        answer = getattr(app.test_client(), method)(f"{link}?action=accept")
        assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert row().etag == before and answer_of(alice) == "none"
    answer = app.test_client().post(link, data={"action": "accept"})
    assert answer.status_code == 303 and "Set-Cookie" not in answer.headers and answer_of(alice) == "accepted"
    assert app.test_client().post(link, data={"action": "decline"}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert outsider.post(link, {"action": "add"}).status == 422 and answer_of(alice) == "accepted"
    for header, value in (("X-Robots-Tag", "noindex"), ("Cache-Control", "private"), ("Referrer-Policy", "same-origin")):
        assert value in app.test_client().get(link).headers.get(header, ""), header


def test_a_text_that_a_copy_for_each_guest_would_make_too_much_goes_to_all_without_links(alice, monkeypatch):
    """One event of 1 MB for 300 people would be 300 MB of mail, in one transaction."""
    monkeypatch.setattr(sent_invitations, "LARGEST_TOGETHER", 20_000)
    new(alice, invite=f"{EVE}, {FAY}", notes="x" * 15_000)
    assert [sorted(json.loads(one.recipients)) for one in waiting()] == [[EVE, FAY]] and not links()
    assert not GuestLink.select().exists()
    edit(alice, notes="short")
    assert [json.loads(one.recipients) for one in waiting()[1:]] == [[EVE], [FAY]] and len(links()) == 2


def test_a_text_that_would_be_too_much_in_copies_is_refused(alice, monkeypatch):
    monkeypatch.setattr(sent_invitations, "LARGEST_TOGETHER", 20_000)
    page = new(alice, invite=f"{EVE}, {FAY}", notes="x" * 15_000, hidden="1")
    assert "This is too long" in page.text and not waiting() and not CalendarObject.select().exists()


def test_it_speaks_the_language_of_the_browser_or_the_one_that_is_chosen(app, alice):
    new(alice, invite=EVE)
    link = links()[EVE]
    page = Visitor(app, language="fr,en;q=0.5").get(link)
    assert page.one("html")["lang"] == "fr" and "Accepter" in page.text and "Vous n’avez pas encore répondu" in page.text
    english = Visitor(app, language="fr").get(page.link("English"))
    assert english.one("html")["lang"] == "en" and "Accept" in english.text
    page = Visitor(app, language="fr").submit(english, "main form", action="accept")
    assert page.one("html")["lang"] == "en" and "You accepted. The organiser sees your reply." in page.text


def test_a_link_that_leads_nowhere_says_so_and_many_of_them_have_to_wait(app, alice, monkeypatch):
    new(alice, invite=EVE)
    link = links()[EVE]
    stranger = Visitor(app)
    for wrong in (link[:-1], link[:-1] + "_", "/i/x", f"/i/{'a' * 27}", f"{link[:-27]}{'%00' * 9}", f"{link}/invite.icz"):
        assert stranger.get(wrong).status == 404, wrong
    monkeypatch.setattr(guest_page, "UNKNOWN", RateLimit(guest_page.UNKNOWN.name, 2, QUARTER))
    assert {stranger.get("/i/x").status, stranger.get("/i/x/invite.ics").status} == {429}
    assert stranger.get(link).status == 200, "links that lead somewhere are never counted"


def test_answers_without_end_have_to_wait(alice, outsider, monkeypatch):
    new(alice, invite=EVE)
    monkeypatch.setattr(guest_page, "OF_ONE_GUEST", RateLimit(guest_page.OF_ONE_GUEST.name, 2, HOUR))
    link = links()[EVE]
    assert [outsider.post(link, {"action": one}, follow=False).status for one in ("accept", "maybe", "decline")] == [
        303,
        303,
        429,
    ]
    assert answer_of(alice) == "tentative"


def test_what_is_cancelled_over_or_not_for_them_any_more_takes_no_answer(alice, outsider):
    new(alice, invite=f"{EVE}, {FAY}")
    eve, fay = links()[EVE], links()[FAY]
    edit(alice, invite=FAY)
    page = outsider.get(eve)
    assert page.one("[data-state]")["data-state"] == "uninvited" and not page.all("form")
    assert outsider.post(eve, {"action": "accept"}).status == 410 and outsider.get(f"{eve}/invite.ics").status == 410
    GuestLink.update(ends=1).execute()
    page = outsider.get(fay)
    assert (
        page.one("[data-state]")["data-state"] == "over"
        and not page.all("form")
        and outsider.post(fay, {"action": "accept"}).status == 410
    )
    alice.submit(alice.get(url("/delete")), f"form[action='{url('/delete')}']")
    assert (
        outsider.get(fay).one("[data-state]")["data-state"] == "cancelled"
        and outsider.post(fay, {"action": "accept"}).status == 410
    )


def test_the_page_follows_what_is_mailed_and_what_is_undone_before_it_left(alice, outsider):
    new(alice, invite=EVE)
    link = links()[EVE]
    leave()
    page = edit(alice, start_hour="15:00", end_hour="16:00", location="Salle 3")
    assert links()[EVE] == link, "one link for all that is sent about it"
    assert "Salle 3" in outsider.get(link).text and "15:00" in outsider.get(link).text
    alice.submit(page, "form[action='/calendar/changes/undo']")
    assert "Salle 3" not in outsider.get(link).text and "17:00" in outsider.get(link).text
    reply(outsider, link, "accept")
    assert answer_of(alice) == "accepted"
    page = edit(alice, invite=f"{EVE}, {FAY}")
    fay = links()[FAY]
    assert outsider.get(fay).status == 200
    alice.submit(page, "form[action='/calendar/changes/undo']")
    assert outsider.get(fay).status == 404, "they were never sent it"


def test_an_answer_to_a_time_that_was_changed_without_a_word_is_not_taken(alice, outsider):
    new(alice, invite=EVE)
    link = links()[EVE]
    edit(alice, start_hour="15:00", end_hour="16:00", quiet="1")
    page = reply(outsider, link, "accept")
    assert page.status == 409 and "was refused" in page.text and answer_of(alice) == "none"


def test_a_series_is_answered_as_a_whole_and_shows_its_next_dates(alice, outsider):
    new(alice, invite=EVE, repeat="weekly", times="5")
    leave()
    edit(alice, "20271214T170000", start_hour="14:00", end_hour="15:00", scope="one")
    page = outsider.get(links()[EVE])
    dates = [one.text for one in page.all("dd li")]
    assert len(dates) == 5 and "14:00" in dates[1] and "17:00" in dates[2]
    reply(outsider, links()[EVE], "accept")
    assert row().text.replace("\r\n ", "").count("PARTSTAT=ACCEPTED") == 2, "all of it, and the one that was changed"


def test_the_latest_answer_counts_even_after_a_program_whose_clock_is_ahead(app, alice, outsider):
    new(alice, invite=EVE)
    link = links()[EVE]
    for stamp in ("20991231T235959Z", "99999999T999999Z", "99991231T235959Z"):
        mailed(app, mail_from(app, EVE, "DECLINED", stamp))
        assert answer_of(alice) == "declined" and outsider.get(link).one("[data-attendee]")["data-answer"] == "declined"
        reply(outsider, link, "accept")
        assert answer_of(alice) == "accepted"


def mail_from(app: Flask, who: str, word: str, stamp: str) -> Callable[[], IncomingEvents]:
    """A reply by mail, beside what Alice has at the moment."""
    user = User.get(User.address == "alice@lycee.example")
    text = calendar(f"SEQUENCE:0|ATTENDEE;PARTSTAT={word}:mailto:{who}", uid=row().uid)
    text = text.replace("DTSTAMP:20260101T000000Z", f"DTSTAMP:{stamp}")
    me = meeting_mail.addresses_of(user, app.extensions["settings"])
    return lambda: invitations.read(text, editing.calendars(user), me, MailSender(who, True), "reply")


def mailed(app: Flask, mail: Callable[[], IncomingEvents], found: IncomingEvents | None = None) -> None:
    """The worker notes it, and reads it again where others were first."""
    user = User.get(User.address == "alice@lycee.example")
    for _attempt in range(3):
        meeting_replies.note([found or mail()], user, app.extensions["settings"])
        found = None


def test_answers_by_link_and_by_mail_at_the_same_instant_are_all_counted_once(app, alice):
    new(alice, invite=f"{EVE}, {FAY}")
    settings, link = app.extensions["settings"], links()[EVE]
    for round_, (by_link, by_mail) in enumerate(
        (("accepted", "TENTATIVE"), ("declined", "ACCEPTED"), ("tentative", "DECLINED")), 1
    ):
        mails = [mail_from(app, FAY, by_mail, f"2028010{round_}T000000Z"), mail_from(app, EVE, by_mail, "20200101T000000Z")]
        found = guest_pages.page(link.removeprefix("/i/"), settings)
        acts = [lambda page=found, given=by_link: guest_pages.answer(page, given, "", settings)]
        acts += [lambda mail=mail, found=found: mailed(app, mail, found) for mail, found in [(mail, mail()) for mail in mails]]
        gate = Barrier(len(acts))

        def act(work, gate=gate):
            gate.wait(10)
            with db.connection_context():
                return work()

        with ThreadPoolExecutor(len(acts)) as threads:
            list(threads.map(act, acts))
        assert (answer_of(alice, EVE), answer_of(alice, FAY)) == (by_link, by_mail.lower())
        assert row().text.replace("\r\n ", "").count(f":mailto:{EVE}") == 1


def test_what_was_written_by_hostile_hands_is_text(alice, outsider):
    bad = "<script>alert(1)</script>"
    new(alice, invite=EVE, title=bad, location=bad, notes=bad)
    page = outsider.get(links()[EVE])
    assert bad not in page.html and page.text.count("alert(1)") >= 3


def test_the_file_is_what_was_sent_without_what_it_asks_for(alice, outsider):
    new(alice, invite=EVE)
    answer = outsider.get(links()[EVE] + "/invite.ics")
    assert answer.headers["Content-Type"].startswith("text/calendar") and "attachment" in answer.headers["Content-Disposition"]
    text = answer.response.text
    assert "METHOD" not in text and "SUMMARY:Conseil" in text and row().uid in text


def test_it_is_light_even_with_many_guests(alice, outsider):
    others = ", ".join(f"Parent {number} <parent{number}@elsewhere.example>" for number in range(60))
    new(alice, invite=f"{EVE}, {others}", notes="Une longue note. " * 60, repeat="weekly")
    page = outsider.get(links()[EVE])
    assert len(page.html.encode()) <= 8_000, len(page.html.encode())
    assert "and 30 others" in page.text


def test_no_link_is_sent_where_nobody_knows_the_address_of_this_place(tmp_path):
    with ground.application(tmp_path / "instance") as app:
        new(ground.person(app), invite=f"{EVE}, {FAY}")
        [sent] = waiting()
        assert "/i/" not in text_of(sent) and not GuestLink.select().exists()


def test_links_are_forgotten_when_their_meeting_is_long_over(alice):
    new(alice, invite=f"{EVE}, {FAY}")
    assert guest_links.forget_old() == 0
    GuestLink.update(ends=1).where(GuestLink.recipient == EVE).execute()
    assert guest_links.forget_old() == 1
    GuestLink.update(at=now() - timedelta(days=500)).execute()
    assert guest_links.forget_old() == 0, "an endless series goes on"
    CalendarObject.delete().execute()
    assert guest_links.forget_old() == 1 and not GuestLink.select().exists()


# --- how many ---


def test_more_people_than_somebody_may_write_to_are_not_invited_and_nothing_is_left_of_it(tmp_path):
    with ground.application(tmp_path / "instance", public_url="https://mail.lycee.example", recipients_per_day=5) as app:
        alice = ground.person(app)
        new(alice, invite=", ".join(f"p{number}@elsewhere.example" for number in range(4)))
        assert len(waiting()) == 4
        page = new(alice, title="Encore", invite=f"{EVE}, {FAY}")
        assert page.all("[role=alert]") and len(waiting()) == 4 == GuestLink.select().count()
        assert CalendarObject.select().count() == 1


def test_who_is_named_twice_gets_one_mail(alice, bob):
    people_group("3e B", "alice@lycee.example", "bob@lycee.example")
    people_group("Professeurs", "alice@lycee.example", "bob@lycee.example")
    new(
        alice,
        invite=f"3e B, Professeurs, {EVE}, Eve <{EVE.upper()}>, bob@lycee.example, {EVE}",
        optional=f"bob@lycee.example, {FAY}",
    )
    assert sorted(one for sent in waiting() for one in json.loads(sent.recipients)) == ["bob@lycee.example", EVE, FAY]
