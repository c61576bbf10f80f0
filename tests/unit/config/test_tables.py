"""Settings that are tables of config.toml: what an entry must be, and how it is said what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from webmail.config import tables
from webmail.config.checks import line
from webmail.config.settings import ConfigError, Settings, load
from webmail.config.tables import Domain, Link, TableSetting, checked

LINK = "[[links]]\nname = 'ENT'\nurl = 'https://ent.lycee.example/a?b=c'\n"
DOMAIN = "[[domains]]\nname = 'college.example'\n"


def loaded(folder: Path, text: str) -> Settings:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return load(folder)


def test_entries_are_read_in_their_order(tmp_path):
    settings = loaded(tmp_path, f"name = 'Lycée'\n{LINK}[[links]]\nname = 'Ici'\nurl = 'http://localhost:8080/'\n{DOMAIN}")
    assert settings.links == (Link("ENT", "https://ent.lycee.example/a?b=c"), Link("Ici", "http://localhost:8080/"))
    assert settings.domains == (Domain("college.example", ""),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("links = 5", "links must be a list of tables, each below a line [[links]], not 5"),
        ("[links]\nname = 'ENT'", "links must be a list of tables, each below a line [[links]], not {'name': 'ENT'}"),
        ("links = [5]", "links, entry 1 must be a table"),
        (f"{LINK}colour = 'red'", "links, entry 1: colour is none of name, url, icon, group ("),
        (f"{LINK}page_size = 20", "(settings that belong to no table stand above the first one)"),
        (f"{LINK}[[links]]\nname = 'ENT'", "links, entry 2: url is missing"),
        (f"{LINK}icon = 5", "links, entry 1: icon must be text, in quotes, not 5"),
        (f"{LINK}group = '{'x' * 101}'", "links, entry 1: group must be one line of at most 100 characters"),
        (f"{LINK}[[links]]\nname = 5\nurl = 'https://a.example'", "links, entry 2: name must be text, in quotes, not 5"),
        ("[[links]]\nname = ' '\nurl = 'https://a.example'", "links, entry 1: name must not be empty"),
        ("[[links]]\nname = \"a\\nb\"\nurl = 'https://a.example'", "links, entry 1: name must be one line"),
        (f"[[links]]\nname = '{'x' * 61}'\nurl = 'https://a.example'", "of at most 60 characters"),
        (LINK * 21, "links has 21 entries, and may have 20"),
        (
            f"{DOMAIN}[[domains]]\nname = 'College.example'",
            "domains, entry 2: name is that of entry 1 already, 'college.example'",
        ),
        ("[[domains]]\nname = 'a@b.example'", "domains, entry 1: name must be a domain such as lycee.example, not 'a@b.example'"),
        ("[[domains]]\nname = ''", "domains, entry 1: name must be a domain"),
        ("[[domains]]\nname = 'a..b'", "domains, entry 1: name must be a domain"),
        ("[[directory_rules]]\nsees = 'all'", "directory_rules, entry 1: sees must be"),
        (
            "[[directory_rules]]\nsees = 'nobody'\n[[directory_rules]]\nsees = 'everyone'",
            "directory_rules, entry 2: group is that of",
        ),
        ("[[directory_addresses]]\nname = 'x'\naddress = 'X <a@b.example>'", "entry 1: address must be an address alone"),
    ],
)
def test_what_is_wrong_is_named_with_its_entry(tmp_path, text, sentence):
    with pytest.raises(ConfigError) as found:
        loaded(tmp_path, text)
    assert sentence in str(found.value)


@pytest.mark.parametrize(
    "url",
    [
        "", "ent.lycee.example", "ftp://a.example", "javascript:alert(1)", "https:", "https://", "http://a.example", "//a.example",
        "https://me:secret@a.example", "https://a.example/a b", 'https://a.example/"', "https://a.example/\a", "https://a:b",
        "https://[::1", "http://127.0.0.1.a.example", "https://a.example/" + "x" * 2000,
    ],
)  # fmt: skip
def test_a_link_leads_to_the_web_or_to_this_machine(url):
    with pytest.raises(ConfigError, match=r"links, entry 1: url must be an address .*, not "):
        tables.read("links", [{"name": "x", "url": url}])


@pytest.mark.parametrize("url", ["https://a.example", "https://a.example:8443/é?x#y", "http://127.0.0.1:8000", "http://[::1]/"])
def test_such_a_link_is_good(tmp_path, url):
    assert loaded(tmp_path, f"[[links]]\nname = 'x'\nurl = '{url}'").links[0].url == url


def test_the_environment_holds_no_tables(tmp_path, monkeypatch):
    monkeypatch.setenv("WEBMAIL_LINKS", "[]")
    with pytest.raises(ConfigError, match=r"links can't be set by the environment, which holds no tables: write \[\[links\]\]"):
        load(tmp_path)


def test_a_setting_may_be_one_table():
    @dataclass(frozen=True, slots=True)
    class Gateway:
        word: str = checked(line(5))
        most: int = checked(lambda _name, _value: None, default=3)

    one = TableSetting(Gateway, most=0)
    assert tables.read("sms", {"word": "a"}, one) == Gateway("a", 3)
    with pytest.raises(ConfigError, match="sms must be a table"):
        tables.read("sms", [{"word": "a"}], one)
    with pytest.raises(ConfigError, match="sms: most must be a whole number, without quotes"):
        tables.read("sms", {"word": "a", "most": "4"}, one)
    assert one.heading.format("sms") == "[sms]"


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("sms", {"url": "console", "country": "33"}, "country must be the code of a country such as [+]33, not '33'"),
        ("s3", {"key_id": "k", "secret": "s"}, "s3: bucket is missing"),
        ("s3", {"bucket": "b_", "key_id": "k", "secret": "s"}, "bucket must be 3 to 63 lower-case letters"),
        ("s3", {"bucket": "files", "key_id": "k"}, "s3 needs either secret or secret_file"),
        ("s3", {"bucket": "files", "key_id": "k", "secret": "s", "secret_file": "f"}, "s3 needs either secret or secret_file"),
        ("s3", {"bucket": "files", "key_id": "k", "secret": "s", "prefix": "/a"}, "prefix must be names with slashes between"),
        ("s3", {"bucket": "files", "key_id": "k", "secret": "s", "endpoint": "s3.example"}, "endpoint must be an address that"),
        ("s3", {"bucket": "files", "key_id": "k", "secret": "s", "endpoint": "http://s3.example"}, "cross the network in clear"),
        ("support", {"password_url": "ent.lycee.example/password"}, "password_url must be an address that begins with https://"),
        ("proxy_sign_in", {"header": "", "addresses": "127.0.0.1", "title": "ENT"}, "header must be the name of a header"),
    ],
)
def test_what_would_lead_nowhere_is_refused(name, values, sentence):
    with pytest.raises(ConfigError, match=sentence):
        tables.read(name, values)


BUCKET = "[s3]\nbucket = 'files'\nkey_id = 'k'\n"


@pytest.mark.parametrize(
    ("text", "content", "sentence"),
    [
        ("storage = 's3'", "", 'storage = "s3" needs a table [s3]'),
        ("storage = 'ftp'", "", "storage must be one of disk, s3"),
        (f"{BUCKET}secret_file = 'none'", "", "s3: secret_file"),
        (f"{BUCKET}secret_file = 'key'", "", "must hold one line, the secret"),
        (f"{BUCKET}secret_file = 'key'", "key_id = a\nsecret = b", "must hold one line, the secret"),
        (f"{BUCKET}secret = 's'\nca_file = 'key'", "no certificate", "s3: ca_file"),
    ],
)
def test_what_can_open_no_bucket_is_refused(tmp_path, text, content, sentence):
    (tmp_path / "key").write_text(content)
    with pytest.raises(ConfigError, match=re.escape(sentence)) as found:
        loaded(tmp_path, text)
    assert "secret = b" not in str(found.value)


def test_the_secret_of_a_bucket_may_stand_in_a_file(tmp_path):
    (tmp_path / "key").write_text("the-secret\n")
    settings = loaded(tmp_path, f"storage = 's3'\n{BUCKET}secret_file = 'key'\nendpoint = 'http://127.0.0.1:9000'")
    assert settings.s3 is not None
    assert (settings.s3.secret, settings.s3.secret_file) == ("the-secret", "")
    assert "the-secret" not in repr(settings)
    assert "the-secret" not in settings.s3.location


# --- domains ---------------------------------------------------------------------------------------------------------


def test_the_domains_of_the_establishment_are_inside_for_its_people_alone():
    plain = Settings(domain="Lycee.example")
    assert plain.own_domains("lycee.example") == ("lycee.example",)
    assert plain.own_domains("autre.example") == ("autre.example",)
    settings = Settings(domain="lycee.example", domains=(Domain("College.example", "Collège"), Domain("lycee.example")))
    assert settings.own_domains("lycee.example") == ("lycee.example", "college.example")
    assert settings.own_domains("college.example") == ("college.example", "lycee.example")
    assert settings.own_domains("autre.example") == ("autre.example",)
    assert Settings(domains=(Domain("a.example"), Domain("b.example"))).own_domains("b.example") == ("b.example", "a.example")


def test_a_domain_is_called_by_its_name_where_it_has_one():
    settings = Settings(domain="lycee.example", domains=(Domain("College.example", "Collège"), Domain("lycee.example")))
    assert [settings.domain_label(name) for name in ("college.example", "lycee.example", "x.example")] == [
        "Collège", "lycee.example", "x.example",
    ]  # fmt: skip


SENDER = "[filesender]\nurl = 'https://filesender.example'\napplication = 'traboule'\n"


def test_the_secret_of_filesender_may_stand_in_a_file_that_others_cannot_read(tmp_path):
    file = tmp_path / "filesender-secret"
    file.write_text("the-secret\n")
    file.chmod(0o640)
    found = loaded(tmp_path, f"{SENDER}secret_file = 'filesender-secret'").filesender
    assert (found.secret, found.secret_file) == ("the-secret", "") and "the-secret" not in repr(found)
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="everybody on this machine can read secret_file"):
        loaded(tmp_path, f"{SENDER}secret_file = 'filesender-secret'")


@pytest.mark.parametrize(
    ("text", "content", "sentence"),
    [
        ("secret_file = 'none'", "", "filesender: secret_file"),
        ("secret_file = 'key'", "", "must hold one line, the secret"),
        ("secret_file = 'key'", "a b", "must hold one line, the secret"),
        ("secret_file = 'key'", "x" * 10_000, "must hold one line, the secret"),
        ("secret_file = 'key'\nsecret = 's'", "a", "secret or secret_file, not both"),
        ("", "", "both application and secret, or neither"),
    ],
)
def test_what_can_sign_nothing_at_filesender_is_refused(tmp_path, text, content, sentence):
    (tmp_path / "key").write_text(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        loaded(tmp_path, SENDER + text)
