"""Auth views: importing these modules registers their routes."""

from webmail.auth.blueprint import blueprint
from webmail.auth.passwords import texts
from webmail.auth.providers import titles
from webmail.auth.views import first_walk, password, security, sign_in, sign_out, terms
from webmail.auth.views.devices import autoconfig, connect, devices_page, dovecot_reports, profiles, refused_changes, sessions
from webmail.auth.views.factors import (
    ask_colleague,
    authenticator,
    confirm,
    key_sign_in,
    mail_code,
    mailed_factor,
    recovery_codes,
    second_step,
    security_keys,
    vouchers,
)
from webmail.auth.views.providers import cas, linked_accounts, oidc, provider_ways, proxy
from webmail.auth.views.recovery import deputy, forgot, new_password, phone, recovery_address

NEED_NO_TOKEN = (
    dovecot_reports.take_report,
    cas.sign_out_by_cas,
    oidc.sign_out_by_oidc,
    autoconfig.outlook,
)  # no browser sends these forms

__all__ = [
    "NEED_NO_TOKEN",
    "ask_colleague",
    "authenticator",
    "autoconfig",
    "blueprint",
    "cas",
    "confirm",
    "connect",
    "deputy",
    "devices_page",
    "first_walk",
    "forgot",
    "key_sign_in",
    "linked_accounts",
    "mail_code",
    "mailed_factor",
    "new_password",
    "oidc",
    "password",
    "texts",
    "phone",
    "profiles",
    "titles",
    "provider_ways",
    "proxy",
    "recovery_address",
    "recovery_codes",
    "refused_changes",
    "second_step",
    "security",
    "security_keys",
    "sessions",
    "sign_in",
    "dovecot_reports",
    "sign_out",
    "terms",
    "vouchers",
]
