"""What awaited replies cost the worker: 5,000 messages that arrive, and 5,000 reminders: `python -m tests.bench.awaited`.

In `make bench` too. Processor time of this process, on SQLite, queries included; without IMAP, whose round trips are one for 500
messages that arrive, and one connection for a mailbox that awaits something.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from tests.bench.table import OURS, Figure, Table

SECTION = "Replies that are awaited: 5,000 sent messages"
MESSAGES, AT_ONCE, MOST_MS = 5_000, 500, 1.0


def heads() -> list[dict[int, bytes]]:
    """Every tenth answers; others belong to other conversations, ten messages long."""
    found = []
    for first in range(0, MESSAGES, AT_ONCE):
        found.append({number + 1: _head(number) for number in range(first, first + AT_ONCE)})
    return found


def _head(number: int) -> bytes:
    thread = [f"<{number}-{at}@elsewhere.example>" for at in range(10)]
    answered = f"<{number}@lycee.example>" if number % 10 == 0 else thread[-1]
    return (
        f"From: Bob Girard <bob{number % 50}@elsewhere.example>\r\nSubject: Re: Devis {number}\r\nMessage-ID: <a{number}@elsewhere.example>\r\n"
        f"In-Reply-To: {answered}\r\nReferences: {' '.join(thread)}\r\n {answered}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode()


def measure(table: Table, folder: Path) -> None:
    from webmail import create_app
    from webmail.compose.awaited import awaited_replies, incoming_answers
    from webmail.database.connection import db
    from webmail.models import AwaitedReply, User, now

    app = create_app(folder / "awaited", sign_in="accounts", domain="lycee.example", imap_security="none", secure_cookies=False)
    settings = app.extensions["settings"]
    with db.connection_context():
        user = User.create(address="alice@lycee.example", local="alice", domain="lycee.example")
        rows = [
            {"user": user, "message_id": f"<{number}@lycee.example>", "due": now() - timedelta(hours=1), "sent": now()}
            for number in range(MESSAGES)
        ]
        for at in range(0, MESSAGES, 500):
            AwaitedReply.insert_many(rows[at : at + 500]).execute()
        pieces = heads()
        began = time.process_time()
        answered = sum(incoming_answers.take(user, piece, "INBOX", 1, lambda _uids: {}, settings) for piece in pieces)
        arrived = (time.process_time() - began) * 1000 / MESSAGES
        assert answered == MESSAGES // 10
        began, told = time.process_time(), 0
        while due := awaited_replies.due_rows(user):
            with db.atomic():
                told += len(awaited_replies.take_due(due))
        reminded = (time.process_time() - began) * 1000 / told
        assert told == MESSAGES - answered
    db.obj.close()
    for name, took in (("each message that arrives", arrived), ("each reminder", reminded)):
        with table.row(OURS, SECTION, name):
            table.add(OURS, SECTION, name, Figure(took, "ms of processor time"), unit="ms", most=MOST_MS)


def main() -> int:
    table = Table(datetime.now().astimezone(), {})
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        measure(table, Path(folder))
    for row in table.rows:
        print(f"| {row.name} | {row.figures[OURS].value:.3f} | {row.figures[OURS].detail or row.figures[OURS].failed} |")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
