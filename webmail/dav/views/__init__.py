"""Views about other calendar servers: importing these modules registers their routes."""

from webmail.dav import server_words
from webmail.dav.blueprint import blueprint
from webmail.dav.views import servers

__all__ = ["blueprint", "server_words", "servers"]
