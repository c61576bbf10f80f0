"""Confirmations of reading: when one is asked for, and where it would go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.received import FAR, message
from webmail.config.settings import Settings
from webmail.mail import Address, Role
from webmail.message import receipts
from webmail.models import User

SETTINGS = Settings(domain="lycee.example")


@pytest.mark.parametrize(
    ("wanted", "more", "asked"),
    [
        ("ask", {}, True),
        ("never", {}, False),
        ("inside", {}, False),
        ("ask", {"receipt_to": ()}, False),
        ("ask", {"receipt_to": (Address("", "nobody"),)}, False),
        ("ask", {"receipt_to": (Address("", "alice@lycee.example"),)}, False),
        ("ask", {"flags": frozenset({"$MDNSent"})}, False),
        ("ask", {"flags": frozenset({"\\Draft"})}, False),
        ("ask", {"list_id": "a.b"}, False),
        ("ask", {"trace": {"bulk": True}}, False),
    ],
)
def test_when_a_confirmation_is_asked_for(alice: User, wanted: str, more: dict[str, Any], asked: bool) -> None:
    one = message(**{"receipt_to": (FAR,), **more})
    assert (receipts.receipt_request(one, alice, wanted, None, SETTINGS) is not None) is asked
    assert receipts.receipt_request(one, alice, wanted, Role.JUNK, SETTINGS) is None


@pytest.mark.parametrize(
    ("to", "return_path", "elsewhere"),
    [(FAR, "ann@far.example", False), (FAR, "", False), (FAR, "bounce@x.example", True), (Address("", "x@x.example"), "ann@far.example", True)],
)  # fmt: skip
def test_where_it_would_go(alice: User, to: Address, return_path: str, elsewhere: bool) -> None:
    one = message(receipt_to=(to,), trace={"return_path": return_path})
    request = receipts.receipt_request(one, alice, "ask", None, SETTINGS)
    assert request is not None
    assert request.elsewhere is elsewhere


@pytest.mark.parametrize(
    ("permanent", "read_only", "keeps"),
    [
        (None, False, True),
        (frozenset({"\\*"}), False, True),
        (frozenset({"\\Seen"}), False, False),
        (frozenset({"\\*"}), True, False),
    ],
)
def test_where_the_answer_can_be_kept(permanent: frozenset[str] | None, read_only: bool, keeps: bool) -> None:
    assert receipts.can_keep(permanent, read_only) is keeps
