"""Forwarding as data and as Sieve, the policy, and what a copy says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from webmail import preferences
from webmail.config import settings as config
from webmail.filters import own_script, store
from webmail.filters.forwarding import forward_targets, forwarding, policy, script_redirects
from webmail.filters.forwarding.forwarding import Forwarding
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import BadRuleError
from webmail.filters.store import Filters
from webmail.models import User
from webmail.preferences import Preferences, checked

PLACE = SievePlace(frozenset({"copy", "date", "envelope", "relational"}), system_address="info@lycee.example")
TWO = ("one@lycee.example", "two@world.test")


def sieve(found: Forwarding, place: SievePlace = PLACE) -> str:
    return store.script_of(Filters(forwarding=found), place)


def test_off_or_without_addresses_it_does_nothing():
    assert forwarding.compiled(Forwarding(False, TWO), PLACE) == forwarding.compiled(Forwarding(True), PLACE) == ()


def test_a_copy_stays_unless_it_is_not_wanted():
    assert script_redirects.in_script(sieve(Forwarding(True, TWO))) == [*TWO]
    assert sieve(Forwarding(True, TWO)).count("redirect :copy") == 2
    away = sieve(Forwarding(True, TWO, keep=False))
    assert (away.count("redirect :copy"), away.count("redirect ")) == (2, 3)  # a copy of what the establishment writes
    assert 'address :all :is "from" "info@lycee.example"' in away
    assert "info@" not in sieve(Forwarding(True, TWO, keep=False), replace(PLACE, system_address=""))


def test_reports_of_failed_delivery_stay():
    assert 'header :contains "content-type" "multipart/report"' in sieve(Forwarding(True, TWO))


def test_an_end_in_another_century_is_one_that_every_page_can_show():
    for year in (1, 999, 9999):
        text = forwarding.to_json(Forwarding(True, TWO)).replace('"until":""', f'"until":"{year:04d}-12-31T23:59:59Z"')
        until = forwarding.from_json(text).until
        assert until and until.year == (2200 if year == 9999 else 2000)


def test_addresses_that_others_wrote_in_capitals_can_be_removed_again():
    text = forwarding.to_json(Forwarding(True, ("Me@X.example", "me@x.example", "you@x.example")))
    assert forwarding.from_json(text).addresses == ("me@x.example", "you@x.example")


def test_it_comes_back_from_the_script_as_it_was():
    for found in (Forwarding(), Forwarding(True, TWO, keep=False, until=datetime(2031, 3, 4, 7, 30, tzinfo=UTC))):
        own = own_script.read(sieve(found))
        assert own is not None and store.filters_of(own)[0].forwarding == found


@pytest.mark.parametrize(
    "address", ["", "a", "a@b@c", "a b@c.example", 'a"@c.example\r\nX: y', "a@c.example\x00", "x" * 250 + "@c.fr"]
)
def test_what_is_no_address_is_no_forwarding(address):
    with pytest.raises(BadRuleError):
        forwarding.check(Forwarding(True, (address,)))


def test_there_are_five_addresses_at_most():
    with pytest.raises(BadRuleError):
        forwarding.check(Forwarding(True, tuple(f"a{number}@c.example" for number in range(6))))


@pytest.fixture
def settings(tmp_path):
    given = {"domain": "lycee.example", "forwarding_domains": "World.test, té.example"}
    return config.load(tmp_path / "instance", database_url=f"sqlite:///{tmp_path / 'x.sqlite'}", **given)


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("bob@lycee.example", "inside domains anywhere"), ("BOB@Lycee.Example", "inside domains anywhere"),
        ("bob@world.test", "domains anywhere"), ("bob@té.example", "domains anywhere"), ("bob@sub.world.test", "anywhere"),
        ("bob@far.example", "anywhere"), ("bob@lycée.example", "anywhere"), ("a%b@lycee.example", ""), ("a!b@lycee.example", ""),
        ("|a@lycee.example", ""), ('"a@b"@lycee.example', ""), ("a@b@lycee.example", ""), ("@lycee.example", ""), ("a@[127.0.0.1]", ""),
        ("a@localhost", ""), ("à@lycee.example", ""), ("", ""),
    ],
)  # fmt: skip
def test_where_mail_may_go(settings, address, where):
    user = SimpleNamespace(domain="lycee.example", policy=None)
    allowed = [mode for mode in policy.ForwardPolicy if policy.may_forward(user, address, replace(settings, forwarding=mode))]
    assert allowed == where.split()


def test_the_copy_tells_what_the_banner_says():
    known = forward_targets.parse_copy("2031-03-04T07:30Z/a@b.example c@d.example")
    assert known.addresses == ("a@b.example", "c@d.example")
    assert known.is_on(datetime(2031, 3, 4, 7, 29, tzinfo=UTC)) and not known.is_on(datetime(2031, 3, 4, 7, 30, tzinfo=UTC))
    assert forward_targets.parse_copy("/a@b.example").is_on(datetime(2099, 1, 1, tzinfo=UTC))
    assert forward_targets.parse_copy("") is None


@pytest.mark.parametrize("copy", ["nonsense", "/", "2031/a@b.example", "/a@b.example\n", 5, "/a@b.example  c@d.example"])
def test_a_copy_that_says_nothing_is_none(copy):
    assert checked(Preferences(), {"forwarding": copy}, {"forwarding"}).forwarding == ""


def test_an_account_that_is_closed_is_noted_for_the_banner_until_it_is_open_again(here):
    people = {
        name: User.create(address=f"{name}@lycee.example", local=name, domain="lycee.example") for name in ("ann", "bob", "cy")
    }
    forward_targets.keep_as(people["ann"], Forwarding(True, ("bob+x@lycee.example", "bob@lycee.example", "cy@lycee.example")))
    forward_targets.keep_as(people["cy"], Forwarding(True, ("ann@lycee.example",)))

    def told(name: str) -> tuple[str, ...]:
        chosen = preferences.for_user(User.get(User.local == name))
        return forward_targets.parse_copy(chosen.forwarding, chosen.forwarding_closed).closed

    for active, closed in ((0, ("bob+x@lycee.example", "bob@lycee.example")), (1, ())):
        User.update(active=active).where(User.local == "bob").execute()
        forward_targets.note_closed()
        assert (told("ann"), told("cy")) == (closed, ())


def test_addresses_that_others_wrote_and_took_away_take_up_no_room(here):
    user = User.create(address="ann@lycee.example", local="ann", domain="lycee.example")
    forward_targets.confirm(user, "one@lycee.example")
    for number in range(3 * forward_targets.MOST_TARGETS):
        forward_targets.keep_as(user, Forwarding(True, (f"x{number}@far.example", "one@lycee.example")))
    forward_targets.keep_as(user, Forwarding())
    assert [str(row.address) for row in forward_targets.for_user(user)] == ["one@lycee.example"]
    assert forward_targets.has_room(user, "two@lycee.example")


def test_redirects_are_found_wherever_they_stand():
    script = (
        'require "copy"; if true { if false { redirect "a@x.fr"; } else { redirect :copy "b@x.fr"; } } redirect "c@x.fr"; keep;'
    )
    assert script_redirects.in_script(script) == ["a@x.fr", "b@x.fr", "c@x.fr"]
    assert script_redirects.in_script('redirect "a@x.fr') == [script_redirects.UNREADABLE]
    assert script_redirects.in_script("keep;") == []
