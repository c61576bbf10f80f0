"""Files of people in tests: an application with an administrator of all, one of an establishment, and a file that is chosen."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support import postgresql
from tests.support.visits import Page, Visitor
from webmail.auth import account_management
from webmail.establishments import establishments
from webmail.models import Establishment, User

HEAD = "Nom;Prénom;Classe;Adresse e-mail\n"


@contextmanager
def application_on(database: str, folder: Path) -> Iterator[Flask]:
    """An application on "sqlite" or "postgresql"; skips where there is no PostgreSQL."""
    if database == "postgresql" and not postgresql.server_url():
        pytest.skip("no PostgreSQL server")
    with ExitStack() as stack:
        url = stack.enter_context(postgresql.fresh_database()) if database == "postgresql" else ""
        yield stack.enter_context(ground.application(folder, recovery_address="off", language="en", database_url=url))


@contextmanager
def of_two_establishments(folder: Path, **more: str) -> Iterator[Flask]:
    """An application with "Nord", which has Alice and its administrator (chief), Bruno of elsewhere, and the administrator of all
    (root). `more`: further settings."""
    with ground.application(folder, recovery_address="off", language="en", domain="nord.example", **more) as made:
        for name in ("alice@nord.example", "bruno@sud.example", "chief@nord.example", "root@nord.example"):
            ground.add(name)
        account_management.set_role(user("root@nord.example"), "admin")
        north = establishments.make("Nord")
        establishments.set_domains(north, ["nord.example"])
        establishments.add_administrator(north, user("chief@nord.example"))
        yield made


def of_nord(app: Flask, local: str) -> Visitor:
    """Somebody of "Nord", who has signed in and confirmed."""
    visitor = Visitor(app, f"{local}@nord.example", ground.PASSWORD)
    visitor.submit(
        visitor.get("/login"), "form[action='/login']", follow=False, username=visitor.address, password=ground.PASSWORD
    )
    return visitor.confirm()


def root(app: Flask) -> Visitor:
    """The administrator of all, who has confirmed."""
    ground.add("root@lycee.example")
    User.update(role="admin").where(User.address == "root@lycee.example").execute()
    return ground.signed_in(app, "root").confirm()


def headmaster(app: Flask, domain: str = "lycee.example") -> Visitor:
    """The administrator of an establishment that has this domain, which is made."""
    user = ground.add("head@lycee.example")
    made = Establishment.get_or_none(Establishment.name == domain) or establishments.make(domain)
    establishments.set_domains(made, [domain])
    establishments.add_administrator(made, user)
    return ground.signed_in(app, "head").confirm()


def chosen(visitor: Visitor, content: str | bytes, name: str = "pupils.csv", **fields: str) -> Page:
    """The page of what a file would do, after it was chosen."""
    data = content.encode() if isinstance(content, str) else content
    page = visitor.get("/admin/people/import")
    return visitor.submit(page, "form[enctype]", file=(io.BytesIO(data), name), **fields)


def imported(visitor: Visitor, page: Page, **fields: str) -> Page:
    """Press *Import* there."""
    return visitor.submit(page, "main form", action="import", **fields)


def lines_of(page: Page) -> dict[str, str]:
    """The outcome of each line on the page, by the address."""
    return {row.th.bdi.get_text(strip=True): str(row["data-outcome"]) for row in page.all("[data-line]")}


def user(address: str) -> User:
    return User.get(User.address == address)
