"""Categories as pages show them."""

from __future__ import annotations

from tests.support.contact_pages import add
from tests.support.visits import Visitor


def test_a_category_has_a_page_and_is_written_to(alice: Visitor) -> None:
    add(alice, "Ann", "ann@x.example", categories="Chorale, 6e B")
    page = add(alice, "Ben", "ben@x.example", categories="chorale")
    listed = alice.get("/contacts?kind=group")
    assert "2 people" in listed.text
    shown = alice.get(page.link("chorale"))
    assert "Category of 2 contacts" in shown.text
    assert "ann@x.example" in shown.text
    form = alice.get(shown.one(".toolbar .btn-primary")["href"])
    assert form.one("[name=to]")["value"] == "Ann <ann@x.example>, Ben <ben@x.example>"
    assert alice.get("/contacts/categories?name=nobody").status == 404
