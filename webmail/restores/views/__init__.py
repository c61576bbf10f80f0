"""Restores views: importing these modules registers their routes."""

from webmail.restores.blueprint import blueprint
from webmail.restores.views import own

__all__ = ["blueprint", "own"]
