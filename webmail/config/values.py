"""Values of settings: which are allowed, and which go together. What the files that they name must hold: `config/files.py`."""

from __future__ import annotations

import re
import zoneinfo
from importlib.util import find_spec
from typing import Any

from webmail.config import checks, connected_services, services
from webmail.config.checks import ConfigError

Settings = Any  # webmail.config.Settings, which imports this module

_SECURITY = ("tls", "starttls", "none")
_CHOICES = {
    "imap_security": _SECURITY,
    "smtp_security": _SECURITY,
    "sieve_security": _SECURITY,
    "sign_in": ("imap", "accounts"),
    "login_name": ("address", "local"),
    "language": ("fr", "en"),
    "recovery_address": ("off", "ask", "required"),
    "own_password_on_devices": ("never", "without-second-step", "always"),
    "forwarding": ("off", "inside", "domains", "anywhere"),
    "storage": ("disk", "s3"),
    "microsoft_sites": ("off", "read", "write"),
    "log_format": ("text", "json"),
    "service": (services.EVERYTHING, services.PAGES, services.BODIES),
    "remote_images": ("ask", "contacts", "known", "always", "never"),
    "encryption_key": ("curve25519", "rsa"),
}
_TEN_YEARS = 87_600  # hours
RANGES: dict[str, tuple[float, float]] = {  # minimum and maximum; _MORE_THAN_0 lists those for which 0 itself is refused
    "imap_port": (1, 65535),
    "smtp_port": (1, 65535),
    "sieve_port": (1, 65535),
    "server_timeout": (0.5, 60),
    "session_idle_hours": (0, _TEN_YEARS),
    "session_absolute_hours": (0, _TEN_YEARS),
    "shared_idle_minutes": (0, _TEN_YEARS * 60),
    "proxies": (0, 10),
    "sign_in_attempts": (1, 1_000_000),
    "password_length": (6, 64),
    "password_score": (0, 4),
    "lasting_days": (0, 365),
    "second_step_grace_days": (0, 365),
    "trust_days": (0, 365),
    "provider_app_password_days": (0, 3650),
    "deletion_days": (1, 3_650),
    "address_rest_days": (1, 36_500),
    "audit_days": (0, 36_500),
    "page_size": (5, 500),
    "message_limit_mb": (1, 1000),
    "collections_per_person": (2, 1000),
    "collection_items": (1, 1_000_000),
    "collection_limit_mb": (1, 100_000),
    "collections_limit_mb": (1, 100_000),
    "item_limit_kb": (1, 10_240),
    "card_limit_kb": (1, 10_240),
    "uploads_limit_mb": (1, 1_000_000),
    "import_limit_mb": (1, 1_000_000),
    "trash_days": (0, 36_500),
    "junk_days": (0, 36_500),
    "archive_spread_minutes": (0, 600),
    "image_cache_mb": (0, 1_000_000),
    "undo_seconds": (0, 300),
    "recipients_per_hour": (0, 1_000_000),
    "recipients_per_day": (0, 1_000_000),
    "imap_connections": (1, 100_000),
    "imap_connections_per_person": (1, 100),
    "imap_idle_seconds": (1, 86_400),
    "push_connections": (0, 1000),
}
_MORE_THAN_0 = ("session_idle_hours", "session_absolute_hours", "shared_idle_minutes")
_DATABASES = ("sqlite", "postgresql", "postgres")


def check(settings: Settings) -> None:
    """Check each value, then those that depend on each other. Raises ConfigError."""
    for name, allowed in _CHOICES.items():
        if getattr(settings, name) not in allowed:
            raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {getattr(settings, name)!r}")
    for name, (low, high) in RANGES.items():
        value = getattr(settings, name)
        if not low <= value <= high or (name in _MORE_THAN_0 and not value):  # "not <=": NaN is refused too
            words = f"more than 0 and at most {high}" if name in _MORE_THAN_0 else f"from {low} to {high}"
            raise ConfigError(f"{name} must be {words}, not {value:.10g}")
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", settings.archive_time):
        raise ConfigError(f"archive_time must be a time such as 02:00, not {settings.archive_time!r}")
    if not re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])", settings.school_year_begins):
        raise ConfigError(
            f"school_year_begins must be a month and a day (to the 28th) such as 09-01, not {settings.school_year_begins!r}"
        )
    if settings.video_link:
        checks.video_link("video_link", settings.video_link)
    if settings.week_a:
        checks.day("week_a", settings.week_a)
    for name in ("imap_host", "smtp_host"):
        if not getattr(settings, name).strip():
            raise ConfigError(f"{name} must not be empty: write the name of the server")
    if settings.lmtp_address and not re.fullmatch(r"/[^\0\n]{1,100}|[^\s:/]+:[0-9]{1,5}", settings.lmtp_address):
        raise ConfigError(
            f"lmtp_address is a socket such as /run/dovecot/lmtp, or a host and a port, not {settings.lmtp_address!r}"
        )
    if not re.fullmatch(r"[^\s:/]+:[0-9]{1,5}", settings.bodies_address):
        raise ConfigError(f"bodies_address is a host and a port such as 127.0.0.1:8002, not {settings.bodies_address!r}")
    if settings.phishing_address and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", settings.phishing_address):
        raise ConfigError(f"phishing_address must be one e-mail address, not {settings.phishing_address!r}")
    if settings.admin_address and not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", settings.admin_address):
        raise ConfigError(f"admin_address must be one e-mail address, not {settings.admin_address!r}")
    if settings.domain:
        checks.domain("domain", settings.domain)
    _check_establishment(settings)
    if re.search(r"[\s;]", settings.authserv_id):
        raise ConfigError(f"authserv_id is one word, not {settings.authserv_id!r}")
    if not 0 <= settings.authserv_hops <= 3:
        raise ConfigError(f"authserv_hops is a number from 0 to 3, not {settings.authserv_hops}")
    if settings.login_name == "local" and not settings.domain:
        raise ConfigError("login_name may be local only with a domain: without one nobody's address would be known")
    if settings.metrics_token and not re.fullmatch(r"[!-~]{20,200}", settings.metrics_token):
        raise ConfigError("metrics_token must be 20 to 200 letters, digits and signs without spaces, that nobody guesses")
    if settings.own_networks:
        checks.networks("own_networks", settings.own_networks)
    for server in ("imap", "smtp", "sieve"):
        host, security = getattr(settings, f"{server}_host"), getattr(settings, f"{server}_security")
        if security == "none" and not checks.is_loopback(host):
            raise ConfigError(f"{server}_security may be none only on this machine (127.0.0.1, ::1, localhost)")
    try:
        zoneinfo.ZoneInfo(settings.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"timezone {settings.timezone!r} is unknown here: write one such as Europe/Paris, or install the package tzdata"
        ) from None
    if settings.storage == "s3" and settings.s3 is None:
        raise ConfigError('storage = "s3" needs a table [s3], with the bucket and its key')
    _check_database(settings.database_url)


