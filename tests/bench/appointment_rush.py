"""500 parents on 60 slots at once, through two web processes: no slot has two, nobody is lost, each is told rightly.

`python -m tests.bench.appointment_rush [PARENTS] [SLOTS] [sqlite|postgresql]` (500, 60, sqlite). All come from one network. Each asks
for a random slot; who is too late chooses another of those that the answer shows, until none is left. Then all who were told that a
slot is held confirm by their link, half of them twice. A round with forms that nobody confirms shows that their slots are free again,
by a clock that is set forward in the database. Exits with 1 where anything is not as it should be.
"""

from __future__ import annotations

import random
import re
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
from flask import Flask

from tests.bench.web_processes import WebProcess
from tests.support import postgresql
from webmail import create_app
from webmail.appointments import bookings, offers
from webmail.appointments.offers import OfferPlan
from webmail.database.connection import db
from webmail.models import (
    AppointmentBooking,
    AppointmentOffer,
    AppointmentSlot,
    BookingState,
    CalendarObject,
    SystemMessage,
    User,
    now,
)

_AT_ONCE = 100  # clients
_SLOT = re.compile(r'data-slot="(\d+)"')
_MOST_TRIES = 200


@dataclass(slots=True)
class Parent:
    """What one was told last: `held`, `full`, or a status that should not be."""

    address: str
    told: str = ""
    tries: int = 0
    busy: int = 0


def main(arguments: Sequence[str]) -> int:
    parents, slots = (int(arguments[at]) if len(arguments) > at else usual for at, usual in ((0, 500), (1, 60)))
    kind = arguments[2] if len(arguments) > 2 else "sqlite"
    with tempfile.TemporaryDirectory(prefix="traboule-rush-") as folder:
        database: Any = postgresql.fresh_database() if kind == "postgresql" else nullcontext(f"sqlite:///{folder}/mail.sqlite")
        with database as url:
            faults = rush(Path(folder), url, parents, slots)
    for fault in faults:
        print(f"FAULT: {fault}")
    print("as it should be" if not faults else f"{len(faults)} faults")
    return 1 if faults else 0


def rush(folder: Path, url: str, count: int, slots: int) -> list[str]:
    """What was not as it should be."""
    given = {
        "secret_key": secrets.token_urlsafe(48), "database_url": url, "domain": "lycee.example",
        "sign_in": "accounts", "secure_cookies": "false", "timezone": "Europe/Paris", "public_url": "https://mail.lycee.example",
        "system_address": "info@lycee.example", "system_password": "x", "imap_security": "none", "imap_port": "1", "smtp_port": "1",
    }  # fmt: skip
    environment = {f"WEBMAIL_{name.upper()}": value for name, value in (given | {"instance": str(folder)}).items()}
    app = create_app(folder, **given)
    offer, link = _offer(app, slots)
    with WebProcess(environment) as first, WebProcess(environment) as second:
        bases = [first.base, second.base]
        crowd = [Parent(f"parent{number}@x{number % 50}.example") for number in range(count)]
        with timed(f"{count} parents choose among {slots} slots"):
            together([lambda one=one, base=bases[at % 2]: _choose(base + link, one) for at, one in enumerate(crowd)])  # type: ignore[misc]
        faults = _after_choosing(app, offer, crowd, slots)
        links = _links(app, offer)
        with timed(f"{len(links)} confirm, half of them twice"):
            twice = [*links, *links[::2]]
            answers = together([lambda to=to, at=at: _confirm(bases[at % 2] + to) for at, to in enumerate(twice)])  # type: ignore[misc]
        faults += [f"a confirmation was answered {status}" for status in answers if status != 303]
        faults += _after_confirming(app, offer, min(count, slots))
        faults += _abandoned(app, bases, slots)
    return faults


