"""Names that are read as somebody's, whatever letters and words they are made of."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.threats import display_names
from webmail.mime.threats.skeletons import LONGEST, skeleton


@pytest.mark.parametrize(
    "name",
    [
        "Bob Girard", "GIRARD, Bob", "girard bob", "  bob  girard ", "Bób Girard", "Bob\u00a0Girard",
        "M. Bob Girard", "Monsieur Bob GIRARD", "Dr Bob Girard", "Bob J. Girard",
        "Bob Glrard", "Bob G1rard", "B0b Girard", "Bob GIrard",  # l, 1, 0 and a capital i
        "Вob Girard", "Bob Girаrd", "Bob ɢirard", "ꓐob Girard",  # Cyrillic, small capitals, Lisu
        "B\u00adob Girard", "Bob Gi\u200brard", "Bob\u2060 Gi\u200d\ufe0frard", "Bob\u3164 Girard",  # what is not seen
        "Ｂｏｂ Ｇｉｒａｒｄ", "𝐁𝐨𝐛 𝗚𝗶𝗿𝗮𝗿𝗱", "Ⓑⓞⓑ Girard",  # other forms
        "BobGirard", "bobgirard", "Girard.Bob", "Bob_Girard", "Bob-Girard", "Bob | Girard", "Bob Girard Direction",
    ],
)  # fmt: skip
def test_names_that_are_read_as_one(name: str) -> None:
    assert display_names.same_name(name, "Bob Girard")
    assert display_names.name_index(name) == display_names.name_index("Bob Girard")


@pytest.mark.parametrize(
    "name", ["Bob", "Girard", "Bob Girardin", "Bobby Girard", "Rob Gidarb", "Alice Girard", "", "Bob Girard Martin"]
)
def test_names_that_are_not(name: str) -> None:
    assert not display_names.same_name(name, "Bob Girard")


@pytest.mark.parametrize(
    "name",
    ["Bob Girard - Direction", "Bob Girard (Teams)", "Girard (Bob Girard)", "Lycée / Bob Girard", "Bob Girard via Docs", "Bob Girard, professeur",
     "[Bob Girard]", "Message: Bob Girard", "\"Bob Girard\""],
)  # fmt: skip
def test_a_name_within_another(name: str) -> None:
    assert any(display_names.same_name(one, "Bob Girard") for one in display_names.claims(name))


@pytest.mark.parametrize("name", ["Marie Martin-Dupont", "Jean-Pierre Martin", "Club Bob Girardin"])
def test_double_names_are_one_claim(name: str) -> None:
    assert not any(
        display_names.same_name(one, other)
        for one in display_names.claims(name)
        for other in ("Marie Martin", "Jean Martin", "Bob Girard")
    )


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Bob <bob@a.example>", "bob@a.example"), ("bob@A.example", "bob@a.example"), ("Bob", ""), ("a@b", ""), ("@" * 5000, ""),
        ("bob@a\u2024example", "bob@a.example"), ("bob＠a.example", "bob@a.example"), ("b\u00adob@a.exa\u200bmple", "bob@a.example"),
        ("bob (at) a.example", "bob@a.example"), ("bob[at]a[dot]example", "bob@a.example"), ("bob {arobase} a.example", "bob@a.example"),
    ],
)  # fmt: skip
def test_an_address_inside_a_name(name: str, address: str) -> None:
    assert display_names.address_in(name) == address


@pytest.mark.parametrize(
    "text",
    [
        "Messagerie lycee.example",
        "lycée.example",
        "Iycee.example",
        "(lycee\u2024example)",
        "x.lycee.example",
        "bob@lуcee.example",
    ],
)
def test_a_domain_inside_a_name(text: str) -> None:
    assert display_names.names_domain(text, "lycee.example")


@pytest.mark.parametrize("text", ["lycee", "mylycee.example", "lycee.examples", "lycee", ""])
def test_other_domains(text: str) -> None:
    assert not display_names.names_domain(text, "lycee.example")


@pytest.mark.parametrize(
    ("name", "role"),
    [("Help desk", True), ("HELPDESK", True), ("Administrator", True), ("La Direction", True), ("Principal", True), ("Support", True),
     ("Mme la Principale", True), ("Proviseur adjoint", True), ("Service informatique", True), ("Vie scolaire", True), ("Adm1nistrat0r", True),
     ("Direction du lycée", True), ("Alice Leroy", False), ("Lycée Pascal", False), ("Ne pas répondre", False), ("", False), ("Bob Support", False)],
)  # fmt: skip
def test_functions(name: str, role: bool) -> None:
    assert display_names.is_role(name) is role


def test_a_function_beside_a_name() -> None:
    assert display_names.holds_role("Alice Leroy - Direction")
    assert display_names.holds_role("Alice Leroy (Help desk)")
    assert not display_names.holds_role("Alice Leroy - Maths")


@pytest.mark.parametrize(
    ("text", "held"),
    [("Lycée Ampère", True), ("LYCEE AMPERE", True), ("Support Lycée Ampère", True), ("Ampère (Lycée)", True), ("Lycée Pascal", False),
     ("Parents du Lycée Ampère", False), ("Lycée", False), ("", False)],
)  # fmt: skip
def test_the_establishment_s_name(text: str, held: bool) -> None:
    assert display_names.holds_name(text, "Lycée Ampère") is held


@pytest.mark.parametrize(
    "hostile",
    ["a" * 1_000_000, "\u0301" * 1_000_000, "а " * 500_000, "(" * 1_000_000, "- " * 500_000, "A" * 500_000, "\u200b" * 1_000_000],
)
def test_hostile_names_cost_little(hostile: str) -> None:
    with cpu_seconds(0.5):
        for ask in (
            display_names.name_key,
            display_names.name_index,
            display_names.address_in,
            display_names.claims,
            display_names.is_role,
            display_names.holds_role,
        ):
            ask(hostile)
        display_names.names_domain(hostile, "lycee.example")
        assert len(skeleton(hostile)) <= 2 * LONGEST
