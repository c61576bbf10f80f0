"""What the doctor says of DNS: a zone that has all that belongs there, on a real DNS server, then one thing wrong after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import dns.resolver
import pytest

from tests.support.dns_zone import Zone
from webmail.admin.watching import dns_texts
from webmail.admin.watching.dns_notes import ADVISED, DnsFinding
from webmail.config import settings as config
from webmail.config.settings import ConfigError, Settings
from webmail.doctor import dns as doctor_dns
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult
from webmail.doctor.zone import comparing, dane, policy
from webmail.doctor.zone.wanted import records

HERE = "192.0.2.10"
KEY = "v=DKIM1; k=rsa; p=" + "QUJD" * 90
POINTER = "10.2.0.192.in-addr.arpa"


@pytest.fixture
def settings(tmp_path) -> Settings:
    return config.load(
        tmp_path / "instance", domain="school.fr", mail_server="mail.school.fr", public_url="https://webmail.school.fr",
        server_addresses=HERE, dkim_selector="traboule", dkim_record=KEY, certificate_authority="letsencrypt.org", server_timeout=3.0,
    )  # fmt: skip


@pytest.fixture
def zone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    """What DNS has: at first all that it should. The policy is the one that the installer has nginx serve."""
    texts = {"version": "STSv1", "mode": "enforce", "mx": "mail.school.fr", "max_age": "604800"}
    served = "\n".join(f"{name}: {value}" for name, value in texts.items())
    monkeypatch.setattr(policy, "fetched", lambda address, timeout: policy.parsed(served))
    with Zone() as zone:
        monkeypatch.setattr(dns.resolver, "default_resolver", zone.resolver())
        for one in records(settings):
            name = one.name.rstrip(".")
            if one.why == "autoconfig":
                zone[name, "A"] = [HERE]
            elif one.kind not in ("PTR", "HTTPS", "TLSA") and one.why != "absent":
                zone.setdefault((name, one.kind), []).append(one.value.replace('" "', "").strip('"'))
        zone[POINTER, "PTR"] = ["mail.school.fr."]
        zone["school.fr", "TXT"].append("google-site-verification=v=spf1")  # of others, which is none of ours
        zone["school.fr", "CAA"] = ['0 issue "letsencrypt.org"', '0 iodef "mailto:postmaster@school.fr"']
        yield zone


def found(settings: Settings, why: str) -> list[DnsFinding]:
    return [one for one in comparing.look(settings) if one.why == why]


def told(settings: Settings) -> list[CheckResult]:
    return list(doctor_dns.examine(settings))


def test_all_is_there(settings, zone):
    zone["_imaps._tcp.school.fr", "SRV"] = ["10 20 993 Mail.School.FR."]  # priorities and capitals are the owner's
    assert [one for one in comparing.look(settings) if one.state != "ok"] == []
    assert [(one.name, one.state, str(one.words)) for one in told(settings)] == [
        ("DNS of school.fr", OK, "all records are there.")
    ]


# name, kind, what is there instead (None: nothing), what it is for; the state, and words of the next step
WRONG = [
    ("school.fr", "MX", None, "mail", "problem", "Add an MX that leads to your mail server"),
    ("school.fr", "MX", ["10 mx.school.fr."], "mail", "problem", "mx.school.fr, which has no address"),
    ("school.fr", "MX", ["10 webmail.school.fr."], "mail", "warning", "Right if a filter is in front of it"),
    ("mail.school.fr", "A", None, "host", "problem", "Paste the line below"),
    ("mail.school.fr", "A", ["198.51.100.7"], "host", "warning", "198.51.100.7, which is something else"),
    ("mail.school.fr", "A", [HERE, "198.51.100.7"], "host", "warning", "198.51.100.7, which is something else"),
    ("school.fr", "TXT", None, "spf", "warning", "Paste the line below"),
    ("school.fr", "TXT", ["v=spf1 mx -all", "v=spf1 include:other.fr -all"], "spf", "problem", "Keep one"),
    ("school.fr", "TXT", ["v=spf1 ip4:198.51.100.7 -all"], "spf", "warning", "does not name this server"),
    ("school.fr", "TXT", ["v=spf1 +all"], "spf", "warning", "lets anybody send in your name"),
    ("mail.school.fr", "TXT", None, "spf-of-server", "advised", "Paste the line below"),
    ("traboule._domainkey.school.fr", "TXT", None, "dkim", "problem", "Paste the line below"),
    ("traboule._domainkey.school.fr", "TXT", ["v=DKIM1; p=QUJE"], "dkim", "problem", "taken for forged"),
    ("_dmarc.school.fr", "TXT", None, "dmarc", "warning", "Paste the line below"),
    ("_dmarc.school.fr", "TXT", ["v=DMARC1; p=none", "v=DMARC1; p=reject"], "dmarc", "warning", "Keep one"),
    ("_mta-sts.school.fr", "TXT", None, "mta-sts", "advised", "Paste the line below"),
    ("mta-sts.school.fr", "A", None, "mta-sts-policy", "warning", "mta-sts.school.fr has no address"),
    ("school.fr", "MX", ["10 webmail.school.fr."], "mta-sts-policy", "problem", "servers that heed it bring no mail there"),
    ("_smtp._tls.school.fr", "TXT", None, "tls-reports", "advised", "Paste the line below"),
    ("autoconfig.school.fr", "A", None, "autoconfig", "advised", "Paste the line below"),
    ("_submissions._tcp.school.fr", "SRV", ["0 1 465 old.school.fr."], "programs", "warning", "0 1 465 old.school.fr."),
    ("_caldavs._tcp.school.fr", "TXT", None, "programs", "advised", "Paste the line below"),
    ("school.fr", "CAA", ['0 issue "other.example"'], "caa", "problem", "can’t be renewed"),
    ("school.fr", "CAA", None, "caa", "advised", "Paste the line below"),
    (POINTER, "PTR", None, "reverse", "warning", "192.0.2.10 has no name"),
    (POINTER, "PTR", ["webmail.other.fr."], "reverse", "warning", "does not lead back"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "values", "why", "state", "words"), WRONG)
def test_what_is_wrong_is_named_with_the_next_step(settings, zone, name, kind, values, why, state, words):
    if values is None:
        del zone[name, kind]
    else:
        zone[name, kind] = values
    wrong = [one for one in found(settings, why) if one.state != "ok"]
    assert [one.state for one in wrong] == [state]
    assert words in dns_texts.said(wrong[0])
    if words == "Paste the line below":
        assert wrong[0].line.startswith(f"{name}. 3600 IN {'CNAME' if why == 'autoconfig' else kind} ")


def test_the_doctor_has_a_line_for_each_that_is_wrong(settings, zone):
    zone["school.fr", "MX"] = ["10 gone.school.fr."]
    del zone["_dmarc.school.fr", "TXT"], zone["_smtp._tls.school.fr", "TXT"]
    states = {one.name: one.state for one in told(settings)}
    assert states["DNS, MX school.fr"] == PROBLEM and states["DNS, TXT _dmarc.school.fr"] == WARNING
    assert "DNS of school.fr" not in states


def test_what_is_only_advised_is_no_warning(settings, zone):
    del zone["_smtp._tls.school.fr", "TXT"]
    [one] = told(settings)
    assert one.state == OK and "_smtp._tls.school.fr (TXT)" in one.words and "dns-records" in one.words


def test_a_key_whose_name_is_not_known(settings, zone):
    """As where somebody else signs: where there is a key, what is above it exists."""
    elsewhere = replace(settings, dkim_selector="", dkim_record="")
    del zone["traboule._domainkey.school.fr", "TXT"]
    assert [one.state for one in found(elsewhere, "dkim")] == ["warning"]
    zone["_domainkey.school.fr", "TXT"] = []
    assert [one.state for one in found(elsewhere, "dkim")] == ["ok"]


def test_a_policy_that_nobody_can_read(settings, zone, monkeypatch):
    def away(address, timeout):
        raise policy.PolicyError("certificate has expired")

    monkeypatch.setattr(policy, "fetched", away)
    [one] = found(settings, "mta-sts-policy")
    assert one.state == "warning" and "certificate has expired" in dns_texts.said(one)
    assert dns_texts.card(one).policy == "version: STSv1\nmode: testing\nmx: mail.school.fr\nmax_age: 604800\n"
    del zone["_mta-sts.school.fr", "TXT"]
    assert found(settings, "mta-sts-policy")[0].state == ADVISED


@pytest.mark.parametrize(
    "text",
    ["", "version: STSv2\nmode: enforce\nmx: a\nmax_age: 1", "version: STSv1\nmode: sure\nmx: a\nmax_age: 1",
     "version: STSv1\nmode: enforce\nmax_age: 1", "version: STSv1\nmode: enforce\nmx: a\nmax_age: soon", "<html>"],
)  # fmt: skip
def test_what_is_no_policy(text):
    with pytest.raises(policy.PolicyError):
        policy.parsed(text)


def test_names_below_one_in_a_policy():
    read = policy.parsed("version: STSv1\r\nmode: enforce\r\nmx: *.school.fr\r\nmax_age: 604800\r\n")
    assert (read.allows("mail.school.fr"), read.allows("school.fr"), read.allows("a.b.school.fr")) == (True, False, False)


def test_dane_counts_where_dns_is_signed(settings, zone, monkeypatch, tmp_path):
    here, other = (certificate(tmp_path, name) for name in ("here", "other"))
    monkeypatch.setattr(dane, "server_certificate", lambda host, timeout: here)
    assert found(settings, "dane") == []
    zone.signed = True
    [one] = found(settings, "dane")
    assert one.state == ADVISED and "--reuse-key" in dns_texts.said(one)
    assert one.line == f"_25._tcp.mail.school.fr. 3600 IN TLSA {dane.wanted(here)}"
    zone["_25._tcp.mail.school.fr", "TLSA"] = [dane.wanted(here)]
    assert [one.state for one in found(settings, "dane")] == ["ok"]
    zone["_25._tcp.mail.school.fr", "TLSA"] = [dane.wanted(other)]
    [one] = found(settings, "dane")
    assert one.state == "problem" and "the line below now" in dns_texts.said(one)

    def away(host, timeout):
        raise dane.NoCertificateError("connection refused")

    monkeypatch.setattr(dane, "server_certificate", away)
    assert [one.state for one in found(settings, "dane")] == ["unknown"]


def certificate(folder, name: str) -> bytes:
    import subprocess

    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-keyout", str(folder / name), "-outform", "DER"], check=True, capture_output=True,
    )  # fmt: skip
    return made.stdout


@pytest.mark.parametrize("mode", ["fail", "silent"])
def test_where_no_dns_answers_it_says_so_once_and_soon(settings, zone, mode):
    zone.mode = mode
    began = time.monotonic()
    [one] = told(replace(settings, server_timeout=1.0, domains=()))
    assert one.state == WARNING and "no DNS server answers" in one.words
    assert time.monotonic() - began < 10


def test_further_domains_have_their_own_records(settings, zone):
    several = replace(settings, domains=(config.Domain("college.fr"), config.Domain("lycee.example")))
    assert {one.domain for one in comparing.look(several)} == {"school.fr", "college.fr"}
    states = {one.name: one.state for one in told(several)}
    assert states["DNS of school.fr"] == OK and states["DNS, MX college.fr"] == PROBLEM


@pytest.mark.parametrize("domain", ["lycee.example", "school.test", "localhost"])
def test_names_that_nobody_can_have_are_not_asked_for(settings, zone, domain):
    assert told(replace(settings, domain=domain, mail_server=f"mail.{domain}")) == []
    assert zone.asked == []


@pytest.mark.parametrize(
    ("given", "words"),
    [({"server_addresses": "10.0.0.1, mail"}, "IP addresses"), ({"dkim_selector": "A b"}, "small letters"),
     ({"dkim_record": KEY}, "needs dkim_selector"), ({"dkim_selector": "a", "dkim_record": "p=1"}, "begins with v=DKIM1"),
     ({"certificate_authority": "let's"}, "certificate_authority")],
)  # fmt: skip
def test_settings_that_can_be_none(tmp_path, given, words):
    with pytest.raises(ConfigError, match=words):
        config.load(tmp_path / "other", **given)
