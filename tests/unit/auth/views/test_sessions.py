"""Sessions page: the places where somebody is signed in."""

from __future__ import annotations

from bs4 import BeautifulSoup


def test_its_advice_names_nothing_that_people_can_not_do_here(visitor):
    visitor.sign_in()
    page = BeautifulSoup(visitor.get("/devices").get_data(as_text=True), "html.parser")
    words = " ".join(page.select_one("main").get_text(" ").split())
    assert "sign it out and change your password" in words
    assert visitor.get(page.select_one("main p a")["href"]).status_code == 200
