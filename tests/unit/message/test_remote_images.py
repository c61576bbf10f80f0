"""Whose remote images are shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from webmail.config.settings import Settings
from webmail.mail import Address, Envelope, Message, Role, Structure
from webmail.message import remote_images
from webmail.message.remote_images import ImageReason
from webmail.models import Correspondent, User
from webmail.people import sender_lists
from webmail.preferences import Preferences


@pytest.fixture
def alice(settings: Settings) -> User:
    return User.create(address="alice@lycee.example", local="alice", domain="lycee.example")


def message(*senders: str) -> Message:
    envelope = Envelope(sender=tuple(Address("", s) for s in senders or ("News@Shop.example",)))
    return Message("INBOX", 1, 1, frozenset(), 1, datetime.now(UTC), envelope, Structure(), remote=1)


def test_a_message_without_remote_images_asks_no_table(alice: User) -> None:
    sender_lists.allow(alice, "news@shop.example")
    assert not remote_images.decide(replace(message(), remote=0), alice, "always", trusted=True).is_displayed


def test_nothing_is_shown_unasked(alice: User) -> None:
    found = remote_images.decide(message(), alice, "ask", trusted=True)
    assert (found.is_displayed, found.sender, found.possible) == (False, "news@shop.example", True)
    assert (
        remote_images.decide(message(), alice, "ask", trusted=False, role=Role.JUNK, is_requested=True).why is ImageReason.ASKED
    )


def test_a_sender_is_allowed_by_the_exact_address(alice: User) -> None:
    bob = User.create(address="bob@lycee.example", local="bob", domain="lycee.example")
    assert sender_lists.allow(alice, " News@Shop.example") and sender_lists.allow(alice, "news@shop.example")
    assert sender_lists.image_senders(alice) == ["news@shop.example"]
    assert remote_images.decide(message(), alice, "ask", trusted=True).why is ImageReason.SENDER
    assert not remote_images.decide(message(), bob, "ask", trusted=True).is_displayed
    assert not remote_images.decide(message("x@shop.example"), alice, "ask", trusted=True).is_displayed
    assert not remote_images.decide(message("news@shop.example", "x@evil.test"), alice, "ask", trusted=True).is_displayed
    sender_lists.forget(bob, "news@shop.example")
    assert remote_images.decide(message(), alice, "ask", trusted=True).is_displayed
    sender_lists.forget(alice, "NEWS@shop.example")
    assert not remote_images.decide(message(), alice, "ask", trusted=True).is_displayed


@pytest.mark.parametrize("choice", ["ask", "known", "always"])
def test_a_sender_who_fails_the_checks_and_junk_show_nothing_by_themselves(alice: User, choice: str) -> None:
    sender_lists.allow(alice, "news@shop.example")
    Correspondent.create(user=alice, address="news@shop.example")
    assert remote_images.decide(message(), alice, choice, trusted=True).is_displayed
    assert not remote_images.decide(message(), alice, choice, trusted=True, slow=True).is_displayed
    for options in ({"trusted": False}, {"trusted": True, "role": Role.JUNK}):
        found = remote_images.decide(message(), alice, choice, **options)  # type: ignore[arg-type]
        assert (found.is_displayed, found.sender) == (False, "")


def test_people_one_has_written_to_and_everybody(alice: User) -> None:
    assert not remote_images.decide(message(), alice, "known", trusted=True).is_displayed
    assert remote_images.decide(message(), alice, "always", trusted=True).why is ImageReason.ALWAYS
    Correspondent.create(user=alice, address="news@shop.example")
    assert remote_images.decide(message(), alice, "known", trusted=True).why is ImageReason.KNOWN
    assert not remote_images.decide(message(), alice, "ask", trusted=True).is_displayed


def test_an_instance_that_fetches_nothing_has_the_last_word(alice: User, settings: Settings) -> None:
    assert remote_images.choice(Preferences(images="always"), settings) == "always"
    assert remote_images.choice(Preferences(), replace(settings, remote_images="known")) == "known"
    assert remote_images.choice(Preferences(images="always"), replace(settings, remote_images="never")) == "never"
    assert remote_images.decide(message(), alice, "never", trusted=True, is_requested=True) == remote_images.ImageDecision(
        possible=False, choice="never"
    )


@pytest.mark.parametrize("address", ["", "x", "a@b\n", "a@" + "b" * 300, "a@b\x00"])
def test_what_is_no_address_is_not_remembered(alice: User, address: str) -> None:
    assert not sender_lists.allow(alice, address) or "\n" in address
    assert sender_lists.image_senders(alice) in ([], ["a@b"])
