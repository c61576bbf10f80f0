"""Whom one is offered while typing: by how often and how lately, whatever the accents; nobody of somebody else's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.collections import store as collections
from webmail.compose.recipients import recipients
from webmail.compose.recipients.suggestions import find, suggest, warm_up
from webmail.contacts import completion_rows
from webmail.contacts import store as contacts
from webmail.database.connection import db
from webmail.filters.senders import sender_change
from webmail.mime.formats.cards.vcard_edit import ContactDetails, ContactPoint
from webmail.models import Acquaintance, BlockedSenders, CollectionShare, Correspondent, User, now
from webmail.people import blocked
from webmail.people.suggestions import account_rows, met_rows, remembered, search_rows
from webmail.people.suggestions.met_rows import HALF_LIFE, weight_now, weight_of


def write_to(user, address, name="", count=1, days=0, **more):
    Correspondent.create(user=user, address=address, name=name, count=count, last=now() - timedelta(days=days), **more)


def wrote(user, address, name="", count=1, **more):
    Acquaintance.create(user=user, address=address, name=name, count=count, **more)


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


@pytest.mark.parametrize("words", ["", "  ", '"', "ie", "elo zzz", "odie zzz", "%", "_", "%lo", "\\", "\0", "lo"])
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


def test_who_is_forgotten_while_another_is_taken_back_is_not_offered(alice, settings):
    write_to(alice, "anne@x.example", "Anne")
    write_to(alice, "anna@x.example", "Anna")
    remembered.forget(alice, "anne@x.example")
    assert emails(suggest(alice, "ann", settings)) == ["anna@x.example"]
    remembered.take_back(alice, "anne@x.example")
    remembered.forget(alice, "anna@x.example")
    assert emails(suggest(alice, "ann", settings)) == ["anne@x.example"]


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
        with cpu_seconds(0.5, words):
            suggest(alice, words, settings)


# --- order -----------------------------------------------------------------------------------------------------------


def test_who_was_written_to_lately_and_often_comes_first(alice, settings):
    write_to(alice, "kari@fjord.example", "Kari Nordmann", 151, days=20)
    write_to(alice, "kari@old.example", "Kari", 200, days=1500)
    write_to(alice, "kari@new.example", "Kari", 2)
    assert emails(suggest(alice, "kari", settings)) == ["kari@fjord.example", "kari@new.example", "kari@old.example"]
    assert emails(suggest(alice, "nord", settings)) == ["kari@fjord.example"]


def test_a_message_written_weighs_as_ten_received_and_two_months_make_a_half(alice, settings):
    today = now().date()
    assert weight_now(weight_of(1, today)) == pytest.approx(1)
    assert weight_now(weight_of(1, today - timedelta(days=HALF_LIFE))) == pytest.approx(0.5)
    wrote(alice, "anne@loud.example", "Anne", 9)
    write_to(alice, "anne@dear.example", "Anne", 1)
    wrote(alice, "anne@louder.example", "Anne", 12)
    assert emails(suggest(alice, "anne", settings)) == ["anne@louder.example", "anne@dear.example", "anne@loud.example"]


def test_contacts_nobody_writes_to_stand_behind_who_is_written_to(alice, settings):
    for number in range(9):
        contacts.add(alice, ContactDetails(name=f"Kari {number}", emails=(ContactPoint(f"k{number}@x.example"),)))
    write_to(alice, "kari@fjord.example", "Kari Nordmann", 151)
    wrote(alice, "kari@seen.example", "Kari", 3)
    found = emails(suggest(alice, "kari", settings))
    assert found[0] == "kari@fjord.example" and "kari@seen.example" not in found
    assert len(found) == 8


def test_words_inside_an_address_are_found_after_all_others(alice, settings):
    write_to(alice, "jdurand@x.example", "", 99)
    colleague("lea@lycee.example", "Léa Durand")
    assert emails(suggest(alice, "durand", settings)) == ["lea@lycee.example", "jdurand@x.example"]
    assert suggest(alice, "du", settings)[0].email == "lea@lycee.example" and len(suggest(alice, "du", settings)) == 1


def test_who_was_forgotten_is_not_offered(alice, settings):
    write_to(alice, "gone@x.example", "Gone", 9, hidden=now())
    wrote(alice, "gone.too@x.example", "Gone", 9, hidden=now())
    assert suggest(alice, "gone", settings) == []


def test_nobody_sees_who_wrote_to_another(alice, bob, settings):
    wrote(bob, "secret@x.example", "Secret")
    assert suggest(alice, "secret", settings) == []


def contact(user, name, *emails):
    return contacts.add(user, ContactDetails(name=name, emails=tuple(ContactPoint(email) for email in emails)))


@pytest.mark.parametrize(
    ("words", "order"),
    [
        # lately before often last year; contacts before colleagues; the beginning of a name or address before a domain
        ("pa", ["Parents", "paul@x.example", "pat@x.example", "pascal@x.example", "paula@lycee.example", "zoe@parc.example"]),
        ("paul", ["paul@x.example", "paula@lycee.example"]),
        ("dupont", ["pat@x.example", "paula@lycee.example", "jdupont@x.example"]),  # in the midst of an address: last
        ("péré", ["emile@x.example", "bob@lycee.example"]),  # accents
        ("PERE", ["emile@x.example", "bob@lycee.example"]),
        ("pat@", ["pat@x.example"]),
        ("o'bri", ["pascal@x.example"]),
        ("émile per", ["emile@x.example"]),
        # a contact that was written to a month ago before somebody who was written to once, yesterday
        (
            "x.ex",
            ["emile@x.example", "paul@x.example", "pat@x.example", "zed@x.example", "jdupont@x.example", "pascal@x.example"],
        ),
    ],
)
def test_the_best_comes_first(alice, bob, settings, words, order):
    write_to(alice, "paul@x.example", "Paul", 1, days=1)
    write_to(alice, "pascal@x.example", "Pascal O'Brien", 60, days=320)
    contact(alice, "Pat Dupont", "pat@x.example")
    contact(alice, "Zoé", "zoe@parc.example")
    contact(alice, "Émile Péret", "emile@x.example")
    write_to(alice, "emile@x.example", "Emile", 1, days=30)
    write_to(alice, "jdupont@x.example", "", 2, days=90)
    colleague("paula@lycee.example", "Paula Dupont")
    User.update(name="Bob Pérec").where(User.id == bob.id).execute()
    parents = contact(alice, "Zed", "zed@x.example")
    contacts.add(alice, ContactDetails(name="Parents", group=True, members=(contacts.details(parents).uid,)))
    assert [one.email or one.name for one in suggest(alice, words, settings)] == order


def test_one_person_in_a_book_the_directory_and_letters_is_one_row_with_the_name_of_the_book(alice, bob, settings):
    contact(alice, "Bobby from next door", bob.address)
    write_to(alice, bob.address, "Robert", 3)
    wrote(alice, bob.address, "B.", 3)
    [found] = suggest(alice, "bob", settings)
    assert (found.name, found.email, found.times) == ("Bobby from next door", bob.address, 3)


def test_what_changes_is_found_at_the_next_keystroke(alice, settings):
    one = contact(alice, "Before", "one@x.example")
    assert emails(suggest(alice, "befo", settings)) == ["one@x.example"]
    contacts.change(alice, one, replace(contacts.details(one), name="After", given="", family=""), one.revision)
    assert suggest(alice, "befo", settings) == [] and emails(suggest(alice, "after", settings)) == ["one@x.example"]
    contacts.remove(alice, [one.uid])
    assert suggest(alice, "after", settings) == []
    write_to(alice, "two@x.example", "After")
    assert emails(suggest(alice, "after", settings)) == ["two@x.example"]


def test_groups_leave_room_for_people(alice, settings):
    for number in range(12):
        member = contact(alice, f"Classe {number}", f"c{number}@x.example")
        group = ContactDetails(name=f"Classe groupe {number}", group=True, members=(contacts.details(member).uid,))
        contacts.add(alice, group)
    found = suggest(alice, "classe", settings)
    assert [bool(one.group) for one in found] == [True] * 4 + [False] * 4


def test_a_shared_book_is_searched_as_long_as_it_is_shared(alice, bob, settings):
    book = collections.default_collection(bob, collections.BOOK)
    contact(bob, "Plumber", "plumber@x.example")
    assert suggest(alice, "plumb", settings) == []
    share = CollectionShare.create(collection=book, user=alice, rights="read")
    assert emails(suggest(alice, "plumb", settings)) == ["plumber@x.example"]
    share.delete_instance()
    assert suggest(alice, "plumb", settings) == []


def test_memory_is_bounded(monkeypatch, alice, bob, settings):
    monkeypatch.setattr(search_rows.kept, "_most", 3)
    for user in (alice, bob):
        for number in range(3):
            contact(user, f"Anne {number}", f"anne{number}@x.example")
        assert len(suggest(user, "anne", settings)) == 3
    assert sum(len(rows) for _version, rows in search_rows.kept._lists.values()) <= 3


def test_who_is_blocked_is_suggested_no_more(alice):
    write_to(alice, "pest@x.example", "Pest")
    sender_change._suggest(alice, [("pest@x.example", "", "blocked"), ("@y.example", "", "blocked")])
    assert Correspondent.get(Correspondent.address == "pest@x.example").hidden
    sender_change._suggest(alice, [("pest@x.example", "blocked", "")])
    assert not Correspondent.get(Correspondent.address == "pest@x.example").hidden


# --- blocked people --------------------------------------------------------------------------------------------------


def test_who_is_blocked_is_not_offered_wherever_they_are_known(alice, bob, settings):
    contacts.add(alice, ContactDetails(name="Elise Kept", emails=(ContactPoint("elise.kept@bad.example"),)))
    contacts.add(alice, ContactDetails(name="Elise Gone", emails=(ContactPoint("elise.gone@bad.example"),)))
    contacts.add(
        alice, ContactDetails(name="Elise Two", emails=(ContactPoint("elise@two.example"), ContactPoint("elise@three.example")))
    )
    write_to(alice, "elise@met.example", "Elise Met")
    colleague("elise@lycee.example", "Elise Colleague")
    entries = ("@bad.example", "elise@two.example", "elise@met.example", "elise@lycee.example", "@xn--bcher-kva.example")
    blocked.sync_copy(alice, entries, ("elise.kept@bad.example", "other@safe.example"))
    assert emails(suggest(alice, "elise", settings)) == ["elise.kept@bad.example", "elise@three.example"]
    assert len(find(alice, "elise", settings)) == 6  # where one looks for somebody, everybody is there
    assert blocked.for_user(bob) == blocked.NOBODY
    contacts.add(alice, ContactDetails(name="Elise Book", emails=(ContactPoint("elise@bücher.example"),)))
    assert "elise@bücher.example" not in emails(suggest(alice, "elise", settings))
    blocked.sync_copy(alice, (), ())
    assert len(suggest(alice, "elise", settings)) == 7


def test_many_blocked_people_hide_nobody_else(alice, settings):
    for number in range(30):
        contacts.add(alice, ContactDetails(name=f"Anna {number:02}", emails=(ContactPoint(f"a{number:02}@bad.example"),)))
    contacts.add(alice, ContactDetails(name="Anna Z", emails=(ContactPoint("anna@good.example"),)))
    blocked.sync_copy(alice, ("@bad.example",), ())
    assert emails(suggest(alice, "anna", settings)) == ["anna@good.example"]


def test_the_copy_is_written_only_when_it_changes(alice, monkeypatch):
    blocked.sync_copy(alice, ("b@x.example", "@y.example"), ("c@y.example", "d@z.example"))
    assert blocked.for_user(alice) == blocked.BlockedPeople(frozenset(["b@x.example", "@y.example"]), frozenset(["c@y.example"]))
    monkeypatch.setattr(BlockedSenders, "delete", lambda: pytest.fail("it was the same"))
    blocked.sync_copy(alice, ("@y.example", "b@x.example"), ("c@y.example",))


# --- ready before somebody types -------------------------------------------------------------------------------------


def test_what_is_read_ahead_is_not_read_by_the_first_letter(alice, bob, settings, monkeypatch):
    contacts.add(alice, ContactDetails(name="Zelda Contact", emails=(ContactPoint("zelda@x.example"),)))
    write_to(alice, "zelig@x.example", "Zelig Met")
    monkeypatch.setattr(account_rows, "_SECONDS", 10**10)  # or they might be old right now
    warm_up(alice, settings)
    for module in (account_rows, completion_rows, met_rows):
        monkeypatch.setattr(module, "_read", lambda *_arguments: pytest.fail("read by a letter"))
    assert set(emails(suggest(alice, "zel", settings))) == {"zelda@x.example", "zelig@x.example"}
    assert emails(suggest(alice, "bob", settings)) == [bob.address]
