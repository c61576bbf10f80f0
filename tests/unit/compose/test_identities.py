"""As whom people write: which addresses, which signature, which copies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.outbox import bytes_of
from webmail.compose import identities, signatures
from webmail.compose.drafts import draft_message, drafts
from webmail.compose.drafts.fields import Fields, fields_of
from webmail.compose.outbox import queue
from webmail.mail import Address, Envelope, Identity
from webmail.models import AllowedAddress, Outbox, Signature, WritingIdentity

OFFICE = "bourses@lycee.example"
QUOTE = "\n\nOn Monday, Bob wrote:\n> Hello\n> you\n"


@pytest.fixture
def make(alice):
    """`make("Alice", signature="...")`: an identity of Alice's."""
    AllowedAddress.create(user=alice, address=OFFICE)

    def add(name="Alice", address=OFFICE, signature="", **more):
        text = Signature.create(user=alice, name=name, text=signature) if signature else None
        return WritingIdentity.create(user=alice, name=name, address=address, signature=text, **more)

    return add


class TestAddresses:
    def test_a_person_begins_as_their_account(self, alice, settings):
        (only,) = identities.usable(alice, settings)
        assert (only.id, only.address, only.name) == (0, alice.address, alice.name)

    def test_another_address_stands_beside_the_account_and_the_default_comes_first(self, alice, settings, make):
        office = make("Bourses", is_default=True)
        assert [one.id for one in identities.usable(alice, settings)] == [office.id, 0]

    def test_adding_an_identity_of_the_same_address_takes_nothing_away(self, alice, settings, make):
        club = make("Mme Leroy, club échecs", alice.address)
        own, other = identities.usable(alice, settings)
        assert (own.id, own.name, other.id) == (0, alice.name, club.id)

    def test_one_that_was_chosen_as_default_stays_so_beside_the_own_name(self, alice, settings, make):
        mine = make("Mme Leroy", alice.address, is_default=True)
        assert [one.id for one in identities.usable(alice, settings)] == [mine.id, 0]

    def test_only_one_of_the_same_name_and_address_stands_for_the_account(self, alice, settings, make):
        office = make("Bourses")
        itself = make(alice.name, alice.address)
        assert [one.id for one in identities.usable(alice, settings)] == [itself.id, office.id]

    def test_an_account_without_a_name_gives_way_to_a_default_of_its_address(self, alice, settings, make):
        alice.name = ""
        named = make("Alice", alice.address)
        assert [one.id for one in identities.usable(alice, settings)] == [0, named.id]
        named.is_default = True
        identities.save(named, settings)
        assert [one.id for one in identities.usable(alice, settings)] == [named.id]

    def test_a_name_that_the_administrator_changes_is_there_at_once(self, alice, settings, make):
        before = make(alice.name, alice.address, is_default=True)
        alice.name = "Alice Dupont"
        assert [(one.id, one.name) for one in identities.usable(alice, settings)] == [
            (before.id, before.name),
            (0, "Alice Dupont"),
        ]

    def test_an_address_that_was_taken_back_is_not_offered(self, alice, settings, make):
        make("Bourses", is_default=True)
        AllowedAddress.delete().execute()
        assert [one.id for one in identities.usable(alice, settings)] == [0]

    def test_a_foreign_address_is_not_stored(self, alice, settings):
        with pytest.raises(identities.NotYoursError):
            identities.save(WritingIdentity(user=alice, address="proviseur@lycee.example"), settings)
        assert not WritingIdentity.select().exists()

    def test_a_foreign_address_does_not_get_into_the_outbox(self, here, alice, settings):
        row = here.draft()
        head = Identity("Proviseur", "proviseur@lycee.example")
        with pytest.raises(identities.NotYoursError):
            queue.enqueue(row, draft_message.as_draft(row, head, settings), settings, None)
        assert not Outbox.select().exists()

    def test_somebody_elses_permission_is_not_ones_own(self, bob, settings, make):
        assert identities.allowed(bob) == [bob.address]

    def test_where_the_mail_server_decides_any_address_will_do(self, alice, settings):
        identities.check(alice, "anybody@elsewhere.example", replace(settings, any_sender=True))

    def test_there_is_one_default(self, alice, settings, make):
        first, second = make("A", is_default=True), make("B")
        second.is_default = True
        identities.save(second, settings)
        assert [row.id for row in WritingIdentity.select().where(WritingIdentity.is_default)] == [second.id] != [first.id]

    def test_the_account_stays_the_default_when_it_becomes_an_identity(self, alice, settings, make):
        make("Bourses")
        itself = identities.usable(alice, settings)[0]
        assert itself.id == 0
        itself.organisation = "Lycée Ampère"
        identities.save(itself, settings)
        assert identities.usable(alice, settings)[0].organisation == "Lycée Ampère"


