"""Every condition with every match, and every action, on mail that really arrives (Pigeonhole, by LMTP)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from tests.support.messages import message
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail.filters import snoozed_arrivals, store
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import MATCHES, ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.filters.store import Filters
from webmail.mailbox.snooze import snooze
from webmail.models import Snoozed, User, now

F, M, A = ConditionField, MatchKind, ActionKind
_AT_ONCE = 20  # rules, and so keywords, for each message

# field -> match -> (values of which one fits, values of which none does)
_TEXTS = {
    F.FROM: ("zoe.martin@maths.example", "Martin <zoe", '"Zoé', "maths.example>", "zoe*maths.example"),
    F.TO: ("nora@lycee.example", "NORA", "nora@", "lycee.example", "n?ra@*"),
    F.CC: ("bob@lycee.example", "bob@", "bob", ".example", "b*b@*"),
    F.RECIPIENT: ("bob@lycee.example", "nora@", "bob", ".example", "b*b@*"),
    F.SUBJECT: ("Devis nº 5, été", "DEVIS", "devis", "ÉTÉ", "d?vis n* 5*"),
    F.HEADER: ("vanilla [x]", "NILLA", "vanilla", "[x]", "van*\\[x\\]"),
    F.LIST: ("Maths <maths.list.example>", "maths.list", "maths", "example>", "*list*"),
    F.ATTACHMENT: ("budget 2026.pdf", "2026", "budget", ".pdf", "bud*20??.pdf"),
    F.ATTACHMENT_TYPE: ("application/pdf", "pdf", "application", "/pdf", "app*/p?f"),
}
_MATCHES = (M.IS, M.CONTAINS, M.BEGINS, M.ENDS, M.MATCHES)


def letter(**headers: str) -> EmailMessage:
    made = message("Devis nº 5, été", "Bonjour tout le monde", '"Zoé Martin" <zoe.martin@maths.example>', To="nora@lycee.example")
    headers = {"Cc": "bob@lycee.example", "List-Id": "Maths <maths.list.example>", "X-Flavour": "vanilla [x]"} | headers
    for name, value in headers.items():
        made[name] = value
    made.add_attachment(b"%PDF" + b"x" * 3000, maintype="application", subtype="pdf", filename="budget 2026.pdf")
    return made


def _moment_cases() -> list[tuple[ConditionField, MatchKind, tuple[str, ...], bool]]:
    """Around now. The hour and the day may change meanwhile: what is asked has room on both sides."""
    now = datetime.now()
    day = [(now + timedelta(days=days)).strftime("%Y-%m-%d") for days in (-2, -1, 0, 1, 2)]
    hours = (str(now.hour), str((now.hour + 1) % 24))
    weekday = [str((now + timedelta(days=days)).isoweekday() % 7) for days in (0, 1, 3)]
    return [
        (F.DATE, M.IS, tuple(day), True), (F.DATE, M.IS, (day[0], "2020-01-01"), False), (F.DATE, M.LEAST, (day[1],), True),
        (F.DATE, M.LEAST, (day[4],), False), (F.DATE, M.MOST, (day[3],), True), (F.DATE, M.MOST, (day[0],), False),
        (F.WEEKDAY, M.IS, (weekday[0], weekday[1]), True), (F.WEEKDAY, M.IS, (weekday[2],), False), (F.HOUR, M.IS, hours, True),
        (F.HOUR, M.IS, (str((now.hour + 5) % 24),), False), (F.HOUR, M.LEAST, ("0",), True), (F.HOUR, M.MOST, ("23",), True),
    ]  # fmt: skip


def _cases() -> list[tuple[ConditionField, MatchKind, tuple[str, ...], bool]]:
    found = []
    for field, texts in _TEXTS.items():
        for match, text in zip(_MATCHES, texts, strict=True):
            if field is F.FROM and match is M.BEGINS:
                text = "zoe."  # the address: the name may stand in quotes, or encoded
            if field is F.FROM and match in (M.CONTAINS, M.ENDS):
                text = {M.CONTAINS: "Martin", M.ENDS: "maths.example"}[match]
            found += [(field, match, ("no such words", text), True), (field, match, ("no such words", "nor these"), False)]
    found += [
        (F.HEADER, M.PRESENT, (), True), (F.LIST, M.PRESENT, (), True), (F.ATTACHMENT, M.PRESENT, (), True),
        (F.BODY, M.CONTAINS, ("TOUT le",), True), (F.BODY, M.CONTAINS, ("absent",), False), (F.SIZE, M.LEAST, ("3000",), True),
        (F.SIZE, M.LEAST, ("9000000",), False), (F.SIZE, M.MOST, ("9000000",), True), (F.SIZE, M.MOST, ("3000",), False),
        (F.CONTACTS, M.PRESENT, (), True), (F.CONTACTS, M.PRESENT, ("strangers",), False), (F.INSIDE, M.PRESENT, (), False),
        (F.UNPROVEN, M.PRESENT, (), True), *_moment_cases(),
    ]  # fmt: skip
    return found


@pytest.fixture
def nora(make_account, account_of):
    return account_of(make_account("nora"))


def save(account, *rules: FilterRule, **more) -> None:
    place = SievePlace(
        frozenset(), ("lycee.example",), (account.address, "nora@lycee.example"), authserv_id="mx.lycee.example",
        contacts=lambda group: ("someone@else.example",) if group else ("zoe.martin@maths.example",), **more,
    )  # fmt: skip
    with store.changing(1, account, "") as change:
        change.filters, change.place = Filters(rules), place


def test_the_table_of_conditions_has_every_match():
    asked = {(field, match) for field, match, _values, _fits in _cases()}
    everything = {(field, match) for field, matches in MATCHES.items() for match in matches if field is not F.SPAM}
    assert asked == everything  # spam: the test server has no spamtest


def test_every_condition_finds_what_it_says_and_its_opposite_does_not(nora, imap_of, deliver):
    proof = {"Authentication-Results": "mx.lycee.example; dmarc=fail header.from=maths.example"}
    wrong, cases = [], [(*case, negated) for case in _cases() for negated in (False, True)]
    client = imap_of(nora.address)
    for at in range(0, len(cases), _AT_ONCE):
        piece = cases[at : at + _AT_ONCE]
        rules = []
        for number, (field, match, values, _fits, negated) in enumerate(piece):
            condition = RuleCondition(field, match, values, "X-Flavour" if field is F.HEADER else "", negated)
            rules.append(FilterRule(f"{at + number}", (condition,), (RuleAction(A.TAG, f"k{number}"),), id=f"{number}"))
        save(nora, *rules)
        deliver(nora.address, letter(**proof))
        client.select_folder("INBOX", readonly=True)
        uid = max(client.search())  # LMTP says so once a message is stored
        flags = {flag.decode() for flag in client.fetch([uid], ["FLAGS"])[uid][b"FLAGS"]}
        wrong += [case for number, case in enumerate(piece) if (f"k{number}" in flags) != (case[3] != case[4])]
    assert wrong == []


def test_all_and_any(nora, imap_of, arrives, deliver):
    yes, no = RuleCondition(F.SUBJECT, M.CONTAINS, ("devis",)), RuleCondition(F.SUBJECT, M.CONTAINS, ("facture",))
    tests = [((yes, no), False), ((yes, no), True), ((yes, yes), False), ((no, no), True), ((), False)]
    rules = [
        FilterRule("x", found, (RuleAction(A.TAG, f"k{at}"),), any_of, id=str(at)) for at, (found, any_of) in enumerate(tests)
    ]
    save(nora, *rules)
    deliver(nora.address, letter())
    client = imap_of(nora.address)
    uid = arrives(client, ["SUBJECT", "Devis"])
    flags = {flag.decode() for flag in client.fetch([uid], ["FLAGS"])[uid][b"FLAGS"]}
    assert {flag for flag in flags if flag.startswith("k")} == {"k1", "k2", "k4"}


def rule(*actions: RuleAction) -> FilterRule:
    return FilterRule("r", (RuleCondition(F.SUBJECT, M.CONTAINS, ("devis",)),), actions, id="r")


def test_actions_on_the_message_itself(nora, imap_of, arrives, deliver):
    save(nora, rule(RuleAction(A.MOVE, "Archive"), RuleAction(A.TAG, "urgent"), RuleAction(A.FLAG), RuleAction(A.READ)))
    deliver(nora.address, letter())
    client = imap_of(nora.address)
    uid = arrives(client, ["SUBJECT", "Devis"], "Archive")
    assert {b"urgent", b"\\Flagged", b"\\Seen"} <= set(client.fetch([uid], ["FLAGS"])[uid][b"FLAGS"])
    client.select_folder("INBOX")
    assert client.search() == []


@pytest.mark.parametrize(
    ("action", "folders"),
    [
        (RuleAction(A.COPY, "Archive"), {"INBOX", "Archive"}),
        (RuleAction(A.DELETE), {"Trash"}),
        (RuleAction(A.MOVE, "Junk"), {"Junk"}),
        (RuleAction(A.SNOOZE, "3"), {"Snoozed"}),
    ],
    ids=["copy", "delete", "move", "snooze"],
)
def test_where_a_message_ends(nora, imap_of, arrives, deliver, action, folders):
    client = imap_of(nora.address)
    if not client.folder_exists("Snoozed"):
        client.create_folder("Snoozed")
    save(nora, rule(action))
    deliver(nora.address, letter())
    for folder in folders:
        arrives(client, ["SUBJECT", "Devis"], folder)
    for folder in {"INBOX", "Archive", "Trash", "Junk", "Snoozed"} - folders:
        client.select_folder(folder)
        assert client.search() == [], folder


def test_a_snoozed_arrival_comes_back(app, nora, imap_of, arrives, deliver):
    Visitor(app, nora.address).sign_in()
    user = User.get(User.address == nora.address)
    rules = (rule(RuleAction(A.SNOOZE, "3")),)
    save(nora, *rules)
    snoozed_arrivals.note(user, Filters(rules))
    client = imap_of(nora.address)
    if not client.folder_exists("Snoozed"):
        client.create_folder("Snoozed")
    deliver(nora.address, letter())
    settings = app.extensions["settings"]
    for _twice in range(2):
        snoozed_arrivals.sweep(settings)
    [row] = list(Snoozed.select().where(Snoozed.user == user))
    assert row.mailbox == "INBOX" and timedelta(days=2.9) < row.due - now() <= timedelta(days=3) and "Devis" in row.subject
    Snoozed.update(due=now()).where(Snoozed.id == row.id).execute()
    snooze.sweep(settings)
    uid = arrives(client, ["SUBJECT", "Devis"])
    assert not [flag for flag in client.fetch([uid], ["FLAGS"])[uid][b"FLAGS"] if b"snooze" in flag]


def test_stop_keeps_the_rules_below_from_it(nora, imap_of, arrives, deliver):
    below = FilterRule("b", (), (RuleAction(A.TAG, "below"),), id="b")
    save(nora, rule(RuleAction(A.TAG, "above"), RuleAction(A.STOP)), below)
    deliver(nora.address, letter())
    client = imap_of(nora.address)
    uid = arrives(client, ["SUBJECT", "Devis"])
    flags = set(client.fetch([uid], ["FLAGS"])[uid][b"FLAGS"])
    assert b"above" in flags and b"below" not in flags


def test_a_forward_goes_on_and_stays(nora, make_account, imap_of, arrives, deliver):
    other = make_account("other")
    save(nora, rule(RuleAction(A.FORWARD, other)))
    deliver(nora.address, letter())
    arrives(imap_of(nora.address), ["SUBJECT", "Devis"])
    arrives(imap_of(other), ["SUBJECT", "Devis"])


@pytest.mark.parametrize("kind", [A.REPLY, A.REJECT])
def test_the_sender_is_told(nora, outside, deliver, kind):
    save(nora, rule(RuleAction(kind, "Au sujet du devis" if kind is A.REPLY else "", f"Bonjour {kind}, voici.\n.\nFin")))
    made = letter()
    del made["List-Id"]
    deliver(nora.address, made, f"zoe-{kind}@maths.example")

    def sent():
        for envelope in outside.glob("*.json"):
            if f"zoe-{kind}@maths.example" in json.dumps(json.loads(envelope.read_text())):
                return envelope.with_suffix(".eml").read_bytes()
        return None

    text = eventually(sent, step=0.1, what="an answer")
    assert f"Bonjour {kind}, voici.".encode() in text and b"Fin" in text
