"""An absence as Sieve: who gets what, and when; nothing that is typed becomes Sieve or another part of the message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy

import pytest

from webmail.filters import own_script, store
from webmail.filters.absence.absence import Absence, Audience, check, compiled, from_json, moments, to_json
from webmail.filters.rules.compiler import SievePlace
from webmail.filters.rules.rules import BadRuleError
from webmail.filters.store import Filters
from webmail.sieve.nodes import Command, ListArgument, NumberArgument, StringArgument
from webmail.sieve.parser import parse

PLACE = SievePlace(
    frozenset({"vacation", "date", "relational", "envelope"}), ("lycee.example",), ("ann@lycee.example", "cpe@lycee.example"),
    contacts=lambda _group: ("zoe@x.fr",),
)  # fmt: skip
START = datetime(2026, 12, 19, 23, 0, tzinfo=UTC)
AWAY = Absence(True, START, START + timedelta(days=14), "Absente", "Je reviens.", days=7)

HOSTILE = [
    '"; discard; #', '"]; redirect "eve@x.fr"; if header :is "x" ["', "a\n.\nredirect \"eve@x.fr\";\n", "text:\n.\n", "${x}", "\\", '\\"',
    "--=_traboule_absence--\n\nX", "--=_traboule_absence\nContent-Type: text/html\n\n<script>", "From: x\n\nX", "a\u2028b", "é\U0001f600",
    "*/ discard; /*", "# traboule:absence 0000000000000000 {}", ".\n..\n.", "<script>alert(1)</script>", "[x](javascript:alert(1))", "%s{0}",
]  # fmt: skip


def vacations(absence: Absence, place: SievePlace = PLACE) -> list[Command]:
    return [one for command in compiled(absence, place) for one in command.walk() if one.name == "vacation"]


def answers(absence: Absence, place: SievePlace = PLACE) -> tuple[Command, ...]:
    """What is inside the test of the moments."""
    [whole] = compiled(absence, place)
    return whole.block or ()


def text_of(command: Command) -> str:
    last = command.arguments[-1]
    assert isinstance(last, StringArgument)
    return last.value


def test_one_answer_for_everybody():
    [one] = vacations(AWAY)
    assert text_of(one) == "Je reviens."
    assert NumberArgument(7) in one.arguments
    assert StringArgument("Absente") in one.arguments
    assert ListArgument(("ann@lycee.example", "cpe@lycee.example")) in one.arguments


def test_people_inside_get_another_by_the_address_that_it_goes_to():
    choice, _else = answers(replace(AWAY, text_inside="Voir Bob."))
    assert choice.tests[0].name == "envelope"
    assert [text_of(one) for one in vacations(replace(AWAY, text_inside="Voir Bob."))] == ["Voir Bob.", "Je reviens."]
    bare = replace(PLACE, extensions=PLACE.extensions - {"envelope"})
    choice, _else = answers(replace(AWAY, text_inside="Voir Bob."), bare)
    assert choice.tests[0].name == "address"


@pytest.mark.parametrize(
    ("audience", "inside", "texts"),
    [
        (Audience.CONTACTS, "", ["Je reviens.", "Je reviens."]),
        (Audience.CONTACTS, "Voir Bob.", ["Voir Bob.", "Je reviens."]),
        (Audience.NOBODY, "", ["Je reviens."]),
        (Audience.NOBODY, "Voir Bob.", ["Voir Bob."]),
    ],
)
def test_fewer_are_answered(audience, inside, texts):
    assert [text_of(one) for one in vacations(replace(AWAY, audience=audience, text_inside=inside))] == texts


def test_without_contacts_none_of_them_is_answered():
    commands = answers(replace(AWAY, audience=Audience.CONTACTS), replace(PLACE, contacts=lambda _: ()))
    assert commands[1].name == "elsif"
    assert commands[1].tests[0].arguments[-1] == ListArgument(("nobody@invalid.invalid",))


def test_nothing_while_it_is_off():
    assert compiled(replace(AWAY, on=False), PLACE) == ()


def test_it_begins_and_ends_by_itself():
    end = START + timedelta(days=14)
    second = timedelta(seconds=1)
    assert len(moments(AWAY)) == 2
    assert [AWAY.is_over(at) for at in (end - second, end)] == [False, True]


def test_formatted_text_goes_out_as_both_parts():
    [one] = vacations(replace(AWAY, text="Je reviens **lundi**.\n\n- un\n- deux", formatted=True))
    message = message_from_string(text_of(one).replace("\r\n", "\n"), policy=policy.default)
    plain, html = message.iter_parts()
    assert message.get_content_type() == "multipart/alternative"
    assert plain.get_content().startswith("Je reviens **lundi**.")
    assert "<strong>lundi</strong>" in html.get_content()


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("formatted", [False, True])
def test_no_text_becomes_sieve_or_another_part(text, formatted):
    absence = replace(AWAY, text=text, text_inside=text, formatted=formatted, subject=" ".join(text.split())[:300] or "x")
    if not absence.subject.isprintable():
        absence = replace(absence, subject="x")
    script = store.script_of(Filters(absence=absence), PLACE)
    own = own_script.read(script)
    assert store.filters_of(own) == (Filters(absence=absence), 0)
    assert not own.foreign and not any(part.edited for part in own.parts)
    assert {command.name for command in parse(script).walk()} <= {"require", "if", "else", "vacation"}
    for one in vacations(absence):
        if formatted:
            parts = list(message_from_string(text_of(one).replace("\r\n", "\n"), policy=policy.default).iter_parts())
            assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
            assert parts[0].get_content().splitlines() == text.splitlines()
            html = parts[1].get_content()
            assert "<script" not in html and 'href="javascript' not in html


def test_another_absence_is_another_answer():
    """Who got one in October's is told of December's, though 30 days are not over."""
    later = replace(AWAY, start=START + timedelta(days=60), until=None)

    def handle(one: Command) -> object:
        return one.arguments[3]

    assert handle(vacations(AWAY)[0]) != handle(vacations(later)[0])
    assert handle(vacations(AWAY)[0]) == handle(vacations(replace(AWAY, text="Corrigé", until=None))[0])


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"text": " \n"}, "text"),
        ({"until": START}, "until"),
        ({"days": 0}, "days"),
        ({"days": 365}, "days"),
        ({"subject": "a\r\nBcc: eve@x.fr"}, "subject"),
        ({"subject": "x" * 301}, "subject"),
        ({"text": "x" * 10_001}, "text"),
        ({"text_inside": "x" * 10_001}, "text_inside"),
        ({"text": "a\0"}, "text"),
        ({"text": "a\ud800"}, "text"),
    ],
)
def test_what_can_t_be_is_refused_at_its_field(wrong, what):
    with pytest.raises(BadRuleError) as refused:
        check(replace(AWAY, **wrong))
    assert refused.value.what == what


def test_it_may_be_unfinished_while_it_is_off():
    check(Absence())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"on":true}',
        to_json(AWAY).replace('"7"', "x").replace(":7", ":8"),
        to_json(AWAY).replace('"days":7', '"days":Infinity'),
        "[" * 90_000,
    ],
)
def test_data_that_nobody_wrote_is_refused(text):
    with pytest.raises(BadRuleError):
        from_json(text)


def test_times_of_other_centuries_are_ones_that_pages_can_show():
    """Another program may write them, and every page has a banner that shows them."""
    for year in (1, 999, 9999):
        text = to_json(Absence()).replace('"until":""', f'"until":"{year:04d}-12-31T23:59:59Z"')
        until = from_json(text).until
        assert until and until.year == (2200 if year == 9999 else 2000)


def test_it_comes_back_from_json():
    for one in (AWAY, Absence(), replace(AWAY, until=None, formatted=True, audience=Audience.NOBODY, text_inside="a\nb")):
        assert from_json(to_json(one)) == one
