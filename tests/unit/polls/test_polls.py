"""A poll from its form to the event: made, answered, changed, closed, chosen."""

from __future__ import annotations

import csv
import gzip
import io
import re
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.support.poll_pages import day, link_of, new_poll, totals, vote
from tests.support.visits import Visitor
from webmail.accounts import data_export
from webmail.models import CalendarObject, Outbox, Poll, PollOption, PollVoter, SystemMessage, User, now
from webmail.polls import forgetting, voting
from webmail.polls.notifications import voter_links
from webmail.rate_limits import DAY, HOUR, RateLimit
from webmail.system_mail import queue


@pytest.fixture
def link(alice: Visitor) -> str:
    return link_of(new_poll(alice))


def test_a_poll_is_made_and_its_public_page_shows_it_in_both_languages(app, alice):
    page = new_poll(alice, title="Réunion", location="Salle 12", note="Ordre du jour")
    link = link_of(page)
    assert page.one("h1").text == "Réunion" and len(link.removeprefix("/p/")) == 27
    english, french = (Visitor(app, language=language).get(link) for language in ("en", "fr"))
    assert "If need be" in english.text and "Si nécessaire" in french.text and "Salle 12" in french.text
    assert english.one("[data-zone]").text == "Europe/Paris"
    assert len(english.all("[data-vote]")) == 9 and english.one("table.poll caption") and english.all("tbody th[scope=row]")
    assert "2:00" not in english.text and "14:00–15:00" in english.text and "14 h–15 h" in french.text.replace("\xa0", " ")
    assert french.one("meta[name=robots]") and "noindex" in french.headers["X-Robots-Tag"]
    assert Visitor(app, language="fr").get(f"{link}?lang=en").one("html")["lang"] == "en"


def test_no_copy_of_the_database_opens_the_page(link):
    poll = Poll.get()
    assert link.removeprefix("/p/") not in str(poll.__data__)


def test_an_answer_counts_and_is_changed_by_the_private_link(link, outsider):
    page = vote(outsider, link, "yes", "maybe", "no")
    assert totals(page) == [(1, 0, 0), (0, 1, 0), (0, 0, 1)] and "saved" in page.notices
    private = str(page.one("[data-private-link]")["data-private-link"])
    assert private.rpartition("/")[2] not in outsider.get(link).html, "the poll's own page does not tell it"
    path = "/p/" + private.rpartition("/")[2]
    page = vote(outsider, path, "no", "no", "yes", name="Zoé P.")
    assert totals(page) == [(0, 0, 1), (0, 0, 1), (1, 0, 0)] and PollVoter.select().count() == 1
    assert "Zoé P." in outsider.get(link).text and not outsider.get(path).all("[data-private-link]"), "shown once"
    page = outsider.submit(outsider.get(path), "#poll-form", action="withdraw")
    assert "no longer counts" in page.notices and totals(outsider.get(link)) == [(0, 0, 0)] * 3
    page = outsider.submit(page, "main form", action="restore")
    assert totals(outsider.get(link))[2] == (1, 0, 0)


def test_the_private_link_is_mailed_where_an_address_was_given_within_limits(app, link, outsider):
    page = vote(outsider, link, "yes", address="zoe@parents.example")
    assert "sent to you by email" in page.notices
    sent = SystemMessage.get()
    assert sent.recipient == "zoe@parents.example" and sent.reply_to == "alice@lycee.example"
    text = queue.text_of(sent, app.extensions["settings"].secret_key)
    assert str(page.one("[data-private-link]")["data-private-link"]).rpartition("/")[2] in text and "Zoé" not in text
    for number in range(4):
        vote(outsider, link, "yes", name=f"Zoé {number}", address="zoe@parents.example")
    assert SystemMessage.select().count() == 3 and PollVoter.select().count() == 5


