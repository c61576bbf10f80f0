"""Admin views: importing these modules registers their routes."""

from webmail.admin.blueprint import blueprint
from webmail.admin.views import administrators_only, phishing_reports, rooms, transfers

__all__ = ["administrators_only", "blueprint", "phishing_reports", "rooms", "transfers"]