class TestChoosing:
    def test_an_answer_is_written_by_the_one_it_was_written_to(self, alice, settings, make):
        office = make("Bourses")
        found = identities.usable(alice, settings)
        to_office = Envelope(to=(Address("", OFFICE.upper()),), cc=(Address("", alice.address),))
        assert identities.answering(found, to_office).id == office.id
        assert identities.answering(found, Envelope(cc=(Address("", OFFICE),))).id == office.id
        assert identities.answering(found, Envelope(to=(Address("", "list@x.example"),))).id == 0

    def test_of_two_with_one_address_the_name_that_was_written_to_answers(self, alice, settings, make):
        club = make("Club échecs", alice.address)
        found = identities.usable(alice, settings)
        assert identities.answering(found, Envelope(to=(Address("Club échecs", alice.address),))).id == club.id
        assert identities.answering(found, Envelope(to=(Address("Leroy", alice.address),))).id == 0

    def test_a_draft_of_another_device_finds_its_identity_by_address_signature_and_name(self, alice, settings, make):
        make("Alice", signature="Physics")
        second = make("Alice", signature="Union")
        found = identities.usable(alice, settings)
        assert identities.matching(found, [Address("Alice", OFFICE)], "Hello\n\n-- \nUnion\n").id == second.id
        assert identities.matching(found, [Address("Bob", "bob@lycee.example")], "").id == 0


