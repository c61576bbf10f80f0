"""Blocked and safe senders as data, what a search becomes as a filter, and the habits that a filter is suggested for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from webmail.filters import junk_weeks, move_habits, own_script, store
from webmail.filters.move_habits import ENOUGH, MovedSource
from webmail.filters.rules import from_search
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import BadRuleError
from webmail.filters.senders import senders
from webmail.filters.senders.safe_copy import text_of
from webmail.filters.senders.senders import BLOCKED, MOST_SENDERS, SAFE, SenderLists, entry_of
from webmail.filters.store import Filters
from webmail.imap.searching.search import parse
from webmail.models import JunkWeek, User, now


@pytest.fixture
def user(here):
    return User.create(address="ann@lycee.example", local="ann", domain="lycee.example")


@pytest.mark.parametrize(
    ("typed", "entry"),
    [("Bob@Outside.EXAMPLE", "bob@outside.example"), ("  outside.example ", "@outside.example"), ("@outside.example", "@outside.example"),
     ("Bob <bob@outside.example>", "bob@outside.example"), ("bob@été.example", "bob@xn--t-9fab.example")],
)  # fmt: skip
def test_an_entry_is_an_address_or_a_domain(typed, entry):
    assert entry_of(typed) == entry


@pytest.mark.parametrize(
    "typed",
    ["", "@", "a b@x.example", '"a b"@x.example', "a@x.example b@y.example", "a@x.example,b@y.example", "x\ny@z.example", "a@b@", "\0@x.example",
     "x" * 250 + "@x.example", "a@-x", '"; discard; #'],
)  # fmt: skip
def test_what_is_none_is_refused(typed):
    with pytest.raises(BadRuleError):
        entry_of(typed)


def test_a_sender_is_in_one_list_at_most():
    lists = SenderLists().placed("a@x.example", BLOCKED).placed("@y.example", BLOCKED).placed("a@x.example", SAFE)
    assert lists == SenderLists(("@y.example",), ("a@x.example",))
    assert lists.where("a@x.example") == SAFE and lists.placed("a@x.example", "").safe == ()
    full = SenderLists(tuple(f"p{number}@x.example" for number in range(MOST_SENDERS)))
    with pytest.raises(BadRuleError):
        full.placed("one@more.example", BLOCKED)
    assert full.placed("p1@x.example", BLOCKED)


def test_they_come_back_from_the_script_and_come_first_in_it():
    lists = SenderLists(("a@x.example", "@y.example"), ("b@y.example",))
    text = store.script_of(Filters(senders=lists), SievePlace(frozenset(["fileinto"]), junk="Indésirables"))
    own = own_script.read(text)
    assert own is not None and own.parts[0].kind == "senders"
    filters, unreadable = store.filters_of(own)
    assert filters.senders == lists and not unreadable
    assert not any(part.edited for part in own.parts)
    assert own.parts[0].commands and not own.parts[1].commands


def test_lists_too_long_for_a_part_of_the_script_are_not_stored_as_nothing():
    long = tuple(f"p{number}{'x' * 230}@outside.example" for number in range(2 * MOST_SENDERS))
    parts = store._parts(Filters(senders=SenderLists(long[:MOST_SENDERS], long[MOST_SENDERS:])), SievePlace(frozenset()))
    assert not own_script.holds(own_script.text_of(parts), parts)
    parts = store._parts(Filters(senders=SenderLists(long[:MOST_SENDERS])), SievePlace(frozenset()))
    assert own_script.holds(own_script.text_of(parts), parts)


@pytest.mark.parametrize(
    "data", ['{"blocked":1}', "[]", '{"blocked":[1]}', '{"safe":["a b@x.example"]}', '{"safe":["none"]}', "{"]
)
def test_what_others_wrote_there_is_not_taken(data):
    with pytest.raises(BadRuleError):
        senders.from_json(data)


def test_the_copy_for_the_mail_server_stands_between_blanks():
    assert text_of(SenderLists(("x@x.example",), ("a@x.example", "@y.example"))) == " a@x.example @y.example "
    assert text_of(SenderLists(("x@x.example",))) == ""


@pytest.mark.parametrize(
    ("query", "fields", "left"),
    [
        ("from:ann subject:devis", [("from", "contains", "ann"), ("subject", "contains", "devis")], ()),
        ("-list:maths facture", [("list", "!contains", "maths"), ("subject", "contains", "facture")], ()),
        ("has:attachment larger:5M", [("attachment", "present", ""), ("size", "least", "5242880")], ()),
        ("-larger:300k -has:attachment", [("size", "most", "307200"), ("attachment", "!present", "")], ()),
        ("is:unread body:stage newer_than:2w", [("body", "contains", "stage")], ("is:unread", "newer_than:2w")),
        ("a OR b", [], ("a OR b",)),
        ("foo:bar", [], ("foo:bar",)),
    ],
)
def test_a_search_becomes_conditions(query, fields, left):
    idea = from_search.conditions_of(parse(query), query)
    found = zip(*(idea.arguments.get(name, []) for name in ("field", "match", "value")), strict=True)
    assert list(found) == fields and idea.left == left


BOB = MovedSource("from", "bob@outside.example")


def since():
    return now() - timedelta(minutes=5)


def test_the_third_move_in_a_row_is_a_habit(user):
    for _time in range(ENOUGH - 1):
        move_habits.note(user, [BOB], "Work")
    assert move_habits.suggestion(user, since()) is None
    move_habits.note(user, [MovedSource("from", "BOB@outside.example")], "Work")
    found = move_habits.suggestion(user, since())
    assert found is not None and (found.value, found.mailbox) == ("bob@outside.example", "Work")
    move_habits.note(user, [BOB], "Work")
    assert move_habits.suggestion(user, since()) is None  # not at every move from then on


def test_a_move_elsewhere_begins_anew(user):
    for folder in ("Work", "Work", "Other", "Work", "Work"):
        move_habits.note(user, [BOB, MovedSource("list", "maths.example")], folder)
    assert move_habits.suggestion(user, since()) is None


def test_what_is_declined_is_never_suggested_again(user):
    other = User.create(address="eve@lycee.example", local="eve", domain="lycee.example")
    for _time in range(ENOUGH):
        move_habits.note(user, [BOB], "Work")
    found = move_habits.suggestion(user, since())
    assert found is not None and not move_habits.decline(other, found.id) and not move_habits.decline(user, 2**70)
    assert move_habits.decline(user, found.id)
    for folder in ("Other", *["Work"] * ENOUGH):
        move_habits.note(user, [BOB], folder)
    assert move_habits.suggestion(user, since()) is None and move_habits.suggestion(other, since()) is None


def test_habits_do_not_grow_without_end(user, monkeypatch):
    monkeypatch.setattr(move_habits, "_MOST", 3)
    for number in range(6):
        move_habits.note(user, [MovedSource("from", f"p{number}@x.example"), MovedSource("from", "x" * 300)], "Work")
    assert {row.value for row in user.move_habits} == {f"p{number}@x.example" for number in (3, 4, 5)}


def test_marks_are_counted_by_the_week(user):
    JunkWeek.create(user=user, monday=now().date() - timedelta(weeks=20), junk=9)
    junk_weeks.note(user, junk=2)
    junk_weeks.note(user, ham=1, junk=1)
    [week] = junk_weeks.latest(user)
    assert (week.junk, week.ham, week.monday.weekday()) == (3, 1, 0)
    assert JunkWeek.select().where(JunkWeek.user == user).count() == 1  # the old one is forgotten


def test_what_stands_in_the_names_of_other_lists_names_none():
    """The filter asks whether List-Id contains it, and anybody can write one."""
    for one in ("maths.list.example", "a-b_c.3=x.lycée.example"):
        assert move_habits.names_list(one)
    for one in (
        "",
        "e",
        ".",
        "list",
        "a.b",
        ".example",
        "list.example.",
        "two words.example",
        "a..example",
        "x" * 400 + ".example",
    ):
        assert not move_habits.names_list(one), one
    assert not move_habits.names_list("a." * 100_000)  # in linear time
