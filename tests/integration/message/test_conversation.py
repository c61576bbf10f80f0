"""A conversation on one page, as visits on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.messages import message
from tests.support.visits import Visitor

Fill = Callable[..., list[int]]


def thread(fill: Fill, person: Visitor, count: int) -> list[int]:
    """A question and its answers, HTML among them."""
    made = []
    for number in range(count):
        one = message(
            f"{'Re: ' if number else ''}Sortie", f"Réponse numéro {number}", To="alice@lycee.example, bob@lycee.example"
        )
        del one["Message-ID"]
        one["Message-ID"] = f"<s{number}@lycee.example>"
        if number:
            one["References"] = " ".join(f"<s{n}@lycee.example>" for n in range(number))
        if number == 1:
            one.add_alternative("<p>En couleurs</p>", subtype="html")
        made.append(one)
    return fill(person, *made)[-count:]


def test_a_conversation_on_one_page(person: Visitor, fill: Fill) -> None:
    uids = thread(fill, person, 4)
    fill(person, message("Autre chose"))
    for uid in uids[:3]:
        person.get(f"/message/{uid}/INBOX")
    page = person.get(person.get(f"/message/{uids[0]}/INBOX").link("Show conversation"))
    assert page.status == 200 and "Autre chose" not in page.one("article").get_text()
    turns = page.all("details.turn")
    assert [turn["id"] for turn in turns] == [f"m{uid}" for uid in uids]
    assert [turn.has_attr("open") for turn in turns] == [True, False, False, True]  # the one asked for, and the newest
    assert "Réponse numéro 3" in turns[3].get_text() and "Réponse numéro 2" not in turns[2].get_text()
    assert "Unread" in turns[3].summary.get_text()
    frame = turns[1].iframe
    assert frame["loading"] == "lazy" and "En couleurs" in person.get(frame["src"]).text
    assert "Réponse numéro 2" in person.get(turns[2].iframe["src"]).text
    reply = [a["href"] for a in turns[1].find_all("a") if a.get_text(strip=True) == "Reply"]
    assert f"/reply/{uids[1]}/" in reply[0]
    assert not person.get("/mailbox/INBOX").all(f"tr.u a[href*='/message/{uids[3]}/']")
    person.submit(page, f"#m{uids[2]} form", action="delete")
    assert len(person.get(f"/conversation/{uids[0]}/INBOX").all("details.turn")) == 3


def test_a_long_conversation_is_bounded_and_says_so(person: Visitor, fill: Fill) -> None:
    uids = thread(fill, person, 104)
    page = person.get(f"/conversation/{uids[-1]}/INBOX")
    assert len(page.all("details.turn")) == 100 and len(page.all("details.turn[open]")) == 10
    assert "4 earlier messages" in page.text
    assert person.get(f"/conversation/{uids[-1] + 50}/INBOX").status == 404


def test_a_message_alone_is_its_own_conversation(person: Visitor, fill: Fill) -> None:
    uid = fill(person, message("Seule"))[-1]
    page = person.get(f"/conversation/{uid}/INBOX", htmx="main")
    assert page.status == 200 and len(page.all("details.turn[open]")) == 1
