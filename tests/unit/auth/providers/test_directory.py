"""Whose account somebody of the directory has, and who is asked there at all: with a directory that is a few lines."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

pytest.importorskip("ldap", reason="python-ldap is not installed")

from tests.support.auth_app import PASSWORD
from webmail.auth.providers import directory, directory_sweep
from webmail.auth.providers import ldap as protocol
from webmail.auth.providers.accounts import NotLetInError, Refusal
from webmail.auth.providers.ldap import DirectoryAwayError, DirectoryEntry
from webmail.auth.sign_in.authentication import sign_in
from webmail.config.providers import Ldap
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.models import LimitUse, LinkedAccount, User, now
from webmail.rate_limits import TooManyRequestsError

THEIRS = "of the directory"


@dataclass
class Fake:
    """A directory in which people have an address and THEIRS as their password. `asked`: what it was asked."""

    entries: list[DirectoryEntry] = field(default_factory=list)
    away: bool = False
    asked: list[str] = field(default_factory=list)

    def add(self, uid: str, subject: str = "", **values: list[str]) -> None:
        told = {"uid": [uid], "mail": [f"{uid}@lycee.example"], **values}
        self.entries.append(DirectoryEntry(f"uid={uid}", subject or f"number of {uid}", told))

    @contextmanager
    def conversation(self, _settings, _ca_file=""):
        self.asked.append("conversation")
        if self.away:
            raise DirectoryAwayError("no route")
        yield self

    def sign_in(self) -> None: ...

    def find(self, name, address):
        return [one for one in self.entries if name in one.all("uid")][:2]

    def find_subject(self, subject):
        return [one for one in self.entries if one.subject == subject]

    def find_addresses(self, addresses):
        return [one for one in self.entries if set(addresses) & set(one.all("mail"))]

    def try_password(self, entry, password):
        self.asked.append("password")
        if entry is None or password != THEIRS:
            raise SignInRefusedError("no")

    def everybody(self):
        return iter([one.subject for one in self.entries])


@pytest.fixture
def there(monkeypatch):
    fake = Fake()
    monkeypatch.setattr(protocol, "conversation", fake.conversation)
    return fake


@pytest.fixture
def settings(settings):
    return replace(settings, ldap=Ldap("ldaps://d.example", "dc=example", groups_attribute="memberOf", quota_attribute="quota"))


def come(settings, name="zoe", password=THEIRS):
    return sign_in(name, password, "192.0.2.1", settings, lambda account: pytest.fail("IMAP is not asked"))


def test_who_has_a_password_of_ours_is_never_asked_for(settings, there, alice):
    there.add("alice")
    assert come(settings, "alice", PASSWORD) == alice
    with pytest.raises(SignInRefusedError):
        come(settings, "alice", THEIRS)
    assert there.asked == []


def test_the_account_is_made_with_what_the_directory_says(settings, there):
    there.add("zoe", displayname=["Zoé Roux"], quota=["2G"])
    user = come(settings, "Zoe")
    assert (user.address, user.provider, user.password, user.role) == ("zoe@lycee.example", "ldap", "", "person")
    assert User.get_by_id(user.id).quota_bytes == 2 * 1024**3
    assert come(settings) == user


def test_the_quota_may_be_nonsense(settings, there):
    there.add("zoe", quota=["as much as you like"])
    assert come(settings).quota_bytes == 1024**3


@pytest.mark.parametrize(
    ("text", "size"),
    [("500M", 500 * 1024**2), ("2 GB", 2 * 1024**3), ("1.5G", 3 * 1024**3 // 2), ("1048576", 1024**2), ("0", 0), ("2GiB", 2 * 1024**3),
     ("", None), ("-1", None), ("5 litres", None), ("9999T", None), ("2048", None), ("1e9", None)],
)  # fmt: skip
def test_sizes(text, size):
    assert directory.size_of(text) == size


def test_somebody_whom_nobody_knows_takes_a_bind_all_the_same(settings, there):
    there.add("zoe")
    for name in ("zoe", "nobody"):
        there.asked.clear()
        with pytest.raises(SignInRefusedError):
            come(settings, name, "wrong")
        assert there.asked == ["conversation", "password"]


def test_another_domain_has_to_be_one_of_the_entrys(settings, there):
    settings = replace(settings, ldap=replace(settings.ldap, domains="lycee.example, annexe.example"))
    there.add("zoe", mail=["zoe@lycee.example", "zoe@annexe.example"])
    with pytest.raises(SignInRefusedError):
        come(settings, "zoe@elsewhere.example")
    assert come(settings, "zoe@annexe.example").address == "zoe@annexe.example"


def test_an_address_of_another_domain_gets_no_account(settings, there):
    there.add("zoe", mail=["zoe@elsewhere.example"])
    with pytest.raises(NotLetInError) as refused:
        come(settings)
    assert refused.value.refusal is Refusal.NO_ADDRESS and not LimitUse.select().exists()


@pytest.mark.parametrize(
    ("values", "let_in"),
    [
        ({}, False),  # a password of ours
        ({"password": ""}, True),  # as made while the mail server kept the passwords
        ({"password": "", "provider": "ldap"}, True),  # the directory was made anew, and its link forgotten
        ({"password": "", "provider": "cas"}, False),
        ({"password": "", "role": "admin"}, False),
        ({"password": "", "active": 0}, False),
    ],
)
def test_whose_account_an_address_in_an_entry_opens(settings, there, bob, values, let_in):
    User.update(values).where(User.id == bob.id).execute() if values else None
    there.add("mallory", mail=["bob@lycee.example"])
    if let_in:
        assert come(settings, "mallory") == bob
    else:
        with pytest.raises(NotLetInError):
            come(settings, "mallory")
        assert not LinkedAccount.select().exists()


def test_an_address_that_two_entries_have_is_nobodys(settings, there):
    there.add("zoe")
    there.add("mallory", mail=["zoe@lycee.example"])
    for name in ("zoe", "mallory"):
        with pytest.raises(NotLetInError):
            come(settings, name)
    assert not User.select().where(User.local == "zoe").exists()


def test_an_account_belongs_to_one_entry_for_good(settings, there):
    there.add("zoe", "first")
    come(settings)
    there.entries.clear()
    there.add("zoe", "second")
    with pytest.raises(NotLetInError):
        come(settings)


def test_wrong_passwords_count_and_an_absent_directory_does_not(settings, there):
    there.add("zoe")
    there.away = True
    for _ in range(20):
        with pytest.raises(ServerAwayError):
            come(settings)
    there.away = False
    protocol_breaker_forgets()
    for _ in range(settings.sign_in_attempts):
        with pytest.raises(SignInRefusedError):
            come(settings, password="wrong")
    with pytest.raises(TooManyRequestsError):
        come(settings)


def protocol_breaker_forgets() -> None:
    from webmail.imap.connections import circuit_breaker

    circuit_breaker.forget_all()


def test_the_password_is_asked_for_again_at_the_directory(settings, there):
    there.add("zoe")
    user = come(settings)
    directory.check_password(user, THEIRS, settings)
    with pytest.raises(SignInRefusedError):
        directory.check_password(user, "wrong", settings)
    there.entries.clear()
    with pytest.raises(SignInRefusedError):
        directory.check_password(user, THEIRS, settings)


# --- who left --------------------------------------------------------------------------------------------------------


@pytest.fixture
def people(settings, there):
    for number in range(10):
        there.add(f"zoe{number}")
        come(settings, f"zoe{number}")
    LinkedAccount.update(used=now() - timedelta(days=365)).execute()
    return [User.get(User.local == f"zoe{number}") for number in range(10)]


def sweep(settings, **how):
    return directory_sweep.carry_out(directory_sweep.look(settings), settings, **how)


def active(user) -> bool:
    return bool(User.get_by_id(user.id).active)


def test_two_of_ten_leave_and_one_comes_back(settings, there, people):
    gone = [there.entries.pop(0), there.entries.pop(0)]
    assert sweep(settings) == (2, 0)
    assert [active(user) for user in people] == [False] * 2 + [True] * 8
    there.entries.append(gone[0])
    assert sweep(settings) == (0, 1)
    assert active(people[0]) and not active(people[1])


def test_three_of_ten_are_too_many_to_believe(settings, there, people):
    del there.entries[:3]
    assert sweep(settings) == (0, 0)
    assert sweep(settings, sure=True) == (3, 0)


def test_one_of_three_is_believed_but_not_an_empty_directory(settings, there, people):
    LinkedAccount.delete().where(LinkedAccount.user.in_(people[3:])).execute()
    del there.entries[0]
    assert sweep(settings) == (1, 0)
    there.entries.clear()
    assert sweep(settings) == (0, 0)


def test_who_was_enabled_or_disabled_by_hand_does_not_come_back_by_itself(settings, there, people):
    gone = there.entries.pop(0)
    sweep(settings)
    directory.decide_by_hand(people[0])
    there.entries.append(gone)
    assert sweep(settings) == (0, 0) and not active(people[0])


def test_the_last_administrator_stays_whatever_the_directory_says(settings, there, people):
    User.update(role="admin").where(User.id.in_([people[0].id, people[1].id])).execute()
    del there.entries[:2]
    assert sweep(settings) == (1, 0)
    assert [active(user) for user in people[:2]] == [False, True]


def test_who_has_a_password_of_ours_stays(settings, there, people):
    User.update(password="{ARGON2ID}x").where(User.id == people[0].id).execute()
    del there.entries[0]
    assert sweep(settings) == (0, 0)


def test_who_came_in_while_the_directory_was_read_stays(settings, there, people):
    LinkedAccount.update(used=now() + timedelta(days=365)).where(LinkedAccount.user == people[0]).execute()
    del there.entries[0]
    assert sweep(settings) == (0, 0)
