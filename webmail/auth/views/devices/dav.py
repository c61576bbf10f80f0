"""Calendars and contacts on devices: whether this installation serves them, and where."""

from __future__ import annotations

from flask import current_app

from webmail.auth.devices import app_passwords
from webmail.auth.devices.servers import dav_address
from webmail.web.current import current_user, settings
from webmail.web.frame.areas import shows


def has_dav() -> bool:
    """Whether calendars and contacts are served to devices: `create_app` says so where it puts their server in front."""
    return "dav" in current_app.extensions


def dav_link(*, own_password: bool = False) -> str:
    """Where; "" where they are not, or hidden, or no address of ours is known. `own_password`: for who has no app password."""
    closed = own_password and not app_passwords.own_password_opens(current_user(), settings())
    return dav_address(settings()) if has_dav() and shows("dav") and not closed else ""