def _check_establishment(settings: Settings) -> None:
    """What is told to the world: the address of the pages, and the sender of the establishment's own mail."""
    if bool(settings.terms_file or any(settings.presentation.terms)) != bool(settings.terms_version):
        raise ConfigError("terms_file and terms_version go together: a text, and a word that changes when the text does")
    if len(settings.terms_version) > 40 or not settings.terms_version.isprintable():
        raise ConfigError("terms_version is a word or date of at most 40 characters")
    if settings.recovery_address == "required" and not settings.system_address:
        raise ConfigError("recovery_address is required only with system_address: the address is confirmed by a mail from there")
    if settings.passkey_sign_in and not settings.token_key_file:
        raise ConfigError("passkey_sign_in needs token_key_file: without a password only a token opens the mail servers")
    _check_ways_in(settings)
    connected_services.check(settings)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}", settings.microsoft_tenant):
        raise ConfigError("microsoft_tenant must be common, organizations, consumers, or the id or domain of a tenant")
    if settings.public_url:
        checks.base_address("public_url", settings.public_url)
    checks.dovecot(settings.doveadm_url, settings.doveadm_key, settings.mail_server)
    checks.zone(settings.server_addresses, settings.dkim_selector, settings.dkim_record, settings.certificate_authority)
    if settings.dovecot_sockets and not (settings.doveadm_url and settings.dovecot_sockets.startswith("/")):
        raise ConfigError("dovecot_sockets is a folder such as /run/dovecot/srv.imap, and needs doveadm_url")
    if settings.admin_address and not settings.system_address:
        raise ConfigError("admin_address needs system_address: people ask for more room by the establishment's own mail")
    if not settings.system_address:
        return
    checks.mailbox("system_address", settings.system_address)
    if not (settings.token_key_file or settings.system_password or settings.smtp_security == "none"):
        raise ConfigError("system_address needs system_password (or token_key_file), to sign in to the SMTP server with")


def _check_ways_in(settings: Settings) -> None:
    """Signing in without a password of ours: the mail servers have to take our token then, and providers lead back to us."""
    used = [name for name in ("oidc", "ldap", "cas", "proxy_sign_in") if getattr(settings, name)]
    if used and (settings.sign_in != "accounts" or not settings.token_key_file):
        raise ConfigError(f'{used[0]} needs sign_in = "accounts" and token_key_file: nothing else opens the mail then')
    if (settings.oidc or settings.cas) and not settings.public_url:
        raise ConfigError("oidc and cas need public_url: the provider leads people back there")
    if settings.ldap is not None and not find_spec("ldap"):
        raise ConfigError("ldap needs the Python package python-ldap: see requirements-ldap.txt")
    if (
        settings.ldap is not None
        and settings.ldap.url.startswith("ldap:")
        and not (settings.ldap.starttls or settings.ldap.is_here)
    ):
        raise ConfigError(
            "ldap.starttls = false is for a directory on this machine alone: passwords would cross the network in clear"
        )


def _check_database(url: str) -> None:
    kind = url.partition(":")[0]
    if url and (kind not in _DATABASES or "://" not in url):
        raise ConfigError("database_url must begin with sqlite:/// or postgresql://")  # not shown: it may hold a password
    if kind.startswith("postgres") and not any(map(find_spec, ("psycopg", "psycopg2"))):
        raise ConfigError("database_url: PostgreSQL needs the Python package psycopg: see requirements-postgresql.txt")
