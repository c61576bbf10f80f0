"""A worker's sign of life, for tests that start none: without it, pages say that sending is stopped."""

from __future__ import annotations

from webmail.database.connection import db
from webmail.models import now
from webmail.tasks import heartbeat


def alive() -> None:
    with db.connection_context():
        heartbeat.beat("test", now())


def gone() -> None:
    with db.connection_context():
        heartbeat.gone("test")
