"""Whom a message may go to: people found, one address once, slips of the keyboard."""

import time
from dataclasses import replace

import pytest

from webmail.compose import recipients
from webmail.compose.recipients import corrected, find, likely_typos, one_slip, suggest, with_ticks, without_repetition
from webmail.database.connection import db
from webmail.errors import ServerAway
from webmail.mail import Address, Draft, Identity
from webmail.models import Correspondent, User


def write_to(user, address, name="", count=1):
    Correspondent.create(user=user, address=address, name=name, count=count)


def colleague(address, name="", active=1):
    local, _, domain = address.partition("@")
    return User.create(address=address, local=local, domain=domain, name=name, active=active)


def emails(people):
    return [person.email for person in people]


# --- people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", ["elo", "Élo", "ELODIE", "coe", "cœur", "elodie.c", "mairie", "elo coe", "coe elo", "elodie.coeur@mairie.exa"]
)
def test_people_are_found_by_the_beginnings_of_their_names_and_addresses(alice, settings, words):
    write_to(alice, "elodie.coeur@mairie.example", "Élodie Cœur")
    write_to(alice, "somebody@x.example", "Somebody Else")
    assert emails(suggest(alice, words, settings)) == ["elodie.coeur@mairie.example"]


@pytest.mark.parametrize("words", ["", "  ", '"', "lodie", "elo zzz", "%", "_", "%lo", "\\", "\0", "airie"])
def test_nothing_is_found_by_other_words(alice, settings, words):
    write_to(alice, "elodie.coeur@mairie.example", "Élodie Cœur")
    assert suggest(alice, words, settings) == []


def test_those_written_to_most_often_come_first_then_the_directory(alice, settings):
    write_to(alice, "marie@x.example", "Marie Rare", 1)
    write_to(alice, "marc@x.example", "Marc Often", 9)
    colleague("manon@lycee.example", "Manon")
    colleague("marius@lycee.example", "Marius", active=0)
    colleague("margot@elsewhere.example", "Margot")
    assert emails(suggest(alice, "ma", settings)) == ["marc@x.example", "marie@x.example", "manon@lycee.example"]
    assert emails(suggest(alice, "ma", replace(settings, directory=False))) == ["marc@x.example", "marie@x.example"]


def test_colleagues_are_found_before_one_has_written_to_anybody(alice, bob, settings):
    assert emails(find(alice, "", settings)) == [alice.address, bob.address]
    assert emails(suggest(alice, "bob", settings)) == [bob.address]


def test_one_person_is_offered_once_with_a_name_wherever_it_is_known(alice, bob, settings):
    write_to(alice, bob.address, "", 3)
    [found] = suggest(alice, "bob", settings)
    assert (found.name, found.email, found.times) == ("Bob", bob.address, 3)


def test_nobody_sees_the_correspondents_of_another(alice, bob, settings):
    write_to(bob, "secret@x.example", "Secret")
    assert suggest(alice, "secret", settings) == []
    assert "secret@x.example" not in emails(find(alice, "", settings))


def test_at_most_eight_are_offered(alice, settings):
    for number in range(12):
        write_to(alice, f"anne{number}@x.example", "Anne")
    assert len(suggest(alice, "anne", settings)) == 8
    assert len(find(alice, "anne", settings)) == 12


def test_a_domain_of_another_alphabet_is_shown_and_found_as_people_read_it(alice, settings):
    write_to(alice, "info@xn--bcher-kva.example", "Librairie")
    [found] = suggest(alice, "info@bü", settings)
    assert found.email == "info@bücher.example"
    assert found.entry == "Librairie <info@bücher.example>"


def test_a_name_that_looks_like_syntax_is_one_entry(alice, settings):
    write_to(alice, "eve@x.example", 'Eve, "boss" <ceo@x.example>')
    [found] = suggest(alice, "eve", settings)
    assert recipients.keys_in(found.entry) == {"eve@x.example"}


def test_ten_thousand_correspondents_stay_quick(alice, settings):
    rows = [
        {"user": alice, "address": f"person{n}@domain{n % 300}.example", "name": f"Élise Durand-{n}", "count": n % 50}
        for n in range(10_000)
    ]
    with db.atomic():
        for start in range(0, len(rows), 1000):
            Correspondent.insert_many(rows[start : start + 1000]).execute()
    for words in ("e", "elise", "durand-99", "person77", "nobody"):
        began = time.process_time()
        suggest(alice, words, settings)
        assert time.process_time() - began < 0.5, words


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
        raise ServerAway("gone")

    monkeypatch.setattr(recipients.smtp, "offers", away)
    assert recipients.unsendable(draft_to("élise@x.example"), None) == []


def test_a_field_full_of_slips_takes_no_time(alice, settings):
    text = ", ".join(f"b{n}@gmial.com" for n in range(6_000))
    started = time.process_time()
    found = likely_typos(alice, [text] * 3, settings)
    assert len(found) == recipients.MOST_SLIPS
    assert corrected(text, found).startswith("b0@gmail.com, b1@gmail.com, ")
    assert time.process_time() - started < 3
