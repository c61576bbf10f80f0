"""Authentication-Results: whose are believed, and what they mean."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.headers import authentication
from webmail.mime.headers.authentication import Verdict, aligned, judge, results_in

US = "mx.lycee.example"


def verdict(*values: str, domain: str = "far.example", server: str = US) -> str:
    block = "".join(f"Authentication-Results: {value}\r\n" for value in values).encode()
    return judge(results_in(block), server, domain).verdict.value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("dmarc=pass header.from=far.example", "genuine"),
        ("dmarc=pass (p=none dis=none) header.from=far.example", "genuine"),
        ("dmarc=pass policy.published-domain-policy=none header.from=far.example", "genuine"),
        ("dmarc=pass header.from=evil.example", "unverified"),
        ("dmarc=fail (p=reject) header.from=far.example; dkim=pass header.d=far.example", "failed"),
        ("dmarc=none; dkim=pass header.d=far.example", "genuine"),
        ("dkim=pass header.i=@mail.far.example", "genuine"),
        ("dkim=pass header.d=evil.example", "unverified"),
        ("spf=pass smtp.mailfrom=bounce@far.example", "genuine"),
        ("spf=pass smtp.mailfrom=bounce@sender.example", "unverified"),
        ("spf=fail smtp.mailfrom=far.example", "failed"),
        ("spf=softfail smtp.mailfrom=far.example", "unverified"),
        ("spf=fail smtp.mailfrom=far.example; dkim=pass header.d=far.example", "genuine"),  # forwarded
        ("spf=pass smtp.mailfrom=list.example; dkim=fail header.d=far.example", "unverified"),  # a mailing list
        ("spf=none; dkim=fail header.d=far.example", "failed"),
        ("spf=neutral; dkim=none; dmarc=none", "unverified"),
        ("spf=temperror smtp.mailfrom=far.example", "unverified"),
        ("arc=pass (i=1 spf=pass)", "unverified"),
        ("none", "unverified"),
        ("", "unverified"),
        ("dkim", "unverified"),
        ("dkim=pass (a \\) ; ( nested ; ) comment) header.d=far.example", "genuine"),
        ("dkim=broken=broken; spf=pass smtp.mailfrom=far.example", "genuine"),
        ('dkim=pass reason="a;b" header.d=far.example', "genuine"),
        ("DKIM=PASS header.d=FAR.example", "genuine"),
        ("(dmarc=pass header.from=far.example)", "unverified"),
        ('x-note=pass reason="; dmarc=pass"', "unverified"),
    ],
)
def test_what_results_mean(value: str, expected: str) -> None:
    assert verdict(f"{US}; {value}") == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["evil.example; dmarc=pass header.from=far.example"], "unverified"),
        ([f"x{US}; dmarc=pass header.from=far.example"], "unverified"),
        ([f"{US}.evil.example; dmarc=pass header.from=far.example"], "unverified"),
        ([f"{US} evil x; dmarc=pass header.from=far.example"], "unverified"),
        ([f"{US} 1; dmarc=pass header.from=far.example"], "genuine"),
        ([f"{US.upper()}; dmarc=pass header.from=far.example"], "genuine"),
        ([f"(by) {US}; dmarc=pass header.from=far.example"], "genuine"),
        ([f"{US}; dmarc=fail", f"{US}; dmarc=pass header.from=far.example"], "failed"),  # the sender's lies below ours
        ([f"{US}; dkim=none", f"{US}; dmarc=pass header.from=far.example"], "unverified"),  # two are never read as one
        ([f"{US}; dmarc=pass header.from=far.example", f"{US}; dkim=none"], "genuine"),  # OpenDMARC's above OpenDKIM's
        (["other.example; dmarc=fail", f"{US}; dmarc=pass header.from=far.example"], "genuine"),
    ],
)
def test_only_our_server_is_believed(values: list[str], expected: str) -> None:
    assert verdict(*values) == expected


def test_without_a_name_nobody_is_believed() -> None:
    assert verdict("; dmarc=pass header.from=far.example", server="") == "unverified"


def test_what_lies_further_down_is_not_ours() -> None:
    passed = f"Authentication-Results: {US}; dmarc=pass header.from=far.example\r\n".encode()
    lmtp = b"Received: from mx ([10.1.1.1])\r\n\tby store with LMTP\r\n\tid 1; date\r\n"
    loopback = b"Received: from filter (localhost [127.0.0.1])\r\n\tby mx with ESMTP id 2; date\r\n"
    outside = b"Received: from localhost (evil.example [198.51.100.9])\r\n\tby mx (Postfix) with ESMTPS id 3; date\r\n"

    def verdict_below(*received: bytes, hops: int = 0) -> str:
        return judge(results_in(b"".join(received) + passed), US, "far.example", hops=hops).verdict.value

    assert verdict_below() == "genuine"
    assert verdict_below(lmtp, loopback) == "genuine"  # handed over within the house
    assert verdict_below(lmtp, outside) == "unverified"  # it came with the message, while what should have removed it was away
    assert verdict_below(lmtp, outside, hops=1) == "genuine"  # the administrator says that ours stands there
    assert verdict_below(lmtp, outside, outside, hops=1) == "unverified"
    ours = f"Authentication-Results: {US}; spf=none\r\n".encode()
    assert judge(results_in(ours + lmtp + passed), US, "far.example").verdict is Verdict.UNVERIFIED


@pytest.mark.parametrize(
    ("received", "kind"),
    [
        ("from mx ([10.0.0.1]) by store with LMTP id 1; date", "handed-over"),
        ("by mail.lycee.example (Postfix, from userid 33) id 1; date", "handed-over"),
        ("from localhost (localhost [127.0.0.1]) by mx (Postfix) with ESMTP id 1", "handed-over"),
        ("from x ([IPv6:::1]) by mx with ESMTP id 1", "handed-over"),
        (
            "from phone (x [198.51.100.9]) (using TLSv1.3 with cipher TLS_AES_256 (256/256 bits)) by mx (Postfix) with ESMTPSA id 1",
            "signed-in",
        ),
        ("from phone ([127.0.0.1]) by mx with ESMTPA id 1", "signed-in"),
        ("from printer (x [192.168.1.9]) by mx with ESMTP id 1", "near"),
        (
            "from evil (x [198.51.100.9]) (using TLSv1.3 with cipher TLS_AES_256 (256/256 bits)) by mx (Postfix) with ESMTPS id 1",
            "outside",
        ),
        ("from [127.0.0.1] (x [198.51.100.9]) by mx with ESMTP id 1", "outside"),
        ("from x([127.0.0.1]) (x [198.51.100.9]) by mx with ESMTP id 1", "outside"),
        ("from x (with LMTP) (x [198.51.100.9]) by mx with ESMTP id 1 for <with@LMTP.example>", "outside"),
        ("from a by b; date", "outside"),
        ("", "outside"),
        ("[" * 100_000, "outside"),
    ],
)
def test_how_a_message_came(received: str, kind: str) -> None:
    assert authentication.arrival(received).value == kind


ALICE, BOB = "alice@lycee.example", "bob@lycee.example"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"auth=pass (login) smtp.auth={BOB} smtp.mailfrom={BOB} header.from={BOB}", "genuine"),
        (f"auth=pass smtp.auth={BOB.upper()} header.from={BOB}", "genuine"),
        (f"auth=pass smtp.auth={BOB}", "genuine"),  # it names no From: the owner of ours had signed in
        (f"auth=pass smtp.auth={ALICE} header.from={BOB}", "unverified"),
        (f"auth=pass smtp.auth={ALICE} smtp.mailfrom={ALICE} header.from={ALICE}", "unverified"),
        (f"auth=pass smtp.auth={BOB} header.from={ALICE}", "unverified"),
        (f"auth=pass smtp.auth={ALICE} header.from={BOB}; dmarc=pass header.from=lycee.example", "unverified"),
        (f"auth=pass smtp.auth={ALICE}; auth=pass smtp.auth={BOB}", "unverified"),
        (f"auth=pass header.from={BOB}", "unverified"),
        (f"auth=fail smtp.auth={BOB} header.from={BOB}", "unverified"),
        ("auth=none", "unverified"),
        (f"auth=none smtp.mailfrom=<>; dkim=pass header.i=@lycee.example header.from={BOB}", "genuine"),
        ("dmarc=pass header.from=lycee.example", "genuine"),
        (f"spf=pass smtp.mailfrom={BOB}", "genuine"),
        (f"spf=pass smtp.mailfrom={ALICE}", "unverified"),  # a colleague's own address passes as well
        ("spf=pass smtp.mailfrom=lycee.example", "unverified"),
        ("spf=pass smtp.helo=lycee.example", "unverified"),
        ("dkim=pass header.d=lycee.example", "genuine"),
        (f"dkim=pass header.i={ALICE}", "unverified"),
    ],
)
def test_one_of_our_own_people(value: str, expected: str) -> None:
    found = judge(((0, f"{US}; {value}"),), US, BOB, personal=True)
    assert found.verdict.value == expected
    assert found.borrowed is ("auth=pass" in value and expected != "genuine")


def test_an_account_may_own_several_addresses() -> None:
    value = ((0, f"{US}; auth=pass smtp.auth={ALICE} header.from=office@lycee.example"),)
    owns = {(ALICE, "office@lycee.example")}.__contains__
    assert judge(value, US, "office@lycee.example", owns=lambda login, address: owns((login, address))).verdict is Verdict.GENUINE
    assert judge(value, US, "office@lycee.example").verdict is Verdict.UNVERIFIED


def test_each_check_is_told_with_its_domain() -> None:
    block = (
        f"Authentication-Results: {US}; dkim=fail header.d=a.example; dkim=pass header.d=b.example; spf=pass smtp.helo=c.example"
    )
    checks = judge(results_in(block.encode()), US, "b.example").checks
    assert [(c.method, c.result, c.domain) for c in checks] == [
        ("dkim", "fail", "a.example"), ("dkim", "pass", "b.example"), ("spf", "pass", "c.example"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ("a.example", "a.example", True), ("mail.a.example", "a.example", True), ("a.example", "mail.a.example", True),
        ("ba.example", "a.example", False), ("", "", False), ("example", "a.example", False), ("b.example", "a.example", False),
    ],
)  # fmt: skip
def test_alignment(one: str, other: str, fits: bool) -> None:
    assert aligned(one, other) is fits


@pytest.mark.parametrize(
    "hostile",
    [
        "(" * 1_000_000,
        "(" * 500_000 + ")" * 500_000,
        "dkim=pass;" * 100_000,
        'dkim=pass reason="' + "\\a" * 500_000,
        " " * 1_000_000,
        "\r\n " * 300_000,
        "\\" * 1_000_000,
        '"' * 1_000_001,
        "a=" * 500_000,
        "dkim=pass " + "header.d=x " * 100_000,
        "\x00\xff" * 1000,
    ],
)
def test_hostile_headers_cost_little(hostile: str) -> None:
    block = f"Authentication-Results: {US}; {hostile}\r\n".encode("latin-1") * 3
    with cpu_seconds(0.5):
        judge(results_in(block), US, "far.example")


def test_a_hundred_headers_are_read_in_no_time() -> None:
    block = f"Authentication-Results: {US}; {'dkim=pass header.d=x.example; ' * 100}\r\n".encode() * 100
    with cpu_seconds(1):
        judge(results_in(block), US, "far.example")
