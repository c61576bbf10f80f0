"""Views of connected services: importing these modules registers their routes."""

from webmail.services.blueprint import blueprint
from webmail.services.views import connect, connected, nextcloud

__all__ = ["blueprint", "connect", "connected", "nextcloud"]
