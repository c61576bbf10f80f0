"""Auth views: importing these modules registers their routes."""

from webmail.auth.blueprint import blueprint
from webmail.auth.views import (
    ask_colleague,
    mail_code,
    password,
    recovery,
    second_step,
    sessions,
    sign_in,
    sign_in_reports,
    terms,
    vouchers,
)

__all__ = [
    "ask_colleague",
    "blueprint",
    "mail_code",
    "password",
    "recovery",
    "second_step",
    "sessions",
    "sign_in",
    "sign_in_reports",
    "terms",
    "vouchers",
]
