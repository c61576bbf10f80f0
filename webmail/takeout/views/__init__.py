"""Takeout views: importing these modules registers their routes."""

from webmail.takeout.blueprint import blueprint
from webmail.takeout.views import takeout

__all__ = ["blueprint", "takeout"]
