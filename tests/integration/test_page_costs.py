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
    "list": PageCost(9_450, 1),
    "message": PageCost(11_150, 2),
    "frame": PageCost(13_100, 1),
    "writing": PageCost(12_000, 3),
    "reply": PageCost(13_700, 3),
    "settings": PageCost(4_400, 2),
    "contacts": PageCost(6_500, 4),
    "transfers": PageCost(6_250, 3),
    "month": PageCost(6_350, 3),
    "todo": PageCost(6_450, 3),
    "polls": PageCost(8_600, 4),
    "appointments": PageCost(10_450, 6),
    "filters": PageCost(7_450, 3),
    "devices": PageCost(15_400, 5),
    "account": PageCost(13_650, 6),
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
        "todo": "/todo",
        "polls": "/polls",
        "appointments": "/appointments",
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
    # of "send", one is whether files of a drive are still coming into the message: where people can connect services
    assert found == {"send": PressCost(19, 3), "sign-in": PressCost(7, 3)}
