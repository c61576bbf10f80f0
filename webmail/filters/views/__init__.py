"""Filters views: importing these modules registers their routes."""

from webmail.filters.blueprint import blueprint
from webmail.filters.views import (
    frame,
)

__all__ = [
    "blueprint",
    "frame",
]
