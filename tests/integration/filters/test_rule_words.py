"""Rules told in English and French; a server that is away; where forwards may go; what a page weighs."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from tests.support.visits import Visitor
from webmail.filters import store
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.filters.store import Filters
from webmail.models import Session, User, now

FORM = "form.rule-form"
MOVE = (RuleAction(ActionKind.MOVE, "INBOX"),)
F, M = ConditionField, MatchKind

SENTENCES = [
    (
        FilterRule("", (RuleCondition(F.FROM, M.CONTAINS, ("a", "b"), negated=True),), MOVE),
        "If the sender does not contain “a” or “b”, move it to “Inbox”.",
        "Si l’expéditeur ne contient pas « a » ni « b » : déplacer dans « Boîte de réception ».",
    ),
    (
        FilterRule("", (), (RuleAction(ActionKind.STOP), RuleAction(ActionKind.READ), RuleAction(ActionKind.FLAG))),
        "Every message: mark it as read, flag it and stop.",
        "Tous les messages : marquer comme lu, ajouter une étoile et s’arrêter là.",
    ),
    (
        FilterRule("", (RuleCondition(F.SIZE, M.LEAST, ("2097152",)), RuleCondition(F.ATTACHMENT, M.PRESENT)), MOVE, any=True),
        "If it is 2 MB or larger, or it has an attachment, move it to “Inbox”.",
        "Si le message fait 2 Mo ou plus, ou le message a une pièce jointe : déplacer dans « Boîte de réception ».",
    ),
    (
        FilterRule("", (RuleCondition(F.HOUR, M.MOST, ("8",)), RuleCondition(F.DATE, M.LEAST, ("2026-09-01",), negated=True)), MOVE),
        "If it arrives before 09:00, and it arrives before Tuesday 1 September 2026, move it to “Inbox”.",
        "Si le message arrive avant 9\xa0h et le message arrive avant le mardi 1er septembre 2026 : déplacer dans « Boîte de réception ».",
    ),
    (
        FilterRule("", (RuleCondition(F.SUBJECT, M.IS, tuple("abcdef")),), (RuleAction(ActionKind.REPLY, "", "Merci.\nAu revoir."),)),
        "If the subject is “a”, “b”, “c” or 3 other values, reply “Merci. Au revoir”.",
        "Si l’objet est « a », « b », « c » ou 3 autres valeurs : répondre « Merci. Au revoir ».",
    ),
    (
        FilterRule("", (RuleCondition(F.HEADER, M.ENDS, ("x\u202ey",), "X-A"),), MOVE),
        "If the header X-A ends with “x y”, move it to “Inbox”.",
        "Si l’en-tête X-A finit par « x y » : déplacer dans « Boîte de réception ».",
    ),
]  # fmt: skip


@pytest.fixture
def account(person, account_of):
    return account_of(person.address)


def save(account, *rules: FilterRule) -> None:
    with store.changing(1, account, "") as change:
        change.filters = Filters(tuple(replace(rule, id=f"r{number}") for number, rule in enumerate(rules)))
        change.place = SievePlace(frozenset())


def test_sentences_in_both_languages(app, person, account):
    save(account, *(rule for rule, _english, _french in SENTENCES))
    french = Visitor(app, person.address, language="fr").sign_in()
    for visitor, which in ((person, 1), (french, 2)):
        told = [one.get_text().replace("\u00a0", " ") for one in visitor.get("/filters").all("[data-rule] .rule-text > p")]
        assert told == [one[which].replace("\u00a0", " ") for one in SENTENCES]


@pytest.fixture
def away(app, monkeypatch):
    def close() -> None:
        monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], sieve_port=1))

    return close


def test_while_the_server_is_away_pages_say_so_and_the_form_is_kept(person, away):
    form = person.get("/filters/new")
    away()
    fields = {"name": "Lettres", "conditions-0-values": "typed", "actions-0-value": "Archive", "action": "save"}
    page = person.submit(form, FORM, **fields)
    assert page.status == 502 and "not responding" in page.one("main [role=alert]").get_text()
    assert (
        page.one("[name='conditions-0-values']").get_text(strip=True) == "typed" and page.one("[name=name]")["value"] == "Lettres"
    )
    for url in ("/filters", "/filters/scripts", "/filters/new", "/filters/rule/x", "/filters/script?name=x"):
        page = person.get(url)
        assert page.status == 502 and "not responding" in page.text, url


def test_a_folder_is_renamed_though_the_filter_server_is_away(person, away):
    person.submit(person.get("/folders"), "#new-folder", name="Lettres")
    away()
    token = person.get("/folders").all("[name=csrf_token]")[0]["value"]
    page = person.post("/folder/Lettres", {"csrf_token": token, "action": "rename", "name": "Courrier"})
    assert "Folder renamed" in page.notices and "filter service did not answer" in page.notices


def test_forwards_go_inside_only(person, account):
    fields = {"conditions-0-values": "x", "actions-0-kind": "forward", "actions-0-was": "forward", "action": "save"}
    for address in ("eve@outside.example", "a@lycee.example, eve@outside.example", "not an address", "<bob@lycee.example>"):
        page = person.submit(person.get("/filters/new"), FORM, **fields, **{"actions-0-value": address})
        assert page.status == 422 and "can’t be forwarded" in page.one("#actions-0-value-error").get_text(), address
    Session.update(confirmed=now()).where(Session.user == User.get(User.address == person.address)).execute()  # by a factor
    page = person.submit(person.get("/filters/new"), FORM, **fields, **{"actions-0-value": "bob@lycee.example"})
    assert page.status == 200 and len(store.load(account).filters.rules) == 1


def test_a_list_of_twenty_weighs_little(person, account, app):
    save(account, *[replace(SENTENCES[number % len(SENTENCES)][0], name=f"Filtre {number * 7919}") for number in range(20)])
    page = person.get("/filters")
    assert len(page.all("[data-rule]")) == 20
    sheets = [one["href"] for one in page.all("main link[rel=stylesheet]")]
    weight = len(gzip.compress(page.html.encode())) + sum(len(gzip.compress(person.client.get(url).data)) for url in sheets)
    assert weight <= 10 * 1024, weight
