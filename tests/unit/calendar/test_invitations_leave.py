"""Many invitations leave through a real submission server, each once, though a worker is killed among them: the only one, or one
of two that work at the same time. `INVITATIONS=200` sends as many as one wants.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime

import pytest

from tests.bench import faults
from webmail.calendar import event_changes
from webmail.calendar.guests import guest_lines, organising
from webmail.calendar.guests.guest_list import TypedGuest
from webmail.calendar.guests.organising import Posting
from webmail.collections import store as collections
from webmail.compose.outbox import delivery
from webmail.itip.messages import ItipMessage
from webmail.mail import Address, Draft, Identity
from webmail.mime import builder
from webmail.mime.formats.calendars.event_edit import EventFields
from webmail.models import Outbox, OutboxState, SentInvitation, User, now

MANY, KILLED_AT = int(os.environ.get("INVITATIONS", "40")), 12  # two hundred took 12 seconds
GUESTS = [f"parent{number}@elsewhere.example" for number in range(MANY)]
WORKER = """
import os, signal, sys
from pathlib import Path
from tests.bench.faults import Instance
from webmail.compose.outbox import delivery
from webmail.database.connection import db

accepted, count = delivery._accepted, 0

def counted(*values):
    global count
    count += 1
    if count == int(sys.argv[3]):  # the server has it, and nobody has noted so
        os.kill(os.getpid(), signal.SIGKILL)
    accepted(*values)

delivery._accepted = counted
here = Instance(Path(sys.argv[1]), int(sys.argv[2]), patience=60.0)
with db.connection_context():
    for number in delivery.sweep(here.settings):
        delivery.deliver(number, here.settings, here.account)
"""


def draft(message: ItipMessage) -> Draft:
    to = tuple(Address("", one) for one in message.recipients)
    identity = Identity("Alice", message.sender)
    return Draft(
        identity, to=to, subject=message.title, calendar=message.text, message_id=builder.new_message_id("lycee.example")
    )


def invite(here: faults.Instance, user: User) -> organising.Posted:
    calendar = collections.default_collection(user, collections.CALENDAR)
    fields = EventFields("Parents", datetime(2027, 12, 7, 17), datetime(2027, 12, 7, 19), "Europe/Paris")
    item = event_changes.addition(calendar.id, "11111111-1111-4111-8111-111111111111", fields)
    guests = [TypedGuest(Address("", one)) for one in GUESTS]
    change = guest_lines.change_between([], guests, hidden=True)
    text = guest_lines.changed(item.text, change, Address("Alice", user.address))
    return organising.write(user, [replace(item, text=text)], Posting(here.settings, lambda: None, draft))


@pytest.mark.parametrize("others", [0, 1])
def test_each_of_many_invitations_is_sent_once_though_a_worker_is_killed(here, others):
    here.draft()  # makes Alice
    user = User.get(User.address == "alice@lycee.example")
    posted = invite(here, user)
    assert len(posted.rows) == MANY == SentInvitation.select().count()
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    kills = [KILLED_AT, *[MANY + 1] * others]
    commands = [[sys.executable, "-c", WORKER, str(here.folder), str(here.port), str(kill)] for kill in kills]
    workers = [subprocess.Popen(command, env=environment) for command in commands]
    assert [one.wait(120) for one in workers] == [-signal.SIGKILL, *[0] * others]
    sent = sum(here.server.copies(one) for one in GUESTS)
    assert sent == MANY if others else sent == KILLED_AT
    Outbox.update(lease=now().replace(year=2020)).where(Outbox.lease.is_null(False)).execute()
    for _turn in range(2):
        for number in delivery.sweep(here.settings):
            delivery.deliver(number, here.settings, here.account)
    assert {here.server.copies(one) for one in GUESTS} == {1}
    assert Outbox.select().where(Outbox.state == OutboxState.SENT).count() == MANY - 1
    assert Outbox.select().where(Outbox.state == OutboxState.UNCERTAIN).count() == 1