def _offer(app: Flask, slots: int) -> tuple[AppointmentOffer, str]:
    settings = app.extensions["settings"]
    with db.connection_context(), app.app_context():
        owner, _made = User.get_or_create(
            address="alice@lycee.example", defaults={"local": "alice", "domain": "lycee.example", "password": "x"}
        )
        days = -(-slots // 60)
        plan = OfferPlan("Rencontre", tuple(date.today() + timedelta(days=30 + at) for at in range(days)), 480, 480 + 60 * 10, 10)
        offer = offers.make(owner, plan, [owner], settings)
        extra = [
            one.id for one in AppointmentSlot.select().where(AppointmentSlot.offer == offer).order_by(AppointmentSlot.start)
        ][slots:]
        if extra:
            AppointmentSlot.update(removed=1).where(AppointmentSlot.id.in_(extra)).execute()
        return offer, f"/a/{offers.token(offer, settings)}"


def together(work: Sequence[Any]) -> list[Any]:
    with ThreadPoolExecutor(min(_AT_ONCE, len(work) or 1)) as pool:
        return [one.result() for one in [pool.submit(act) for act in work]]


def _choose(url: str, parent: Parent) -> None:
    """Until a slot is held or none is left. 503 says when to come back, and is no answer."""
    with httpx.Client(timeout=60, trust_env=False) as client:
        free = _SLOT.findall(answered(client, "GET", url, parent).text)
        while free and parent.tries < _MOST_TRIES:
            parent.tries += 1
            fields = {"slot": random.choice(free), "name": parent.address, "address": parent.address}
            answer = answered(client, "POST", url, parent, fields)
            if answer.status_code == 303:
                parent.told = "held"
                return
            if answer.status_code != 409:
                parent.told = str(answer.status_code)
                return
            if parent.address not in answer.text:
                parent.told = "lost what was typed"
                return
            free = _SLOT.findall(answer.text)
    parent.told = "full" if not free else "gave up"


def answered(client: httpx.Client, method: str, url: str, parent: Parent, data: dict[str, str] | None = None) -> httpx.Response:
    for _try in range(100):
        answer = client.request(method, url, data=data)
        if answer.status_code != 503:
            return answer
        parent.busy += 1
        time.sleep(min(float(answer.headers.get("Retry-After", "1")), 2) * random.uniform(0.2, 1))
    return answer


def _after_choosing(app: Flask, offer: AppointmentOffer, crowd: Sequence[Parent], slots: int) -> list[str]:
    told = Counter(one.told for one in crowd)
    print(
        f"  told: {dict(told)}; tries {sum(one.tries for one in crowd)}, told to come back (503) {sum(one.busy for one in crowd)}"
    )
    with db.connection_context():
        held = list(
            AppointmentBooking.select().where(AppointmentBooking.offer == offer, AppointmentBooking.state == BookingState.HELD)
        )
        mailed = SystemMessage.select().where(SystemMessage.subject.contains("onfirm")).count()
    faults = [f"{name}: {number}" for name, number in told.items() if name not in ("held", "full")]
    if len(held) != min(len(crowd), slots):
        faults.append(f"{len(held)} held of {slots}")
    if len({(one.slot_id, one.position) for one in held}) != len(held):
        faults.append("a place has two")
    if {one.address for one in held} != {one.address for one in crowd if one.told == "held"}:
        faults.append("somebody was told otherwise than is stored")
    if mailed != len(held):
        faults.append(f"{mailed} messages for {len(held)}")
    return faults


def _links(app: Flask, offer: AppointmentOffer) -> list[str]:
    with db.connection_context():
        rows = list(
            AppointmentBooking.select().where(AppointmentBooking.offer == offer, AppointmentBooking.state == BookingState.HELD)
        )
        return [f"/a/booking/{bookings.token(one, app.extensions['settings'])}" for one in rows]


def _confirm(url: str) -> int:
    with httpx.Client(timeout=60, trust_env=False) as client:
        assert client.get(url).status_code in (200, 503)
        return answered(client, "POST", url, Parent(""), {"action": "confirm"}).status_code


def _after_confirming(app: Flask, offer: AppointmentOffer, wanted: int) -> list[str]:
    with db.connection_context():
        rows = AppointmentBooking.select().where(
            AppointmentBooking.offer == offer, AppointmentBooking.state == BookingState.BOOKED
        )
        booked = rows.count()
        events = CalendarObject.select().count()
        told = SystemMessage.select().where(SystemMessage.calendar != "").count()
        stale = AppointmentSlot.select().where(AppointmentSlot.stale == 1).count()
    print(f"  booked {booked}, events {events} ({stale} to be written again), messages with a calendar file {told}")
    found = {"booked": booked, "events or to be written": events + stale, "told": told}
    return [f"{name}: {number} of {wanted}" for name, number in found.items() if number != wanted]


def _abandoned(app: Flask, bases: Sequence[str], slots: int) -> list[str]:
    """All slots of another offer are held and left; ten minutes later all are free, and somebody has one."""
    other, link = _offer_elsewhere(app, slots)
    crowd = [Parent(f"left{number}@y.example") for number in range(slots)]
    together([lambda one=one, at=at: _choose(bases[at % 2] + link, one) for at, one in enumerate(crowd)])  # type: ignore[misc]
    with db.connection_context():
        past = now() - timedelta(seconds=1)
        AppointmentBooking.update(until=past).where(AppointmentBooking.offer == other).execute()
    free = len(_SLOT.findall(httpx.get(bases[0] + link, trust_env=False, timeout=60).text))
    print(f"  {sum(one.told == 'held' for one in crowd)} held and left; free after ten minutes: {free}")
    last = Parent("late@y.example")
    _choose(bases[1] + link, last)
    return ([f"{free} of {slots} are free again"] if free != slots else []) + (
        [f"late: {last.told}"] if last.told != "held" else []
    )


def _offer_elsewhere(app: Flask, slots: int) -> tuple[AppointmentOffer, str]:
    with db.connection_context():
        AppointmentOffer.update(closed=now()).execute()
        AppointmentBooking.delete().execute()
        CalendarObject.delete().execute()
    return _offer(app, slots)


@contextmanager
def timed(what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
