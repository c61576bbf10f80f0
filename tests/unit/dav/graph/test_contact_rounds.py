"""Contacts of Microsoft 365 kept in step: photographs that Graph has no room for, and random changes on both sides with kills."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable

import pytest

from tests.support.fakes.graph_mailbox import GraphMailbox
from tests.support.graph_pair import GraphPair, title_of
from webmail.collections.store import BOOK
from webmail.dav.remote.graph import extra_lines

_LARGE = "PHOTO;ENCODING=b;TYPE=JPEG:" + "/9j4AAQ" * 9_000  # 63,000 characters: Graph keeps 32,000


class Killed(BaseException):
    """The worker."""


def _there(mailbox: GraphMailbox) -> dict[str, str]:
    """Names by titles."""
    return {one["displayName"]: name for name, one in mailbox.contacts.items() if not one["_removed"]}


def _change_there(mailbox: GraphMailbox, name: str, **values: str) -> None:
    mailbox._write_contact(mailbox.contacts[name], dict(values))


def _card(one: GraphPair, title: str) -> str:
    [card] = [text for text in one.here().values() if title_of(text) == title]
    return re.sub("\r?\n ", "", card)


@pytest.mark.parametrize("whole", [False, True], ids=["changes", "everything"])
def test_a_large_photograph_stays_when_the_contact_is_changed_there(
    pair: Callable[..., GraphPair], mailbox: GraphMailbox, whole: bool
) -> None:
    one = pair(BOOK)
    one.write_here("a.vcf", one.text("a", "Anne", _LARGE, "X-OWN:1", "TEL;TYPE=FAX:4"))
    one.sync()
    [name] = mailbox.contacts
    [stored] = [text for key, text in mailbox.contacts[name]["_stored"].items() if key == extra_lines.PROPERTY]
    assert len(stored) < 32_000
    _change_there(mailbox, name, jobTitle="Proviseure")
    one.sync(whole=whole)
    card = _card(one, "Anne")
    assert _LARGE in card and "TITLE:Proviseure" in card and "X-OWN:1" in card and "FAX" in card
    assert one.notes() == []
    one.sync(whole=True)
    assert one.equal() == {"Anne": 1}


def test_a_large_photograph_that_is_removed_here_does_not_come_back(
    pair: Callable[..., GraphPair], mailbox: GraphMailbox
) -> None:
    one = pair(BOOK)
    one.write_here("a.vcf", one.text("a", "Anne", _LARGE))
    one.sync()
    one.write_here("a.vcf", one.text("a", "Anne"))
    one.sync()
    _change_there(mailbox, next(iter(mailbox.contacts)), jobTitle="Proviseure")
    one.sync()
    assert "PHOTO" not in _card(one, "Anne")


def test_of_two_versions_the_one_there_has_the_photograph_too(pair: Callable[..., GraphPair], mailbox: GraphMailbox) -> None:
    one = pair(BOOK)
    one.write_here("a.vcf", one.text("a", "Anne", _LARGE))
    one.sync()
    one.write_here("a.vcf", one.text("a", "Anna", _LARGE))
    _change_there(mailbox, next(iter(mailbox.contacts)), displayName="Annie")
    one.sync()
    one.sync()
    assert _LARGE in _card(one, "Annie") and _LARGE in _card(one, "Anna (your version)")


def test_what_is_too_long_is_named_whatever_there_is_of_it() -> None:
    """Somebody may have stored anything there."""
    parts = {"": {f"X-{number}": ["", ["X" * 3_000]] for number in range(400)}}
    text = extra_lines.ExtraLines("u", parts).written()
    assert len(text) <= extra_lines.LARGEST and len(extra_lines.read(text).left_out[""]) == 20
    for broken in ('{"uid":"u","parts":{},"left_out":3}', '{"uid":"u","parts":{},"left_out":{"":[1]}}'):
        assert extra_lines.read(broken) == extra_lines.ExtraLines()


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_on_both_sides_with_kills_lose_nothing_and_double_nothing(
    pair: Callable[..., GraphPair], mailbox: GraphMailbox, seed: int
) -> None:
    """A version that nobody replaced or deleted knowingly is somewhere in the end, once, and photographs with it."""
    chance, one = random.Random(seed), pair(BOOK)
    alive, with_photograph, kills = set[str](), set[str](), 0
    for turn in range(25):
        for change in range(chance.randrange(1, 5)):
            _change_something(one, mailbox, chance, alive, with_photograph, f"<{turn}-{change}>")
        left = chance.randrange(1, 12)

        def kill(_method: str, _path: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed

        mailbox.before, mailbox.after = (kill, mailbox.after) if chance.random() < 0.5 else (mailbox.before, kill)
        with contextlib.suppress(Killed):
            one.sync()
        kills += left <= 0
        mailbox.before = mailbox.after = lambda _method, _path: None
    for _again in range(3):
        one.sync()
    one.sync(whole=True)
    versions = [version for title in one.equal().elements() for version in re.findall(r"<[\d-]+>", title)]
    assert kills > 5 and {note for note, _title in one.notes()} <= {"conflict"}
    assert sorted(versions) == sorted(set(versions)) and not alive - set(versions)
    cards = {title_of(text): re.sub("\r?\n ", "", text) for text in one.here().values()}
    assert all(_LARGE in card for title, card in cards.items() if title.split(" (")[0] in with_photograph)


def _change_something(
    one: GraphPair, mailbox: GraphMailbox, chance: random.Random, alive: set[str], with_photograph: set[str], version: str
) -> None:
    here = chance.random() < 0.5
    if here:
        texts = one.here()
        known = {title_of(text): href for href, text in texts.items()}
    else:
        known = _there(mailbox)
    title = chance.choice([*known, "", ""])
    alive.difference_update(re.findall(r"<[\d-]+>", title))
    if title and chance.random() < 0.25:
        if here:
            one.delete_here(known[title])
        else:
            mailbox.seq += 1
            mailbox.contacts[known[title]] |= {"_removed": True, "_seq": mailbox.seq}
        return
    alive.add(version)
    if not here and title:
        if title.split(" (")[0] in with_photograph:
            with_photograph.add(version)
        _change_there(mailbox, known[title], displayName=version)
    elif not here:
        made = {"id": f"AAMkNew{version.strip('<>')}=", "_folder": "", "_removed": False}
        mailbox.contacts[made["id"]] = made  # type: ignore[assignment]
        _change_there(mailbox, str(made["id"]), displayName=version)
    else:
        keeps = bool(title) and _LARGE in re.sub("\r?\n ", "", texts[known[title]])
        photographs = [_LARGE] if keeps or chance.random() < 0.5 else []
        with_photograph |= {version} if photographs else set()
        before = re.search(r"UID:(.*?)\r", texts[known[title]]) if title else None
        uid = before[1] if before else f"u{version.strip('<>')}"
        one.write_here(known.get(title, f"n{version.strip('<>')}.vcf"), one.text(uid, version, *photographs))