def test_the_polls_of_one_person_have_no_more_strangers_written_to_than_may(alice, outsider, monkeypatch):
    monkeypatch.setattr(voter_links, "LINKS_OF_OWNER", RateLimit("links of an owner", 2, DAY))
    for number in range(3):
        page = vote(outsider, link_of(new_poll(alice, title=f"Poll {number}")), "yes", address=f"p{number}@parents.example")
    assert SystemMessage.select().count() == 2 and PollVoter.select().count() == 3
    assert "by email" not in page.notices and page.one("[data-private-link]"), "the answer counts, and its link is on the page"


def test_taking_an_answer_back_and_forth_has_an_end(link, outsider, monkeypatch):
    monkeypatch.setattr(voting, "CHANGES", RateLimit("changes", 1, HOUR))
    page = vote(outsider, link, "yes")
    path = "/p/" + str(page.one("[data-private-link]")["data-private-link"]).rpartition("/")[2]
    assert outsider.post(path, {"action": "withdraw"}).status == 200
    assert outsider.post(path, {"action": "restore"}).status == 429 and totals(outsider.get(link))[0] == (0, 0, 0)


def test_a_colleague_who_is_signed_in_answers_under_their_name_once(link, bob):
    vote(bob, link, "yes")
    page = vote(bob, link, "no", "yes", name="Somebody else")
    voter = PollVoter.get()
    assert voter.user.address == "bob@lycee.example" and voter.name == "" and totals(page)[:2] == [(0, 0, 1), (1, 0, 0)]
    assert "account here" in page.one("table.who").text


@pytest.mark.parametrize(
    ("name", "address", "doubtful"),
    [
        ("Bob Girard", "", True),
        ("Lycée Ampère", "", True),
        ("bob@lycee.example", "", True),
        ("Zoé Petit", "bob@lycee.example", True),
        ("Zoé Petit", "zoe@parents.example", False),
        ("Zoé Petit", "", False),
    ],
)
def test_a_name_that_is_somebody_else_s_is_marked(app, link, bob, outsider, name, address, doubtful):
    User.update(name="Bob Girard").where(User.local == "bob").execute()
    page = vote(outsider, link, "yes", name=name, address=address)
    assert ("name not verified" in page.one("table.who").text) is doubtful


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Type your name"),
        ({"name": "\u200b\u2062"}, "Type your name"),
        ({"address": "nobody"}, "not a complete address"),
        ({"name": "x" * 121}, "too long"),
        ({"comment": "x" * 501}, "too long"),
    ],
)
def test_what_is_not_right_is_said_and_what_was_typed_stays(link, outsider, fields, words):
    page = vote(outsider, link, "maybe", **fields)
    assert page.status == 422 and words in page.text and PollVoter.select().count() == 0
    assert page.all("[data-vote=maybe][checked]")
    assert vote(outsider, link).status == 422


def test_programs_that_open_links_change_nothing_and_set_no_cookie(app, link, outsider):
    vote(outsider, link, "yes")
    before = [row.__data__ for table in (Poll, PollOption, PollVoter) for row in table.select()]
    for method in ("get", "head", "options"):
        answer = getattr(app.test_client(), method)(f"{link}?action=vote&name=x&vote-1=yes&action=withdraw")
        assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert before == [row.__data__ for table in (Poll, PollOption, PollVoter) for row in table.select()]


def test_links_that_lead_nowhere_are_counted(app, outsider):
    answers = [outsider.get(f"/p/{'x' * 26}{number % 10}").status for number in range(62)]
    assert answers[0] == 404 and answers[-1] == 429


def test_one_network_answers_often_and_what_is_too_much_keeps_what_was_typed(link, outsider, monkeypatch):
    assert voting.VOTES.most >= 500, "a school behind one address"
    monkeypatch.setattr(voting, "VOTES", replace(voting.VOTES, most=2))
    assert [vote(outsider, link, "yes", name=f"Zoé {number}").status for number in range(3)] == [200, 200, 429]
    page = vote(outsider, link, "maybe", comment="Le soir")
    assert (
        page.all("[data-vote=maybe][checked]") and page.one("#comment").text.strip() == "Le soir" and page.headers["Retry-After"]
    )
    assert PollVoter.select().count() == 2


