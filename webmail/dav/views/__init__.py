"""Views about other calendar servers: importing these modules registers their routes."""

from webmail.dav.blueprint import blueprint
from webmail.dav.remote import server_texts
from webmail.dav.views import office_answers, servers, service_collections

__all__ = ["blueprint", "office_answers", "server_texts", "servers", "service_collections"]
