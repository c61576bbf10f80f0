"""Apple configuration profile: what sets up mail, calendars and contacts on an iPhone, iPad or Mac in one go.

A property list as Apple's "Configuration Profile Reference" has it, signed (CMS, RFC 5652) where a certificate is set. It holds
the app password, and is as secret: whoever answers with it says no-store, and nothing of it is logged.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from webmail.auth.devices.servers import dav_principal, dav_server, domains, mail_servers, user_name
from webmail.config.settings import Settings
from webmail.errors import EnglishText as _l

log = logging.getLogger(__name__)

TYPE = "application/x-apple-aspen-config"
_SPACE = uuid.UUID("6a3e1d1c-7a52-5b0e-9d39-3c8f1f6f2b57")  # our own: the same app password gives the same identifiers


class CannotSignError(Exception):
    """The certificate or key of `[devices]` can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class ProfileOwner:
    """Whose profile it is. `name`: as others see it; `number`: of the app password, 0 for none; `ends`: naive UTC.

    `password`: empty where the device is to ask for it.
    """

    address: str
    name: str
    number: int
    password: str
    uses: frozenset[str]  # of app_passwords.USES
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProfileWords:
    """What the device shows of it, in the person's language."""

    title: str
    description: str


def profile(owner: ProfileOwner, texts: ProfileWords, settings: Settings) -> bytes:
    """The file, signed where that can be: a fault of the certificate is logged, and the profile goes out without."""
    plain = unsigned(owner, texts, settings)
    if not settings.devices.certificate:
        return plain
    try:
        return Signer(settings).sign(plain)
    except CannotSignError as error:
        log.warning("Apple's profiles are not signed: %s", error)
        return plain


def unsigned(owner: ProfileOwner, texts: ProfileWords, settings: Settings) -> bytes:
    """The property list. Calendars and contacts need `public_url`, mail both its servers; see `auth/devices/servers.py`."""
    import plistlib

    parts = [_mail(owner, settings), *(_dav(use, owner, settings) for use in ("caldav", "carddav"))]
    content: dict[str, Any] = {
        **_head("Configuration", "", owner, settings),
        "PayloadDisplayName": texts.title,
        "PayloadDescription": texts.description,
        "PayloadOrganization": settings.name,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [part for part in parts if part is not None],
    }
    if owner.ends is not None:
        content["RemovalDate"] = owner.ends  # the device takes the accounts off by itself
    return plistlib.dumps(content)


def _head(kind: str, part: str, owner: ProfileOwner, settings: Settings) -> dict[str, Any]:
    """What each payload has. The identifiers are stable: a profile that is installed again replaces itself."""
    domain = (domains(settings) or ("traboule.invalid",))[0]
    name = ".".join([*reversed(domain.split(".")), "traboule", str(owner.number), *([part] if part else [])])
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": name,
        "PayloadUUID": str(uuid.uuid5(_SPACE, f"{name} {owner.address}")).upper(),
    }


def _mail(owner: ProfileOwner, settings: Settings) -> dict[str, Any] | None:
    servers = {server.use: server for server in mail_servers(settings)}
    if not {"imap", "smtp"} <= owner.uses & servers.keys():
        return None
    name = user_name(owner.address, settings)
    payload: dict[str, Any] = {
        **_head("com.apple.mail.managed", "mail", owner, settings),
        "PayloadDisplayName": settings.name,
        "EmailAccountDescription": settings.name,
        "EmailAccountName": owner.name or owner.address,
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAddress": owner.address,
        "OutgoingPasswordSameAsIncomingPassword": True,
        "PreventMove": False,
    } | ({"IncomingPassword": owner.password} if owner.password else {})
    for side, use in (("Incoming", "imap"), ("Outgoing", "smtp")):
        payload |= {
            f"{side}MailServerAuthentication": "EmailAuthPassword",
            f"{side}MailServerHostName": servers[use].host,
            f"{side}MailServerPortNumber": servers[use].port,
            f"{side}MailServerUseSSL": servers[use].security != "none",  # STARTTLS by the port
            f"{side}MailServerUsername": name,
        }
    return payload


def _dav(use: str, owner: ProfileOwner, settings: Settings) -> dict[str, Any] | None:
    """Calendars or contacts. The device finds the rest from the person's own address there (RFC 6764 section 6)."""
    if use not in owner.uses or not settings.public_url:
        return None
    host, port, _path = dav_server(settings)
    word = {"caldav": "CalDAV", "carddav": "CardDAV"}[use]
    return {
        **_head(f"com.apple.{use}.account", use, owner, settings),
        "PayloadDisplayName": settings.name,
        f"{word}AccountDescription": settings.name,
        f"{word}HostName": host,
        f"{word}Port": port,
        f"{word}PrincipalURL": dav_principal(owner.address, settings),
        f"{word}UseSSL": settings.public_url.startswith("https:"),
        f"{word}Username": user_name(owner.address, settings),
    } | ({f"{word}Password": owner.password} if owner.password else {})


class Signer:
    """The certificate and key of `[devices]`. Raises CannotSignError."""

    def __init__(self, settings: Settings) -> None:
        files = [Path(settings.instance, name) for name in (settings.devices.certificate, settings.devices.key)]
        try:
            certificate, key = (file.read_bytes() for file in files)
            self.certificate, *self._others = x509.load_pem_x509_certificates(certificate)
            self._key = load_pem_private_key(key, None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: the key has a password
            about = {"certificate": files[0].name, "key": files[1].name, "why": error}
            raise CannotSignError(_l("%(certificate)s or %(key)s can’t be used (%(why)s)", **about)) from error
        if self._key.public_key() != self.certificate.public_key():
            raise CannotSignError(_l("%(key)s is not the key of %(certificate)s", key=files[1].name, certificate=files[0].name))
        if self.ends < datetime.now(UTC):
            raise CannotSignError(_l("%(certificate)s has expired", certificate=files[0].name))

    @property
    def ends(self) -> datetime:
        return self.certificate.not_valid_after_utc

    def sign(self, content: bytes) -> bytes:
        """A CMS message (DER) with the content in it."""
        from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

        if not isinstance(self._key, RSAPrivateKey | EllipticCurvePrivateKey):
            raise CannotSignError(_l("its key is neither RSA nor ECDSA"))
        builder = PKCS7SignatureBuilder().set_data(content).add_signer(self.certificate, self._key, SHA256())
        for other in self._others:
            builder = builder.add_certificate(other)
        return bytes(builder.sign(Encoding.DER, [PKCS7Options.Binary]))