def test_two_clicks_are_one_answer(link, outsider):
    page = outsider.get(link)
    first = str(page.all("[data-vote]")[0]["name"])
    answers = [outsider.submit(page, "#poll-form", follow=False, name="Zoé", **{first: "yes"}) for _click in range(2)]
    assert answers[0].location == answers[1].location and PollVoter.select().count() == 1


def test_all_times_are_in_the_zone_that_the_page_names(alice, link, outsider):
    start = PollOption.select().order_by(PollOption.start).first().start
    begins = start.replace(tzinfo=UTC).astimezone(ZoneInfo("Pacific/Auckland"))
    Poll.update(zone="Pacific/Auckland", ends=start).execute()
    page = outsider.get(link)
    assert page.one("[data-zone]").text == "Pacific/Auckland"
    assert page.all("tbody th")[0].text.count(f"{begins:%H:%M}–") == 1 and f", {begins:%H:%M}" in page.one("dl.facts").text
    assert f"{begins:%H:%M}" in alice.get("/polls/1").one("dl.facts").text


def test_hidden_answers_are_seen_by_the_organiser_alone(alice, outsider):
    page = new_poll(alice, hidden="1")
    link = link_of(page)
    mine = vote(outsider, link, "yes", comment="Le soir si possible")
    assert not mine.all("table.who") and mine.all("[data-vote=yes][checked]")
    other = outsider.get(link)
    assert "Zoé" not in other.text and "Le soir" not in other.text and not other.all("[data-totals]")
    assert "Zoé" in alice.get("/polls/1").text and "Le soir" in alice.get("/polls/1").text


def test_answers_to_a_date_that_was_removed_meanwhile_are_refused_and_told(alice, link, outsider):
    form = outsider.get(link)
    first = str(form.all("[data-vote]")[0]["name"])
    vote(outsider, link, "yes", "yes", name="Early")
    page = alice.get("/polls/1/change")
    alice.submit(page, "#poll-form", option=[f"{day(1)}T09:00", day(2)], option_hour=[], option_end=[], action="save")
    answer = outsider.submit(form, "#poll-form", name="Late", action="vote", **{first: "yes"})
    assert answer.status == 409 and "removed meanwhile" in answer.notices and PollVoter.select().count() == 1
    early = PollVoter.get()
    private = outsider.get(f"/p/{voting.token(early, outsider.client.application.extensions['settings'])}")
    assert "1 date that you answered was removed since" in private.text and totals(private)[0] == (1, 0, 0)
    page = alice.get("/polls/1/change")
    days = [f"{day()}T14:00", f"{day(1)}T09:00", day(2), day(3)]
    alice.submit(page, "#poll-form", option=days, option_hour=[], option_end=[], action="save")
    private = outsider.get(private.address)
    assert totals(private)[0] == (1, 0, 0), "what was answered counts again" and "2 dates have no answer" in private.text


def test_it_closes_by_its_day_by_hand_and_opens_again(alice, link, outsider):
    page = alice.submit(alice.get("/polls/1"), "form:has([value=close])", action="close")
    assert "nobody can answer" in page.text and not outsider.get(link).all("[data-vote]")
    assert outsider.get(link).one("[data-state=closed]")
    assert outsider.post(link, {"name": "Zoé", "vote-1": "yes"}).status == 409
    alice.submit(alice.get("/polls/1"), "main form:has([value=reopen])", action="reopen")
    assert outsider.get(link).all("[data-vote]")
    Poll.update(closes=now() - timedelta(minutes=1)).execute()
    assert outsider.get(link).one("[data-state=over]") and outsider.post(link, {"name": "Z", "vote-1": "yes"}).status == 409
    assert "Ended on" in alice.get("/polls/1").text


