"""Requests for checks: an administrator presses *Check now*, and the worker does it within seconds, whoever it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import peewee as pw

from webmail.config.settings import Settings
from webmail.models import CheckRequest

LOOK_EVERY = timedelta(seconds=10)
DNS, DOCTOR = "dns", "doctor"


def ask(name: str) -> None:
    """Twice asked is once done. 1 query."""
    CheckRequest.insert(name=name).on_conflict_ignore().execute()


def is_open(name: str) -> bool:
    """Whether it waits for the worker, or is under way. 1 SELECT."""
    return bool(CheckRequest.select().where(CheckRequest.name == name).exists())


def wanted() -> set[str]:
    """Those that wait. 1 SELECT."""
    return {row.name for row in CheckRequest.select()}


def done(name: str) -> None:
    """1 query."""
    CheckRequest.delete().where(CheckRequest.name == name).execute()


def pending(_settings: Settings) -> Iterable[pw.Query]:
    return [CheckRequest.select(CheckRequest.name)]
