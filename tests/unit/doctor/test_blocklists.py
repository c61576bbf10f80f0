"""What the doctor says of blocklists, asked on a real DNS server."""

from __future__ import annotations

from collections.abc import Iterator

import dns.resolver
import pytest

from tests.support.dns_zone import Zone
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING
from webmail.doctor.zone import blocklists

V4, V6 = "192.0.2.10", "2001:db8::1"
V6_NAME = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"


@pytest.fixture
def settings(tmp_path) -> Settings:
    return config.load(tmp_path / "instance", domain="school.fr", server_addresses=f"{V4}, {V6}", server_timeout=3.0)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    with Zone() as zone:
        monkeypatch.setattr(dns.resolver, "default_resolver", zone.resolver())
        yield zone


def told(settings: Settings) -> list[tuple[str, str]]:
    return [(check.state, check.words) for check in blocklists.examine(settings)]


def test_addresses_that_no_list_has_are_well(settings: Settings, zone: Zone) -> None:
    assert [state for state, _words in told(settings)] == [OK, OK]
    assert "10.2.0.192.zen.spamhaus.org" in zone.asked and f"{V6_NAME}.bl.spamcop.net" in zone.asked


def test_a_listed_address_is_a_problem_with_the_page_to_read(settings: Settings, zone: Zone) -> None:
    zone[f"{V6_NAME}.zen.spamhaus.org", "A"] = ["127.0.0.3"]
    (first, _words), (second, words) = told(settings)
    assert (first, second) == (OK, PROBLEM)
    assert f"{V6} is on zen.spamhaus.org (127.0.0.3)" in words and "https://check.spamhaus.org/" in words


def test_a_list_that_refuses_to_say_is_no_listing(settings: Settings, zone: Zone) -> None:
    zone["10.2.0.192.zen.spamhaus.org", "A"] = ["127.255.255.254"]
    assert told(settings)[0] == (
        WARNING, "zen.spamhaus.org does not answer the DNS resolver of this machine: use one of your own.",
    )  # fmt: skip


def test_what_is_answered_by_a_page_of_advertisements_is_no_listing(settings: Settings, zone: Zone) -> None:
    zone["10.2.0.192.bl.spamcop.net", "A"] = ["198.51.100.7"]
    assert [state for state, _words in told(settings)] == [OK, OK]


def test_no_answer_is_told_as_one(settings: Settings, zone: Zone) -> None:
    zone.mode = "fail"
    assert {state for state, _words in told(settings)} == {WARNING}


def test_without_addresses_nothing_is_asked(tmp_path, zone: Zone) -> None:
    [(state, words)] = told(config.load(tmp_path / "other", domain="school.fr"))
    assert (state, "server_addresses" in words) == (WARNING, True) and not zone.asked