class TestSignatures:
    def test_it_stands_below_an_empty_text_and_above_or_below_the_quotation(self, make):
        above, below = make("A", signature="Alice"), make("B", signature="Alice", signature_above=False)
        assert identities.begun(Fields(), above).body == "\n\n-- \nAlice\n"
        assert identities.begun(Fields(body=QUOTE), above).body == "\n\n-- \nAlice\n\nOn Monday, Bob wrote:\n> Hello\n> you\n"
        assert identities.begun(Fields(body=QUOTE), below).body == f"{QUOTE}\n-- \nAlice\n"
        forwarded = "\n\n---------- Forwarded message ----------\nFrom: Bob\n\n> old\n"
        assert identities.begun(Fields(body=forwarded), above).body.startswith("\n\n-- \nAlice\n\n---------- Forwarded")

    def test_changing_the_identity_changes_it_and_nothing_else(self, make):
        one, other = make("A", signature="Alice\nPhysics"), make("B", signature="Union")
        begun = identities.begun(Fields(body=QUOTE), one)
        written = replace(begun, body="Dear Bob,\n\n  indented\n\nBye" + begun.body)
        changed = identities.changed(written, one, other)
        assert changed.body == written.body.replace("Alice\nPhysics", "Union")
        assert changed.identity == other.id
        assert identities.changed(changed, other, one).body == written.body

    @pytest.mark.parametrize("body", ["Hello\n\n-- \nAlice, on leave\n", "Hello\n\n-- \nAlice\nTel. 12 34\n", "Hello\n"])
    def test_one_that_was_changed_or_taken_out_is_left_alone(self, make, body):
        one, other = make("A", signature="Alice"), make("B", signature="Union")
        assert identities.changed(Fields(body=body), one, other).body == body

    def test_it_moves_to_where_the_other_identity_wants_it(self, make):
        above, below = make("A", signature="Alice"), make("B", signature="Union", signature_above=False)
        begun = identities.begun(Fields(body="Hi" + QUOTE), above)
        assert identities.changed(begun, above, below).body == f"Hi{QUOTE}\n-- \nUnion\n"

    def test_from_and_to_an_identity_without_one(self, make):
        signed, bare = make("A", signature="Alice"), make("B")
        begun = identities.begun(Fields(body="Hi"), signed)
        without = identities.changed(begun, signed, bare)
        assert without.body == "Hi\n"
        assert identities.changed(without, bare, signed).body == "Hi\n\n-- \nAlice\n"

    def test_one_that_was_chosen_for_the_message_stays_with_another_identity(self, make):
        one, other, bare = make("A", signature="Alice"), make("B", signature="Union"), make("C")
        chosen = identities.signed_with(identities.begun(Fields(body="Hi" + QUOTE), one), other.signature, one)
        assert identities.changed(chosen, one, other).body == chosen.body
        assert identities.changed(chosen, one, bare).body == chosen.body
        assert identities.changed(chosen, bare, one).body == chosen.body

    @pytest.mark.parametrize("above", [True, False])
    def test_another_takes_its_place_exactly_and_none_takes_it_out(self, make, above):
        one, other = make("A", signature="Alice\n\nPhysics", signature_above=above), make("B", signature="Alice")
        begun = identities.begun(Fields(body="Hi\n\n  indented" + QUOTE), one)
        swapped = identities.signed_with(begun, other.signature, one)
        assert swapped.body == begun.body.replace("Alice\n\nPhysics", "Alice")
        assert identities.signed_with(swapped, one.signature, one).body == begun.body
        without = identities.signed_with(begun, None, one)
        assert "-- " not in without.body and "indented" in without.body and "> you" in without.body
        assert identities.signed_with(without, one.signature, one).body == begun.body
        assert identities.signed_with(without, None, one).body == without.body

    @pytest.mark.parametrize("body", ["Hi\n\n-- \nAlice, on leave\n", "Hi\n\n-- \nAlice\nTel. 12\n", "Hi\n\n-- \n"])
    def test_an_edited_one_is_never_replaced(self, make, body):
        one, other = make("A", signature="Alice"), make("B", signature="Union")
        for signature in (other.signature, one.signature, None):
            with pytest.raises(identities.SignatureEditedError):
                identities.signed_with(Fields(body=body), signature, one)

    def test_the_form_knows_which_one_is_in_the_text(self, alice, make):
        one, other = make("A", signature="Alice"), make("B", signature="Union")
        own = signatures.of_user(alice)
        assert identities.signature_in(identities.begun(Fields(body=QUOTE), other).body, own) == other.signature.id
        assert identities.signature_in("Hi\n\n-- \nAlice, on leave\n", own) is None
        assert identities.signature_in(f"Hi{QUOTE}> -- \n> Bob\n", own) == 0
        assert identities.signature_in("Hi\n\n---------- Forwarded message ----------\n\nYes\n-- \nBob\n", own) == 0
        assert identities.signature_in("", own) == 0 and one.signature

    def test_a_form_that_holds_only_what_it_began_with_is_empty(self, alice, make):
        identity = make("A", signature="Alice", cc="bob@lycee.example")
        row = drafts.new(alice, identities.begun(Fields(), identity))
        assert (row.cc, drafts.is_empty(row)) == ("bob@lycee.example", True)
        drafts.update(row, replace(fields_of(row), body="Hi" + row.body))
        assert not drafts.is_empty(row)
        drafts.update(row, identities.begun(Fields(cc="eve@x.example"), identity))
        assert not drafts.is_empty(row)

    def test_it_is_kept_as_it_comes_back(self, alice):
        assert signatures.tidy("-- \r\n\r\nAlice  \r\nPhysics\t\r\n\x07\r\n") == "Alice\nPhysics"


class TestCopies:
    def test_default_copies_are_filled_in_once(self, make):
        one = make("A", cc="Bob <bob@lycee.example>, eve@x.example", bcc="bob@lycee.example, me@x.example")
        begun = identities.begun(Fields(to="BOB@lycee.example", cc="c@x.example,"), one)
        assert (begun.cc, begun.bcc) == ("c@x.example, eve@x.example", "me@x.example")

    def test_changing_the_identity_takes_its_copies_along_and_leaves_the_others(self, make):
        one, other = make("A", cc="eve@x.example"), make("B", bcc="archive@x.example")
        begun = identities.begun(Fields(cc='"Girard, Bob" <bob@x.example>'), one)
        changed = identities.changed(begun, one, other)
        assert (changed.cc, changed.bcc) == ('"Girard, Bob" <bob@x.example>', "archive@x.example")


def test_the_headers_tell_where_answers_go_and_the_organisation(here, alice, settings, make):
    make("Bourses", reply_to="Équipe <team@x.example>", organisation="Lycée Ampère", is_default=True, sent_mailbox="Bureau")
    identity = identities.of_draft(here.draft(), settings)
    assert identity.sent_mailbox == ""  # the draft is the account's own
    office = identities.noun(identities.usable(alice, settings)[0])
    content = bytes_of(draft_message.as_draft(here.draft(), office, settings)).decode()
    assert f"From: Bourses <{OFFICE}>\r\n" in content
    assert "<team@x.example>\r\n" in content.partition("Reply-To:")[2][:80]
    assert "\r\nOrganization: =?utf-8?" in content