def test_a_deleted_poll_comes_back_by_undo(alice, link, outsider):
    vote(outsider, link, "yes")
    page = alice.submit(alice.get("/polls/1"), "form:has([value=delete])", action="delete")
    assert page.address == "/polls" and outsider.get(link).status == 410 and alice.get("/polls/1").status == 404
    page = alice.submit(page, "form:has([value=restore])", action="restore")
    assert totals(outsider.get(link))[0] == (1, 0, 0)
    Poll.update(removed=now() - timedelta(days=2)).execute()
    forgetting.forget_removed()
    assert not Poll.select().count() and not PollVoter.select().count()


def test_the_organiser_removes_an_answer_and_takes_that_back(alice, link, outsider):
    vote(outsider, link, "yes", name="Spam")
    page = alice.submit(alice.get("/polls/1"), "form:has([value=remove-vote])", action="remove-vote", voter="1")
    assert totals(outsider.get(link))[0] == (0, 0, 0)
    alice.submit(page, "form:has([value=put-vote-back])", action="put-vote-back", voter="1")
    assert totals(outsider.get(link))[0] == (1, 0, 0)


def test_nobody_else_s_poll_can_be_seen_or_changed(link, bob):
    for path in ("/polls/1", "/polls/1/change", "/polls/1/answers.csv"):
        assert bob.get(path).status == 404


def test_the_date_chosen_leads_to_its_event_which_invites_when_it_is_saved(alice, bob, link, outsider):
    vote(outsider, link, "yes", "no", address="zoe@parents.example")
    vote(outsider, link, "no", "yes", name="Max", address="max@parents.example")
    vote(outsider, link, "maybe", "no", name="Without address")
    vote(bob, link, "maybe")
    option = alice.get("/polls/1").all("[data-option]")[0]["data-option"]
    form = alice.submit(alice.get("/polls/1"), "form:has([value=choose])", option=str(option))
    assert form.address.startswith("/calendar/events/new?form=") and not CalendarObject.select().count()
    assert form.one("[name=title]")["value"] == "Conseil" and form.one("[name=start]")["value"] == day()
    assert (form.one("[name=start_hour]")["value"], form.one("[name=end_hour]")["value"]) == ("14:00", "15:00")
    note = form.one("[name=note]").text
    assert "Zoé Petit" in note and "If need be: Without address, bob@lycee.example" in note and "Max" not in note
    assert outsider.get(link).one("[data-state=chosen]") and not Outbox.select().count(), "nobody was told yet"
    saved = alice.submit(form, "form:has([name=title])", action="save")
    assert saved.status == 200 and CalendarObject.select().count() == 1
    text = CalendarObject.get().text.replace("\r\n ", "")
    for address in ("zoe@parents.example", "bob@lycee.example", "max@parents.example"):
        assert address in text
    again = alice.submit(alice.get("/polls/1"), "form:has([value=choose])", option=str(option))
    alice.submit(again, "form:has([name=title])", action="save")
    assert CalendarObject.select().count() == 1, "the same event, not a second one"


def test_the_link_goes_into_a_message(alice, link):
    page = alice.get("/polls/1")
    message = alice.get(page.link("Send by email"))
    assert (
        f"https://mail.lycee.example{link}" in message.one("[name=body]").text
        and message.one("[name=subject]")["value"] == "Conseil"
    )


def test_the_answers_as_a_table_hold_no_formula(alice, link, outsider):
    vote(outsider, link, "yes", "no", name="=cmd|' /C calc'!A0", comment="+1\n@x")
    answer = alice.get("/polls/1/answers.csv").response
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    assert len(rows) == 2 and rows[1][3:6] == ["Yes", "No", ""] and not any(cell.startswith(("=", "+", "@")) for cell in rows[1])


