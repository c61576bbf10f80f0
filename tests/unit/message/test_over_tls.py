"""Whether a message came over TLS: what our own server wrote of its last way, and nothing that a sender can write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.received import message
from webmail.config.settings import Settings
from webmail.mail import Address
from webmail.message import sender_check
from webmail.mime.headers import headers
from webmail.models import User

SETTINGS = Settings(domain="lycee.example", authserv_id="lycee.example")
LMTP = "Received: from mail.lycee.example by mail.lycee.example with LMTP id 1\r\n"
RESULTS = "Authentication-Results: lycee.example; spf=pass smtp.mailfrom=far.example\r\n"
FORGED_RESULTS = "Authentication-Results: lycee.example; dmarc=pass\r\n"


def received(protocol: str, near: str = "mail.far.example [203.0.113.7]", details: str = "") -> str:
    return f"Received: from far.example ({near})\r\n\t{details}by mail.lycee.example (Postfix) with {protocol} id 2\r\n"


TLS = received("ESMTPS", details="(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n\t")
CLEAR = received("ESMTP")


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (LMTP + RESULTS + TLS, True),
        (LMTP + RESULTS + CLEAR, False),
        (LMTP + RESULTS + received("UTF8SMTPS"), True),
        (LMTP + RESULTS + received("ESMTPSA"), True),
        # our own machine hands mail in without TLS: nobody else can read there
        (LMTP + RESULTS + received("ESMTPA", "localhost [127.0.0.1]"), None),
        (LMTP + RESULTS + received("ESMTP", "localhost [127.0.0.1]") + TLS, None),
        (LMTP + RESULTS + received("ESMTP", "gateway [10.1.2.3]") + TLS, None),
        (LMTP + RESULTS, None),
        # what the sender wrote below ours, or without results of ours, counts for nothing
        (LMTP + RESULTS + CLEAR + TLS, False),
        (LMTP + RESULTS + CLEAR + FORGED_RESULTS + TLS, False),
        (LMTP + TLS, None),
        (LMTP + CLEAR + FORGED_RESULTS + TLS, None),
        (RESULTS.replace("lycee.example", "elsewhere.example") + TLS, None),
        # the client's name can hold no space, and a comment is none of ours
        (
            LMTP + RESULTS + "Received: from x(by.with.ESMTPS (x [203.0.113.7])\r\n by mail.lycee.example with SMTP id 2\r\n",
            False,
        ),
        (LMTP + RESULTS + received("ESMTP", "with ESMTPS by [203.0.113.7]"), False),
        ("", None),
    ],
)
def test_what_is_said_of_the_last_way(alice: User, way: str, expected: bool | None) -> None:
    found = replace(message(Address("Far", "far@far.example")), trace=headers.trace(b"", way.encode()))
    assert sender_check.judge(found, alice, SETTINGS).over_tls is expected
    assert sender_check.judge(found, alice, replace(SETTINGS, authserv_id="")).over_tls is None


def test_behind_a_filter_of_ours_the_hop_before_it_counts(alice: User) -> None:
    way = received("ESMTP", "filter [192.168.1.5]") + RESULTS + TLS
    found = replace(message(Address("Far", "far@far.example")), trace=headers.trace(b"", way.encode()))
    assert sender_check.judge(found, alice, replace(SETTINGS, authserv_hops=1)).over_tls is True
    assert sender_check.judge(found, alice, SETTINGS).over_tls is None
