"""Verdict of the door, without Postfix and without a network; and the headers that it writes and removes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from deploy.milter.owners import Owners, OwnersAwayError
from deploy.milter.results import Result, header, ours
from deploy.milter.verdict import Checked, outside, submission

OURS = frozenset({"lycee.example"})
ALICE, BOB, FAR = "alice@lycee.example", "bob@lycee.example", "ann@far.example"


def submitted(*fields: tuple[str, str], sender: str = ALICE, proven: bool = False) -> tuple[str, str]:
    """The code of refusal, or the results."""
    found = submission(list(fields), ALICE, sender, lambda address: address.lower() == ALICE, OURS, lambda: proven)
    return found.code, header("us", found.results)


def test_ones_own_message_is_proven() -> None:
    assert submitted(("From", f"Alice <{ALICE}>")) == (
        "", f"us; auth=pass (login) smtp.auth={ALICE} smtp.mailfrom={ALICE} header.from={ALICE}",
    )  # fmt: skip


def test_without_an_envelope_sender_none_is_named() -> None:
    assert submitted(("From", ALICE), sender="")[1] == f"us; auth=pass (login) smtp.auth={ALICE} header.from={ALICE}"


@pytest.mark.parametrize("name", [BOB, "bob＠lycee.example", "Bob (bob@lycee.example)"])
def test_a_colleagues_address_is_no_name(name: str) -> None:
    assert submitted(("From", f'"{name}" <{ALICE}>'))[0] == "550"
    assert submitted(("From", f'"{name.replace(BOB, FAR)}" <{BOB}>'))[0] == "550"


def test_a_redirected_message_keeps_its_author_only_where_that_is_no_lie() -> None:
    resent = ("Resent-From", ALICE)
    assert submitted(resent, ("From", FAR)) == ("", f"us; auth=pass (redirected) smtp.auth={ALICE} smtp.mailfrom={ALICE}")
    assert submitted(resent, ("From", f"list: {FAR};"))[0] == ""
    assert submitted(resent, ("From", BOB))[0] == "550"
    assert submitted(resent, ("From", f"list: {BOB};"))[0] == "550"
    assert submitted(resent, ("From", BOB), proven=True)[0] == ""
    assert submitted(resent, ("Resent-From", BOB), ("From", FAR))[0] == "550"
    assert submitted(resent, ("Resent-Sender", BOB), ("From", FAR))[0] == "550"
    assert submitted(resent, ("From", f'"{BOB}" <{ALICE}>'))[0] == "550"
    assert submitted(resent, ("From", f"Alice <{ALICE}>"))[0] == ""


def arrived(author: str, passed: set[str], *, unsure: bool = False, trusted: bool = False) -> str:
    checked = Checked([Result("spf", "pass")], frozenset(passed), unsure)
    return outside([("From", author)], OURS, lambda domain: checked, trusted=trusted).code


def test_our_domain_needs_a_pass_of_its_own() -> None:
    assert arrived(ALICE, {"lycee.example"}) == arrived(ALICE, {"mail.lycee.example"}) == ""
    assert arrived(ALICE, set()) == arrived(ALICE, {"far.example"}) == arrived(ALICE, {"example"}) == "550"
    assert arrived(ALICE, {"xlycee.example"}) == arrived(f"{ALICE}, {FAR}", {"lycee.example"}) == "550"
    assert arrived(ALICE, set(), unsure=True) == "451"
    assert arrived(ALICE, set(), trusted=True) == ""
    assert arrived(FAR, set()) == arrived(f"x <{FAR}> y", set()) == ""


def test_a_domain_below_ours_is_refused_where_it_is_listed_or_dmarc_says_so() -> None:
    ent, listed = "notes@ent.lycee.example", OURS | {"ent.lycee.example"}

    def code(ours: frozenset[str], passed: set[str], policy: str = "", author: str = ent) -> str:
        checked = Checked([], frozenset(passed), policy=policy)
        return outside([("From", author)], ours, lambda domain: checked, trusted=False).code

    assert code(OURS, set()) == code(OURS, set(), "none") == code(OURS, set(), "quarantine") == ""
    assert code(OURS, set(), "reject") == code(listed, set()) == "550"
    assert code(listed, {"ent.lycee.example"}) == code(listed, {"lycee.example"}) == code(listed, {"x.ent.lycee.example"}) == ""
    assert code(listed, {"example"}) == code(listed, {"web.lycee.example"}) == "550"
    assert code(OURS, set(), "reject", FAR) == "", "others' policies are for the page"


HIDDEN = [
    "bob @ lycee.example", "bob@ lycee . example", '"bob"@lycee.example', '"x:bob"@lycee.example', "bob@lycee(x).example",
    "bob@(x)lycee.example", "bob@lycee(\\)).example", '"("@lycee(x).example', "bob(@)@lycee.example", "bob@[lycee.example]",
    "<bob@lycee. example>", "bob\\@lycee.example", '=?utf-8?q?"bob"=40lycee.example?=', "bob @ lycee.example <eve@far.example>",
    f'"{"a" * 9000}" <{BOB}>', f"{'a ' * 5000} <{BOB}>",
]  # fmt: skip


@pytest.mark.parametrize("value", HIDDEN)
def test_an_address_of_ours_that_another_program_might_read_needs_proof_too(value: str) -> None:
    everybody = Checked([], frozenset({"far.example"}))
    assert not outside([("From", value)], OURS, lambda domain: everybody, trusted=False).taken
    assert submitted(("From", value), ("Resent-From", ALICE))[0] == "550"


@pytest.mark.parametrize(
    "value", ["Leroy, Ann <ann@lycee.examples.org>", "Ann, of lycee.example <ann@far.example>", "ann @ far.example"]
)
def test_what_only_resembles_an_address_of_ours_is_taken(value: str) -> None:
    assert outside([("From", value)], OURS, lambda domain: Checked([]), trusted=False).taken


def test_no_result_is_smuggled_into_the_header() -> None:
    hostile = [
        "a@x.example; dkim=pass",
        "a b@x.example",
        'a"@x.example',
        "a@x.example\r\nX: y",
        "(a)@x.example",
        "a" * 400 + "@x.example",
    ]
    for value in hostile:
        assert str(Result("spf", "none", (("smtp.mailfrom", value),))) == "spf=none"
    assert str(Result("spf", "none", (("smtp.mailfrom", "renée+x@éloigné.example"),))).endswith("=renée+x@éloigné.example")


def test_only_headers_that_bear_our_name_are_removed_the_last_first() -> None:
    values = [
        "us; none",
        "other; none",
        '"US" 1; none',
        "(x(y)) us (z); none",
        "usher; us=pass",
        "us.example; none",
        "(" * 50 + "us; none",
    ]
    fields = [("Received", "x"), *(("authentication-RESULTS", value) for value in values)]
    assert ours(fields, "us") == [7, 4, 3, 1]


# --- owners ----------------------------------------------------------------------------------------------------------


def test_owners_are_asked_by_postfixs_own_query(tmp_path: Path) -> None:
    database, file = tmp_path / "a.sqlite", tmp_path / "senders.cf"
    with closing(sqlite3.connect(database)) as tables, tables:
        tables.execute("CREATE TABLE accounts (address TEXT)")
        tables.execute("INSERT INTO accounts VALUES (?)", [ALICE])
    file.write_text(
        f"# map\ndbpath = {database}\nquery = SELECT address FROM accounts\n    WHERE address = lower('%s') OR '%s' = 'all'\n"
    )
    owners = Owners(file)
    assert (owners.of("ALICE@lycee.example"), owners.of("x' OR '1'='1"), owners.of("all")) == ({ALICE}, set(), {ALICE})
    database.unlink()
    with pytest.raises(OwnersAwayError):
        owners.of(ALICE)


@pytest.mark.parametrize("text", ["", "dbpath = /x", "query = SELECT 1", "nonsense"])
def test_a_file_that_is_no_map_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "senders.cf").write_text(text)
    with pytest.raises(ValueError, match="not a map"):
        Owners(tmp_path / "senders.cf")
