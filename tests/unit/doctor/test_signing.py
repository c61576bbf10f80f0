"""What the doctor says of DKIM, SPF and DMARC of our domains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dns.resolver
import pytest

from tests.support.dns_zone import Zone
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.doctor.mail_servers import signing
from webmail.doctor.result import OK, WARNING


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(config.load(tmp_path / "instance", domain="school.fr"), server_timeout=5.0)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    """A DNS server that has all three; of DKIM keys it has one, whose name the doctor does not know."""
    with Zone() as zone:
        host, _, port = zone.address.partition(":")
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [host], int(port)
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        zone["school.fr", "TXT"] = ["google-site-verification=1", "v=spf1 mx -all"]
        zone["_domainkey.school.fr", "TXT"] = []
        zone["_dmarc.school.fr", "TXT"] = ["v=DMARC1; p=none"]
        yield zone


def test_all_is_there(settings: Settings, zone: Zone) -> None:
    [check] = signing.examine(settings)
    assert (check.name, check.state) == ("Mail from school.fr", OK)


@pytest.mark.parametrize(
    ("name", "words"),
    [("_domainkey.school.fr", "no DKIM key"), ("school.fr", "no SPF record"), ("_dmarc.school.fr", "no DMARC record")],
)
def test_what_is_missing_is_named(settings: Settings, zone: Zone, name: str, words: str) -> None:
    del zone[name, "TXT"]
    [check] = signing.examine(settings)
    assert check.state == WARNING and check.words.startswith(words) and "docs/administrator/mail-servers.md" in check.words


def test_another_text_is_none_of_them(settings: Settings, zone: Zone) -> None:
    zone["school.fr", "TXT"] = ["google-site-verification=v=spf1"]
    [check] = signing.examine(settings)
    assert check.words.startswith("no SPF record")


def test_each_domain_is_looked_at_but_those_that_nobody_can_have(settings: Settings, zone: Zone) -> None:
    domains = (config.Domain("college.fr"), config.Domain("lycee.example"))
    states = {one.name: one.state for one in signing.examine(replace(settings, domains=domains))}
    assert states == {"Mail from school.fr": OK, "Mail from college.fr": WARNING}


def test_where_no_dns_answers_it_says_so_once(settings: Settings, zone: Zone) -> None:
    zone.mode = "fail"
    found = list(signing.examine(replace(settings, domains=(config.Domain("college.fr"),))))
    assert [one.state for one in found] == [WARNING] and "were not checked" in found[0].words
