"""Visits: what a test does in the place of a browser without scripts. `alice.get("/mailbox/INBOX").text`."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from bs4 import BeautifulSoup, Tag
from flask import Flask


class Page:
    """An answer as a person sees it."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.status: int = response.status_code
        self.headers = response.headers
        self.html = response.get_data(as_text=True) if "html" in (response.mimetype or "") else ""

    @cached_property
    def soup(self) -> BeautifulSoup:
        """Read when first looked at, a quarter of a visit's time: many pages are only on the way to the next one."""
        return BeautifulSoup(self.html, "html.parser")

    @property
    def text(self) -> str:
        """All visible words, with single spaces."""
        return re.sub(r"\s+", " ", self.soup.get_text(" "))

    @property
    def address(self) -> str:
        """The path that this page answers to."""
        return self.response.request.full_path.rstrip("?")

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    def all(self, selector: str) -> list[Tag]:
        return list(self.soup.select(selector))

    def one(self, selector: str) -> Tag:
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} of {selector} on {self.response.request.path}"
        return found[0]

    @property
    def rows(self) -> list[str]:
        """The subjects of a message list, in order."""
        return [a.get_text() for a in self.all("[data-row] .s a[id]")]

    @property
    def notices(self) -> str:
        return " ".join(n.get_text(" ", strip=True) for n in self.all("[role=status], [role=alert]"))

    def link(self, words: str) -> str:
        """The address of the link that says these words (or has this label), else of the first that has them in it."""
        links = self.all("a[href]")
        exact = [a for a in links if words in (a.get_text(" ", strip=True), a.get("aria-label"))]
        for a in exact or [a for a in links if words in a.get_text(" ")]:
            return str(a["href"])
        raise AssertionError(f"no link says {words!r}")


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, app: Flask, address: str = "", password: str = "demo", language: str = "en") -> None:
        self.client = app.test_client()
        self.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
        self.address, self.password = address, password

    def sign_in(self) -> Visitor:
        page = self.submit(self.get("/login"), "form[action='/login']", username=self.address, password=self.password)
        assert page.status == 200, page.text
        return self

    def confirm(self) -> Visitor:
        """Say the password again, as pages ask before changes that matter; it holds for ten minutes."""
        page = self.submit(self.get("/account/confirm"), "form[action='/account/confirm']", password=self.password)
        assert page.status == 200, page.text
        return self

    def get(self, url: str, *, htmx: str = "", follow: bool = True, reload: bool = False) -> Page:
        """`htmx` names the element to be replaced; `reload` is the browser's button of that name."""
        headers = _htmx(htmx) | ({"Cache-Control": "max-age=0"} if reload else {})
        return Page(self.client.get(url, headers=headers, follow_redirects=follow))

    def post(self, url: str, data: dict[str, Any] | None = None, *, htmx: str = "", follow: bool = True) -> Page:
        """A bare POST, without what a form would add."""
        return Page(self.client.post(url, data=data or {}, headers=_htmx(htmx), follow_redirects=follow))

    def submit(self, page: Page, form: str, *, htmx: str = "", follow: bool = True, **fields: Any) -> Page:
        """Send a form of `page` (a CSS selector) with its fields as they stand, changed by `fields`.

        A field with `None` is left out; `action="send"` stands for the button of that name and value.
        """
        tag = page.one(form)
        data: dict[str, Any] = dict(fields_of(tag))
        data.update({name: value if isinstance(value, list) else [value] for name, value in fields.items()})
        data = {name: value for name, value in data.items() if value != [None]}
        url = str(tag.get("action") or page.response.request.full_path)
        if str(tag.get("method", "get")).lower() == "get":
            return Page(self.client.get(url, query_string=data, headers=_htmx(htmx), follow_redirects=follow))
        return Page(
            self.client.post(url, data=data, headers=_htmx(htmx), follow_redirects=follow, content_type="multipart/form-data")
        )


def fields_of(form: Tag) -> dict[str, list[str]]:
    """What a browser sends of a form as it stands, without a button."""
    data: dict[str, list[str]] = {}
    for field in form.select("input[name], textarea[name], select[name]"):
        name, kind = str(field["name"]), field.get("type", "")
        if field.name == "select":
            chosen = field.select_one("option[selected]") or field.select_one("option")
            value = chosen.get("value", "") if chosen else ""
        elif field.name == "textarea":
            value = field.get_text().removeprefix("\n")
        elif kind == "file" or (kind in ("checkbox", "radio") and not field.has_attr("checked")):
            continue
        else:
            value = field.get("value", "on" if kind == "checkbox" else "")
        data.setdefault(name, []).append(str(value))
    return data


def _htmx(target: str) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Target": target, "HX-Boosted": "true"} if target else {}
