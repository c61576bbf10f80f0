"""Administration with 10,000 accounts, 300 groups and 5 establishments, beside 100: `python -m tests.bench.administration`.

Processor time of this process, the median of several visits, on SQLite or, with the address of an empty database as argument, PostgreSQL.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from flask import Flask

from tests.support.auth_app import PASSWORD
from tests.support.visits import Visitor
from webmail import create_app
from webmail.auth import account_management
from webmail.auth.passwords import hashing
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.models import GroupMember, User, now
from webmail.people import groups

FEW, MANY = 100, 10_000
MOST = 3.0  # times
_TIMES = 9
PAGES = {
    "the list": "/admin/people",
    "the last page": "/admin/people?page=200",
    "a search": "/admin/people?query=eleve0007",
    "never signed in": "/admin/people?state=never",
    "over the quota": "/admin/people?state=full&sort=used",
    "by name": "/admin/people?sort=name",
    "a group": "/admin/people?group=Groupe 7",
    "one establishment": "/admin/people?establishment=1",
    "one person": "/admin/people/7",
    "establishments": "/admin/establishments",
    "nobody in the audit": "/admin/audit?who=nobody@d1.example",
    "lists to act on": "/admin/lists/no-recovery",
    "the desk": "/admin/desk",
    "administration": "/admin",
}


def fill(people: int, made_groups: int, made_establishments: int) -> None:
    domains = [f"d{number}.example" for number in range(made_establishments)]
    for domain in domains:
        establishments.set_domains(establishments.make(f"Établissement {domain}"), [domain])
    rows = [
        {
            "address": f"eleve{number:05}@{domains[number % len(domains)]}", "local": f"eleve{number:05}",
            "domain": domains[number % len(domains)], "name": f"Élève {number:05}", "used_bytes": number * 10_000_000 // people,
            "quota_bytes": 5_000_000, "last_sign_in": now() - timedelta(hours=number) if number % 3 else None,
        }
        for number in range(people)
    ]  # fmt: skip
    with db.atomic():
        for at in range(0, people, 500):
            User.insert_many(rows[at : at + 500]).execute()
        made = [groups.create(domains[number % len(domains)], f"Groupe {number}") for number in range(made_groups)]
        numbers = [user.id for user in User.select(User.id).order_by(User.id)]
        members = [{"group": made[at % len(made)], "user": number} for at, number in enumerate(numbers)]
        for at in range(0, len(members), 500):
            GroupMember.insert_many(members[at : at + 500]).execute()
    password = hashing.hash_password(PASSWORD)
    account_management.create("root@d0.example", "", role="admin", password=password, must_change=False, quota_bytes=0)


def times(app: Flask) -> dict[str, float]:
    """Milliseconds of each page."""
    root = Visitor(app, "root@d0.example", PASSWORD)
    form = {"username": root.address, "password": PASSWORD}
    root.submit(root.get("/login"), "form[action='/login']", follow=False, **form)
    root.confirm()
    return {name: _median(root, url) for name, url in PAGES.items()}


def _median(visitor: Visitor, url: str) -> float:
    spent = []
    for number in range(_TIMES + 1):
        began = time.process_time()
        status = visitor.client.get(url, follow_redirects=True).status_code
        assert status == 200, f"{url}: {status}"
        if number:  # the first one compiles its template
            spent.append(time.process_time() - began)
    return statistics.median(spent) * 1000


def measured(folder: Path, people: int, database_url: str = "") -> dict[str, float]:
    values = {"database_url": database_url} if database_url else {}
    app = create_app(
        folder, domain="d0.example", sign_in="accounts", secure_cookies="false", imap_security="none", imap_port=1, smtp_port=1,
        recovery_address="off", **values,
    )  # fmt: skip
    db.connect(reuse_if_open=True)
    try:
        fill(people, 300 if people > FEW else 10, 5)
        return times(app)
    finally:
        db.obj.close()


def main() -> int:
    url = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory() as base:
        few = measured(Path(base, "few"), FEW)
        many = measured(Path(base, "many"), MANY, url)
    for name, spent in many.items():
        print(f"{name:20} {few[name]:7.1f} ms {spent:7.1f} ms {spent / few[name]:6.2f}")
    return 1 if any(spent > MOST * few[name] for name, spent in many.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
