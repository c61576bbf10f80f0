"""What the doctor says of the DNS records by which phones find the servers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from webmail.auth.devices import dns_records
from webmail.config import settings as config
from webmail.doctor import dns as doctor_dns
from webmail.doctor.result import OK, WARNING


@pytest.fixture
def settings(tmp_path):
    return replace(
        config.load(tmp_path / "instance", domain="school.fr"),
        mail_server="mail.school.fr",
        public_url="https://webmail.school.fr",
    )


@pytest.fixture
def zone(settings, monkeypatch) -> dict[tuple[str, str], list[str]]:
    """What DNS has: at first all that it should."""
    found: dict[tuple[str, str], list[str]] = {}
    for line in dns_records.records(settings, dav=True):
        name, _ttl, _class, kind, value = line.split(" ", 4)
        found[name, "A" if kind == "CNAME" else kind] = ["192.0.2.1" if kind == "CNAME" else value]
    monkeypatch.setattr(doctor_dns, "ask", lambda name, kind, _timeout: found.get((name, kind), []))
    return found


def test_all_is_there_whatever_their_priorities(settings, zone):
    zone["_imaps._tcp.school.fr.", "SRV"] = ["10 20 993 Mail.School.FR."]
    [check] = doctor_dns.examine(settings)
    assert (check.name, check.state) == ("DNS of school.fr", OK)


def test_what_is_missing_or_different_is_named(settings, zone):
    del zone["_caldavs._tcp.school.fr.", "TXT"], zone["autoconfig.school.fr.", "A"]
    zone["_submissions._tcp.school.fr.", "SRV"] = ["0 1 465 old.school.fr."]
    [check] = doctor_dns.examine(settings)
    assert check.state == WARNING
    assert "missing: _caldavs._tcp (TXT), autoconfig (A)" in check.words
    assert "_submissions._tcp (SRV) is 0 1 465 old.school.fr." in check.words
    assert "dns-records" in check.words


def test_where_no_dns_answers_it_says_so_once(settings, monkeypatch):
    def ask(*_asked):
        raise doctor_dns.NoDnsAnswerError

    monkeypatch.setattr(doctor_dns, "ask", ask)
    [check] = doctor_dns.examine(settings)
    assert (check.state, "was not checked" in check.words) == (WARNING, True)


@pytest.mark.parametrize("domain", ["lycee.example", "school.test", "localhost"])
def test_names_that_nobody_can_have_are_not_asked_for(settings, monkeypatch, domain):
    monkeypatch.setattr(doctor_dns, "ask", lambda *asked: pytest.fail(f"asked for {asked}"))
    assert list(doctor_dns.examine(replace(settings, domain=domain))) == []


def test_a_server_that_does_not_answer_is_no_missing_record(monkeypatch):
    dns = pytest.importorskip("dns.resolver")

    def gone(*_asked, **_more):
        raise dns.NoNameservers

    monkeypatch.setattr(dns, "resolve", gone)
    with pytest.raises(doctor_dns.NoDnsAnswerError):
        doctor_dns.ask("school.fr.", "A", 0.1)
