"""Views of large files sent as links: importing these modules registers their routes."""

from webmail.transfers.blueprint import blueprint
from webmail.transfers.views import mine

__all__ = ["blueprint", "mine"]
