"""Auth views: importing these modules registers their routes."""

from webmail.auth.blueprint import blueprint
from webmail.auth.views import mail_code, password, sessions, sign_in

__all__ = ["blueprint", "mail_code", "password", "sessions", "sign_in"]
