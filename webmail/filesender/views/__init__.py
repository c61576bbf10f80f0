"""Views of transfers that a FileSender sends: importing these modules registers their routes."""

from webmail.filesender.blueprint import blueprint
from webmail.filesender.views import connect, delivery, guest_list, mine, remote_transfer

__all__ = ["blueprint", "connect", "delivery", "guest_list", "mine", "remote_transfer"]
