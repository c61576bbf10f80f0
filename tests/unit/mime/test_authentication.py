"""Authentication-Results: whose are believed, and what they mean."""

from __future__ import annotations

import time

import pytest

from webmail.mime.authentication import Verdict, aligned, judge, results_in

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
        ([f"{US}; dkim=none", f"{US}; dmarc=pass header.from=far.example"], "genuine"),  # OpenDKIM and OpenDMARC write one each
        (["other.example; dmarc=fail", f"{US}; dmarc=pass header.from=far.example"], "genuine"),
    ],
)
def test_only_our_server_is_believed(values: list[str], expected: str) -> None:
    assert verdict(*values) == expected


def test_without_a_name_nobody_is_believed() -> None:
    assert verdict("; dmarc=pass header.from=far.example", server="") == "unverified"


def test_what_lies_further_down_is_not_ours() -> None:
    passed = f"Authentication-Results: {US}; dmarc=pass header.from=far.example\r\n".encode()
    received = b"Received: from a\r\n\tby b; date\r\n"
    assert judge(results_in(received * 2 + passed), US, "far.example").verdict is Verdict.GENUINE  # LMTP's, then Postfix's
    assert judge(results_in(received * 4 + passed), US, "far.example").verdict is Verdict.UNVERIFIED
    ours = f"Authentication-Results: {US}; spf=none\r\n".encode()
    assert judge(results_in(ours + received + passed), US, "far.example").verdict is Verdict.UNVERIFIED


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
    began = time.process_time()
    judge(results_in(block), US, "far.example")
    assert time.process_time() - began < 0.5


def test_a_hundred_headers_are_read_in_no_time() -> None:
    block = f"Authentication-Results: {US}; {'dkim=pass header.d=x.example; ' * 100}\r\n".encode() * 100
    began = time.process_time()
    judge(results_in(block), US, "far.example")
    assert time.process_time() - began < 1
