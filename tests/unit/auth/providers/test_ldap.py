"""What is asked of a directory, and what its answers mean: letter by letter. The conversation itself: integration/auth."""

import uuid

import pytest

pytest.importorskip("ldap", reason="python-ldap is not installed")

from webmail.auth.providers import ldap as protocol
from webmail.auth.providers.ldap import DirectoryAwayError, DirectoryEntry, DirectoryTalk, group_name, is_called
from webmail.config.providers import Ldap
from webmail.errors import SignInRefusedError

BASE = "ou=people,dc=lycee,dc=example"


def ldap(**changed) -> Ldap:
    return Ldap(**{"url": "ldaps://directory.lycee.example", "base": BASE, **changed})


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("ann", "(uid=ann)"),
        ("*", r"(uid=\2a)"),
        ("a)(uid=*", r"(uid=a\29\28uid=\2a)"),
        ("a\\b\0", r"(uid=a\5cb\00)"),
        ("{address}", "(uid={address})"),
        ("zoé", "(uid=zoé)"),
    ],
)
def test_what_was_typed_is_a_value_and_never_a_filter(name, asked):
    assert protocol._search_filter("(uid={name})", name, "x@lycee.example") == asked


def test_both_places_of_a_filter_are_filled():
    assert (
        protocol._search_filter("(|(uid={name})(mail={address}))", "ann", "ann@x.example") == "(|(uid=ann)(mail=ann@x.example))"
    )


@pytest.mark.parametrize(
    ("pattern", "values", "called"),
    [
        ("(uid={name})", {"uid": ["Ann"]}, True),
        ("(uid={name})", {"uid": ["ａｎｎ"]}, False),
        ("(uid={name})", {}, False),
        ("(|(uid={name})(mail={address}))", {"mail": ["ANN@lycee.example"]}, True),
        ("(proxyAddresses=SMTP:{address})", {"proxyaddresses": ["smtp:ann@lycee.example"]}, True),
        ("(uid~={name})", {}, True),  # not an equality: the administrator wanted it so
    ],
)
def test_an_entry_is_meant_by_its_own_spelling_alone(pattern, values, called):
    entry = DirectoryEntry("uid=ann", "1", values)
    assert is_called(entry, ldap(filter=pattern), "ann", "ann@lycee.example") is called


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("cn=Teachers,ou=groups,dc=lycee,dc=example", "Teachers"),
        (r"cn=Smith\, Jones,ou=groups", "Smith, Jones"),
        ("6e B", "6e B"),
        ("a=b=c,,", "a=b=c,,"),
        ("", ""),
    ],
)
def test_groups_are_called_by_the_first_part_of_their_dn(value, name):
    assert group_name(value) == name


def test_people_are_known_by_what_never_changes():
    number = uuid.uuid4()
    assert protocol._entry("uid=ann", {"entryUUID": [str(number).upper().encode()]}).subject == str(number)
    assert protocol._entry("CN=Ann", {"objectGUID": [number.bytes_le]}).subject == str(number)
    assert protocol._entry("UID=Ann, OU=People", {}).subject == "dn:uid=ann,ou=people"
    with pytest.raises(DirectoryAwayError):
        protocol._entry("uid=" + "x" * 300, {})


def test_values_are_bounded_and_text():
    values = {"displayName": [b"x" * 1001, b"\xff", "Zoé".encode()], "memberOf;range=0-1499": [b"cn=a"], "mail": [b"m"] * 2000}
    entry = protocol._entry("uid=ann", values)
    assert entry.first("DisplayName") == "Zoé" and entry.all("memberof") == ["cn=a"] and len(entry.all("mail")) == 1000
    assert entry.all("") == [] and entry.first("absent") == ""


@pytest.mark.parametrize("password", ["", "\0", "a\0b"])
def test_a_password_that_is_none_is_never_sent(password):
    with pytest.raises(SignInRefusedError):  # not connected: anything sent would fail otherwise
        DirectoryTalk(ldap()).try_password(DirectoryEntry("uid=ann", "1"), password)


def test_an_entry_without_a_name_is_never_bound_as():
    with pytest.raises(SignInRefusedError):
        DirectoryTalk(ldap()).try_password(DirectoryEntry("", "1"), "secret")


def test_nobody_is_looked_for_by_what_is_no_identifier():
    assert DirectoryTalk(ldap()).find_subject("*") == []


def test_a_conversation_has_one_time_for_all():
    talk = DirectoryTalk(ldap(timeout=0.5))
    talk._end -= 1
    with pytest.raises(DirectoryAwayError, match="longer than 0.5 s"):
        talk._left()


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("ldap://127.0.0.1", True), ("ldap://[::1]:390", True), ("ldap://localhost", True), ("ldapi:///", True),
        ("ldap://directory.example", False), ("ldap://localhost.example", False), ("ldap://10.0.0.1", False),
    ],
)  # fmt: skip
def test_which_directories_are_on_this_machine(url, here):
    assert ldap(url=url).is_here is here
