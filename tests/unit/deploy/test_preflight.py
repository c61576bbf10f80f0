"""What stands in the way of an installation, and what an installation is made of."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.installer import answers, facts, preflight, templates
from deploy.installer.changes import Changes
from deploy.installer.facts import Facts
from deploy.installer.job import Job
from deploy.installer.steps import STEPS, certificates, dovecot, packages, postfix, settings_file, spam_filter, website
from webmail.config import settings as config
from webmail.doctor.zone.wanted import zone_file

ROOT = Path(__file__).resolve().parents[3]
GIVEN = {"domain": "lycee.example", "name": "Lycée", "administrator": "alice@lycee.example", "administrator_name": "Alice"}
MACHINE = Facts(
    system="debian 13", is_root=True, memory=4_000_000_000, disk=50_000_000_000, host_name="mail", addresses=("192.0.2.10",), taken={},
    ssh_ports=(2222,), has_systemd=True, clock_set=True, sends_mail_out=True,
)  # fmt: skip


@pytest.fixture(autouse=True)
def names(monkeypatch) -> None:
    monkeypatch.setattr(facts, "resolves_to", lambda name: ("192.0.2.10",))
    monkeypatch.setattr(facts, "name_of", lambda address: "mail.lycee.example")


def job(tmp_path: Path, machine: Facts = MACHINE, **more: object) -> Job:
    return Job(answers.complete({**GIVEN, **more}, None), machine, Changes(tmp_path, lambda words: None), ROOT)


def found(there: tuple[str, ...] = (), is_ours: bool = False, **machine: object) -> list[preflight.Finding]:
    wanted = answers.complete(GIVEN, None)
    return preflight.findings(wanted, replace(MACHINE, **machine), lambda name: name in there, is_ours)


def test_nothing_stands_in_the_way_of_a_fresh_machine():
    assert found() == []


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ({"is_root": False}, "sudo deploy/install"),
        ({"system": "ubuntu 24.04"}, "made for Debian 13"),
        ({"has_systemd": False}, "systemd"),
        ({"memory": 500_000_000}, "1 GB is the least"),
        ({"disk": 1_000_000_000}, "4 GB are the least"),
        ({"taken": {80: "apache2"}}, "apache2 listens on port 80"),
    ],
)
def test_what_stops(machine, words):
    first = found(**machine)[0]
    assert first.stops and words in first.words


@pytest.mark.parametrize(
    ("machine", "words"),
    [({"clock_set": False}, "timedatectl"), ({"sends_mail_out": False}, "Port 25 of other servers")],
)
def test_what_is_told_and_does_not_stop(machine, words):
    [only] = found(**machine)
    assert not only.stops and words in only.words


def test_names_without_an_address_stop_only_a_certificate_from_outside(monkeypatch):
    monkeypatch.setattr(facts, "resolves_to", lambda name: ())
    assert [each.stops for each in found()] == [True, True]
    own = answers.complete({**GIVEN, "certificate": "own"}, None)
    assert not any(each.stops for each in preflight.findings(own, MACHINE, lambda name: False, False))


def test_an_other_mail_server_is_told_once():
    assert "put aside" in found(("postfix",))[0].words or "is kept in" in found(("postfix",))[0].words
    assert found(("exim4-base",))[0].stops
    assert found(("postfix",), is_ours=True) == []


@pytest.mark.parametrize(("memory", "answer", "filtered"), [
    (1_000_000_000, "auto", False), (2_000_000_000, "auto", True), (1_000_000_000, "rspamd", True), (8_000_000_000, "none", False),
])  # fmt: skip
def test_the_spam_filter_comes_from_two_gigabytes_on(tmp_path, memory, answer, filtered):
    here = job(tmp_path, replace(MACHINE, memory=memory), spam=answer)
    assert here.spam_filter is filtered
    assert ("rspamd" in packages.wanted(here)) is filtered and ("opendkim" in packages.wanted(here)) is not filtered


def test_each_step_says_what_it_will_do(tmp_path):
    here = job(tmp_path, certificate="own")
    (tmp_path / "x").mkdir()
    assert all(step.words(here) for step in STEPS)
    assert len({step.name for step in STEPS}) == len(STEPS)


def test_the_site_of_nginx_has_a_stand_in_and_room_for_own_lines(tmp_path):
    text = website.text(job(tmp_path, certificate="own"), (ROOT / "deploy/nginx.conf").read_text())
    assert "webmail.lycee.example" in text and "letsencrypt/live" not in text
    assert text.count("backup max_fails=0;") == 2 and "include /etc/nginx/traboule.d/*.conf;" in text
    assert "server_name mta-sts.lycee.example;" in text and "mx: mail.lycee.example" in text


def test_own_settings_replace_those_of_the_installer(tmp_path):
    (tmp_path / "etc/traboule").mkdir(parents=True)
    (tmp_path / "etc/dovecot").mkdir(parents=True)
    (tmp_path / "etc/dovecot/traboule.key").write_text("key\n")
    (tmp_path / "etc/traboule/settings.toml").write_text('name = "Notre lycée"\n[transfers]\nlimit_gb = 5\n')
    text = settings_file.text(job(tmp_path))
    assert (
        text.count("\nname =") == 1 and 'domain = "lycee.example"' in text and text.index("domain =") < text.index("[transfers]")
    )


def test_lines_of_postfix_that_are_none_are_refused(tmp_path):
    (tmp_path / "etc/traboule").mkdir(parents=True)
    place = tmp_path / "etc/traboule/postfix.cf"
    place.write_text("# mine\nrelayhost = [relay.example]:587\n")
    assert postfix.own_lines(job(tmp_path)) == {"relayhost": "[relay.example]:587"}
    place.write_text("relayhost\n")
    with pytest.raises(Exception, match="no line of the form"):
        postfix.own_lines(job(tmp_path))


def test_what_belongs_in_dns_is_told_to_traboule_which_lists_it(tmp_path, monkeypatch):
    monkeypatch.setattr(spam_filter, "record", lambda job: "v=DKIM1; k=rsa; p=" + "A" * 392)
    outside = replace(MACHINE, addresses=("9.9.9.10", "192.168.1.2", "2620:fe::fe"))
    here = job(tmp_path, outside)
    key = here.changes.path(spam_filter.key_file(here))
    key.parent.mkdir(parents=True)
    key.touch()
    (tmp_path / "etc/dovecot").mkdir(parents=True)
    (tmp_path / "etc/dovecot/traboule.key").write_text("key\n")
    said = settings_file.text(here)
    shown = [line for line in said.splitlines() if line.startswith(("dkim", "server_addr", "certificate_auth"))]
    assert shown[0] == 'server_addresses = "9.9.9.10, 2620:fe::fe"'  # those that the internet knows
    given = tomllib.loads("\n".join([*shown, 'domain = "lycee.example"', 'mail_server = "mail.lycee.example"']))
    lines = zone_file(config.load(tmp_path / "instance", public_url="https://webmail.lycee.example", **given))
    known = {tuple(line.split(" ", 4)[::3]): line.split(" ", 4)[4] for line in lines if not line.startswith(";")}
    assert known["lycee.example.", "MX"] == "10 mail.lycee.example." and known["mail.lycee.example.", "AAAA"] == "2620:fe::fe"
    assert known["lycee.example.", "CAA"] == '0 issue "letsencrypt.org"'
    key_text = known["traboule._domainkey.lycee.example.", "TXT"]
    assert key_text.count('"') == 4 and all(len(text) <= 255 for text in key_text.strip('"').split('" "'))
    assert ("_mta-sts.lycee.example.", "TXT") in known and ("_smtp._tls.lycee.example.", "TXT") in known
    names = [name for name, kind in known if kind == "CNAME"]
    assert names and not [name for name in names if (name, "A") in known]  # a zone refuses both


def test_further_names_are_in_a_certificate_where_they_lead_here(tmp_path, monkeypatch):
    monkeypatch.setattr(facts, "resolves_to", lambda name: ("192.0.2.10",) if name.startswith("mta-sts.") else ())
    assert certificates.further_names(job(tmp_path)) == ["mta-sts.lycee.example"]
    assert len(certificates.further_names(job(tmp_path, certificate="own"))) == 3


def test_templates_are_filled_whole():
    assert "$" not in templates.filled("rspamd/dkim_signing.conf", keys="  lycee.example {\n  }")
    with pytest.raises(KeyError):
        templates.filled("rspamd/dkim_signing.conf", domain="lycee.example")


def test_domains_and_the_scanner_are_settings_unless_one_has_ones_own(tmp_path, monkeypatch):
    monkeypatch.setattr(dovecot, "key", lambda job: "k")
    known = job(tmp_path, antivirus=True, other_domains="college.example")
    found = tomllib.loads(settings_file.text(known))
    assert found["domains"] == [{"name": "college.example"}] and found["transfers"] == {"clamd": "/run/clamav/clamd.ctl"}
    (tmp_path / "etc/traboule").mkdir(parents=True, exist_ok=True)
    (tmp_path / "etc/traboule/settings.toml").write_text("[transfers]\nscan_mb = 5\n")
    assert tomllib.loads(settings_file.text(known))["transfers"] == {"scan_mb": 5}


def test_lines_of_clamd_are_replaced_and_others_stay():
    found = spam_filter._with_lines("LocalSocket /run/x\nMaxFileSize 25M\n", {"MaxFileSize": "1024M", "AlertEncrypted": "yes"})
    assert found == "LocalSocket /run/x\nMaxFileSize 1024M\nAlertEncrypted yes\n"


def test_an_authority_is_for_the_domain_and_for_servers_outside_of_it(tmp_path):
    known = job(tmp_path, certificate="own", webmail_host="webmail.academie.example")
    names = ["webmail.academie.example", "mail.lycee.example"]
    assert certificates._tops(known, names) == ["lycee.example", "webmail.academie.example"]


def test_a_server_that_has_filled_up_can_still_be_mended():
    assert [one.stops for one in found(disk=2_000_000_000)] == [True]
    assert [one.stops for one in found(disk=2_000_000_000, is_ours=True)] == [False]
