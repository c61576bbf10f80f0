"""A worker's sign of life, for tests that start none: without it, pages say that sending is stopped."""

from __future__ import annotations

from flask import Flask

from webmail import jobs
from webmail.database.connection import db
from webmail.jobs import Jobs
from webmail.models import now
from webmail.tasks import heartbeat


def alive() -> None:
    with db.connection_context():
        heartbeat.beat("test", now())


def gone() -> None:
    with db.connection_context():
        heartbeat.gone("test")


def jobs_of(app: Flask) -> Jobs:
    """What a worker of this application would do with its jobs; one for all tests that use the application."""
    if "worker" not in app.extensions:
        app.extensions["worker"] = jobs.build(app.extensions["settings"])
    found: Jobs = app.extensions["worker"]
    return found
