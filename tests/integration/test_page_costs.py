"""No page becomes dearer unnoticed: calls of Python and SELECTs of a warm visit stay near what they were when last looked at.

So do SELECTs and commits of the buttons that people wait for most.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.support.messages import message
from tests.support.page_costs import PageCost, PressCost, page_cost, press_cost
from tests.support.visits import Visitor

MARGIN = 1.05
# of Python 3.11, as `make integration` counts, which writes each statement down (without that, up to 350 less); where a page has
# become cheaper, its number is to follow
COSTS = {
    "list": PageCost(9_275, 2),
    "message": PageCost(10_650, 4),
    "frame": PageCost(13_000, 1),
    "writing": PageCost(11_100, 4),
    "reply": PageCost(12_850, 4),
    "settings": PageCost(4_100, 3),
    "contacts": PageCost(6_225, 5),
    "transfers": PageCost(5_450, 7),
    "month": PageCost(5_825, 4),
    "filters": PageCost(7_350, 4),
    "devices": PageCost(14_550, 6),
    "account": PageCost(12_825, 7),
}
_ROW = """<tr><td style="padding:4px;font:12px Arial"><a href="https://x.example/{0}"><img src="https://x.example/{0}.png" width=100></a>
<a href="https://x.example/{0}">Nouvelle</a> texte</td></tr>"""
_ROWS = "".join(_ROW.format(number) for number in range(150))


@pytest.fixture
def paths(person: Visitor, fill: Callable[..., list[int]]) -> dict[str, str]:
    newsletter = message("Bulletin")
    newsletter.add_alternative(f"<html><body><table style='color:#333'>{_ROWS}</table></body></html>", subtype="html")
    bulletin = fill(person, newsletter)[-1]
    numbers = fill(person, *(message(f"Lettre {number}", sender=f"P{number} <p{number}@x.example>") for number in range(60)))
    plain = numbers[-1]
    return {
        "list": "/mailbox/INBOX",
        "message": f"/message/{plain}/INBOX",
        "frame": f"/body/{bulletin}/INBOX",
        "writing": "/compose",
        "reply": f"/reply/{plain}/INBOX",
        "settings": "/settings",
        "contacts": "/contacts",
        "transfers": "/transfers",
        "month": "/calendar",
        "filters": "/filters",
        "devices": "/devices",
        "account": "/account",
    }


def test_pages_cost_what_they_did(person: Visitor, paths: dict[str, str]) -> None:
    found = {name: page_cost(person, path) for name, path in paths.items()}
    print(*(f"{name}: {cost.calls} calls, {cost.selects} SELECTs" for name, cost in found.items()), sep="\n")
    assert {name: cost.selects for name, cost in found.items()} == {name: cost.selects for name, cost in COSTS.items()}
    if sys.version_info[:2] == (3, 11):
        dear = {name: cost.calls for name, cost in found.items() if cost.calls > MARGIN * COSTS[name].calls}
        assert not dear, f"calls, of {[COSTS[name].calls for name in dear]}"


def test_buttons_ask_what_they_did(person: Visitor) -> None:
    """*Send*, of a message of which nothing was stored before; signing in, in a browser that knows the person."""

    def send() -> PressCost:
        form = person.get("/compose")
        typed = {"to": "b@x.example", "subject": "S", "body": "T"}
        return press_cost(lambda: person.submit(form, "form.compose-form", follow=False, action="send", **typed))

    def sign_in() -> PressCost:
        person.submit(person.get("/account"), "form[action='/logout']")
        form, typed = person.get("/login"), {"username": person.address, "password": person.password}
        return press_cost(lambda: person.submit(form, "form[action='/login']", follow=False, **typed))

    found = {name: [press(), press()][-1] for name, press in (("send", send), ("sign-in", sign_in))}
    assert found == {"send": PressCost(17, 3), "sign-in": PressCost(7, 3)}