def test_lines_and_days_are_added_without_scripts(alice):
    page = alice.get("/polls/new?title=Vide")
    assert len(page.all("[name=option]")) == 3 and page.one("#title")["value"] == "Vide"
    page = alice.submit(page, "#poll-form", action="more")
    assert len(page.all("[name=option]")) == 5
    page = alice.submit(page, "#poll-form", action="later", option=[day()], option_hour=["14:00"], option_end=[""])
    ticked = [str(one["value"]) for one in page.all("[name=day]")[:2]]
    page = alice.submit(page, "#poll-form", action="days", day=ticked, hours="8h30, 14 h")
    values = [str(one["value"]) for one in page.all("[name=option]")]
    assert values == [day(), ticked[0], ticked[0], ticked[1], ticked[1], ""]
    assert [one["value"] for one in page.all("[name=option_hour]")][1:3] == ["08:30", "14:00"]
    page = alice.submit(page, "#poll-form", action="save", title="Cinq")
    assert len(page.all("[data-option]")) == 5


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (["2020-01-01T09:00"], "already passed"),
        (["tomorrow"], "Enter a date"),
        ([""], "at least one date"),
        ([f"{day(number % 40)}T{number % 24:02}:{number % 60:02}" for number in range(51)], "at most 50"),
    ],
)
def test_dates_that_can_not_be_are_refused(alice, days, words):
    page = new_poll(alice, *days)
    assert page.status == 422 and words in page.text and not Poll.select().count()


def test_names_of_people_without_an_account_are_forgotten_a_month_after(alice, bob, link, outsider):
    private = vote(outsider, link, "yes", address="zoe@parents.example", comment="Bonjour").address.partition("?")[0]
    vote(bob, link, "yes")
    assert not list(forgetting.due())
    Poll.update(ends=now() - timedelta(days=29)).execute()
    assert not list(forgetting.due())
    Poll.update(ends=now() - timedelta(days=31)).execute()
    assert forgetting.sweep() == 1 and forgetting.sweep() == 0
    page = alice.get("/polls/1")
    assert "Zoé" not in page.text and "zoe@" not in page.text and "Bonjour" not in page.text and "bob" in page.text
    assert totals(page)[0] == (2, 0, 0), "the numbers stay" and outsider.get(private).status == 404


def test_polls_are_part_of_one_s_data(alice, link, outsider):
    vote(outsider, link, "yes")
    files = {name: b"".join(pieces) for name, pieces in data_export.files_of(User.get(User.local == "alice"))}
    assert "Zoé Petit".encode() in files["polls.json"] and b"link_hash" not in files["polls.json"]


def test_the_page_of_twenty_dates_and_thirty_people_is_small(app: Flask, alice: Visitor) -> None:
    link = link_of(new_poll(alice, *(f"{day(number)}T14:00" for number in range(20)), note="Bonjour à tous"))
    for number in range(32):
        answers = ["yes" if (number * 7 + at) % 3 else "no" for at in range(20)]
        vote(
            Visitor(app),
            link,
            *answers,
            name=f"Prénom{number} Nom{number * 37 % 91}",
            comment="Plutôt le soir" if number % 4 else "",
        )
    page = Visitor(app, language="fr").get(link)
    assert len(page.all("table.who tbody tr")) == 30 and page.link("Réponses suivantes")
    sheets = [Path(app.static_folder, "css", name).read_bytes() for name in ("sent.css", "poll.css")]
    weight = len(gzip.compress(page.html.encode())) + sum(len(gzip.compress(one)) for one in sheets)
    assert weight <= 8192, weight


def test_a_form_that_was_refused_has_its_help_too(link, outsider):
    page = vote(outsider, link)
    assert page.status == 422 and page.link("Help") == "/help/answer-a-poll"


def test_the_dates_of_columns_are_whole_and_more_lines_open_no_calendar(alice, link, outsider):
    vote(outsider, link, "yes")
    heads = [one.text for one in outsider.get(link).all("table.who thead th")]
    assert all(re.search(r"\d+ \w+", one) for one in heads[1:4]), heads
    page = alice.submit(alice.get("/polls/new"), "#poll-form", action="more")
    assert not page.all("main details[open]")
