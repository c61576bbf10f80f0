"""Admin views: importing these modules registers their routes."""

from webmail.admin.blueprint import blueprint
from webmail.admin.views import access, phishing_reports, transfers

__all__ = ["access", "blueprint", "phishing_reports", "transfers"]
