"""Whom a message may go to: one address once, slips of the keyboard."""

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.compose.recipients import recipients
from webmail.compose.recipients.recipients import corrected, likely_typos, one_slip, with_ticks, without_repetition
from webmail.errors import ServerAwayError
from webmail.mail import Address, Draft, Identity
from webmail.models import Correspondent


def write_to(user, address, name="", count=1):
    Correspondent.create(user=user, address=address, name=name, count=count)


# --- one address once ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("a@x.example, A@X.example", "", ""), ("a@x.example", "", "")),
        (("a@x.example", "Ann <a@x.example>, b@x.example", "b@x.example"), ("a@x.example", "Ann <a@x.example>, b@x.example", "")),
        (("a@bücher.example; a@xn--bcher-kva.example", "", ""), ("a@bücher.example", "", "")),
        (("a@x.example,, b@x.example ;", "", "c"), ("a@x.example,, b@x.example ;", "", "c")),
        (('"Girard, Bob" <b@x.example>, b@x.example', "", ""), ('"Girard, Bob" <b@x.example>', "", "")),
        (("bob, bob", "not an address", "not an address"), ("bob, bob", "not an address", "not an address")),
    ],
)
def test_each_address_stays_once_in_the_first_field_that_has_it(before, after):
    if "Ann <a@x.example>" in after[1]:
        after = (after[0], "b@x.example", after[2])
    fields = dict(zip(recipients.FIELDS, before, strict=True))
    assert tuple(without_repetition(fields).values()) == after


def test_ticks_change_only_the_people_of_the_page():
    lists = {"to": "Ann <ann@x.example>, other@x.example", "cc": "bob@x.example", "bcc": "half typed"}
    shown = ["Ann <ann@x.example>", "Bob <bob@x.example>", "Carl <carl@x.example>"]
    ticked = {"to": ["Carl <carl@x.example>"], "cc": ["Bob <bob@x.example>"], "bcc": ["stranger@x.example"]}
    assert with_ticks(lists, shown, ticked) == {
        "to": "other@x.example, Carl <carl@x.example>", "cc": "bob@x.example", "bcc": "half typed",
    }  # fmt: skip


# --- slips -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "close"),
    [
        ("gmial.com", "gmail.com", True),
        ("gmai.com", "gmail.com", True),
        ("gmaill.com", "gmail.com", True),
        ("gnail.com", "gmail.com", True),
        ("gmail.co", "gmail.com", True),
        ("gmail.com", "gmail.com", False),
        ("gmial.co", "gmail.com", False),
        ("mgial.com", "gmail.com", False),
        ("", "gmail.com", False),
        ("", "a", True),
    ],
)
def test_a_slip_is_one_letter_or_two_that_changed_places(one, other, close):
    assert one_slip(one, other) is close
    assert one_slip(other, one) is close


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("bob@gmial.com", "bob@gmail.com"),
        ("Bob <bob@hotmial.fr>", "bob@hotmail.fr"),
        ("bob@LAPOSTE.NETT", "bob@laposte.net"),
        ("bob@lyce.example", "bob@lycee.example"),
        ("bob@ymail.com", None),
        ("bob@mail.com", None),
        ("bob@friend.example", None),
        ("bob@freind.example", "bob@friend.example"),
        ("bob@wanadoo.rf", "bob@wanadoo.fr"),
        ("bob@hotmail.con", "bob@hotmail.com"),
        ("bob@gmail", "bob@gmail.com"),
        ("bob@orange", "bob@orange.fr"),
        ("bob@lycee", "bob@lycee.example"),
        ("bob@gmail.fr", "bob@gmail.com"),
        ("bob@mail.gmail.fr", None),
        ("bob@hotmail.de", None),
        ("bob@serveur", None),
        ("bob", None),
        ("bob@", None),
    ],
)
def test_a_domain_one_slip_from_a_known_one_is_pointed_out(alice, settings, typed, meant):
    write_to(alice, "ann@friend.example")
    found = likely_typos(alice, [typed, ""], settings)
    assert [slip.meant for slip in found] == ([meant] if meant else [])
    if meant:
        assert recipients.keys_in(corrected(typed, found)) == {meant}


def test_a_domain_that_one_has_written_to_is_no_slip(alice, bob, settings):
    write_to(bob, "x@gmial.com")
    assert likely_typos(alice, ["bob@gmial.com"], settings)
    write_to(alice, "x@gmial.com")
    assert likely_typos(alice, ["bob@gmial.com"], settings) == []


def test_only_the_address_itself_is_corrected(alice, settings):
    text = '"bob@gmial.com!" <bob@gmial.com>, bob@gmial.com.example, xbob@gmial.com'
    found = [recipients.LikelyTypo("bob@gmial.com", "bob@gmail.com")]
    assert corrected(text, found) == '"bob@gmial.com!" <bob@gmail.com>, bob@gmial.com.example, xbob@gmial.com'


# --- letters beyond ASCII --------------------------------------------------------------------------------------------


def draft_to(*emails):
    return Draft(Identity("A", "a@x.example"), to=tuple(Address("", email) for email in emails))


@pytest.mark.parametrize(("offered", "expected"), [(True, []), (False, ["élise@x.example"])])
def test_accents_before_the_at_need_the_servers_support(monkeypatch, offered, expected):
    asked = []
    monkeypatch.setattr(recipients.smtp, "offers", lambda account, extension: asked.append(extension) or offered)
    assert recipients.unsendable(draft_to("b@bücher.example"), None) == [] and asked == []
    assert recipients.unsendable(draft_to("b@x.example", "élise@x.example"), None) == expected
    assert asked == ["smtputf8"]


def test_a_server_that_is_away_is_asked_when_it_sends(monkeypatch):
    def away(account, extension):
        raise ServerAwayError("gone")

    monkeypatch.setattr(recipients.smtp, "offers", away)
    assert recipients.unsendable(draft_to("élise@x.example"), None) == []


def test_a_field_full_of_slips_takes_no_time(alice, settings):
    text = ", ".join(f"b{n}@gmial.com" for n in range(6_000))
    with cpu_seconds(3):
        found = likely_typos(alice, [text] * 3, settings)
        assert len(found) == recipients.MOST_SLIPS
        assert corrected(text, found).startswith("b0@gmail.com, b1@gmail.com, ")
