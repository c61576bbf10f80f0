"""Auth views: importing these modules registers their routes."""

from webmail.auth.blueprint import blueprint
from webmail.auth.views import (
    ask_colleague,
    authenticator,
    confirm,
    devices,
    key_sign_in,
    mail_code,
    password,
    recovery,
    recovery_codes,
    second_step,
    security,
    security_keys,
    sessions,
    sign_in,
    sign_in_reports,
    terms,
    vouchers,
)

__all__ = [
    "ask_colleague",
    "authenticator",
    "blueprint",
    "confirm",
    "devices",
    "key_sign_in",
    "mail_code",
    "password",
    "recovery",
    "recovery_codes",
    "second_step",
    "security",
    "security_keys",
    "sessions",
    "sign_in",
    "sign_in_reports",
    "terms",
    "vouchers",
]
