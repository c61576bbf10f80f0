"""Page parts of appointments: what they add to pages of other areas, and to `/dav/`. Their views come when one is asked for."""

from __future__ import annotations

from flask import Flask

from webmail.appointments import booked_events
from webmail.calendar.free_busy import host_events

host_events.kept_by(booked_events.offer_of)


def install(_app: Flask) -> None:
    """Importing it is all."""
