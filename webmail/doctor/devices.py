"""Doctor, devices: whether phones and mail programs can reach the servers by the names they are told, and who signs profiles."""

from __future__ import annotations

import contextlib
import imaplib
import smtplib
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from imapclient import IMAPClient

from webmail.auth.devices.apple_profile import CannotSignError, Signer
from webmail.auth.devices.servers import DeviceServer, mail_servers
from webmail.config.settings import Settings
from webmail.doctor.result import CERTIFICATE_DAYS, OK, PROBLEM, WARNING, CheckResult, lazy_ngettext, plain, why
from webmail.doctor.result import lazy_gettext as _l


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Each server as a device sees it: with the system's certificate authorities, since `ca_file` is known to nobody else."""
    servers = mail_servers(settings)
    if len(servers) < 2:
        words = _l(
            "people can’t be told which servers to use. Set mail_server, or [devices] with names and ports that are good "
            "outside; see docs/administrator/devices.md."
        )
        yield CheckResult("Devices", WARNING, words)
    for server in servers:
        yield _reached(server, settings.server_timeout)
    if servers and not settings.public_url:
        yield CheckResult("Devices", WARNING, _l("public_url is not set: no QR code for iPhones, no calendars and contacts."))
    if settings.devices.certificate:
        yield _signer(settings)


def _reached(server: DeviceServer, timeout: float) -> CheckResult:
    name, where = f"Devices, {server.use.upper()}", f"{server.host} port {server.port}"
    try:
        ends = _imap(server, timeout) if server.use == "imap" else _smtp(server, timeout)
    except ssl.SSLCertVerificationError as error:
        words = _l(
            "phones do not trust the certificate of %(where)s (%(why)s): renew it, or have it issued for this name.",
            where=where, why=error.verify_message or plain(error),
        )  # fmt: skip
        return CheckResult(name, PROBLEM, words)
    except (OSError, imaplib.IMAP4.error, smtplib.SMTPException, EOFError) as error:
        words = _l(
            "%(where)s can’t be reached from here (%(why)s). If it can from outside, this does no harm.",
            where=where,
            why=why(error),
        )
        return CheckResult(name, WARNING, words)
    days = int((ends - time.time()) // 86400)
    if days < CERTIFICATE_DAYS:
        words = lazy_ngettext(
            "the certificate of %(where)s expires in %(num)d day: renew it.",
            "the certificate of %(where)s expires in %(num)d days: renew it.",
            days, where=where,
        )  # fmt: skip
        return CheckResult(name, WARNING, words, days)
    return CheckResult(name, OK, _l("%(where)s answers, with a certificate that phones trust.", where=where), days)


def _imap(server: DeviceServer, timeout: float) -> float:
    """Until when its certificate is valid, in seconds since 1970."""
    context = ssl.create_default_context()
    client = IMAPClient(server.host, server.port, ssl=server.security == "tls", ssl_context=context, timeout=timeout)
    try:
        if server.security == "starttls":
            client.starttls(context)
        return _end_of(client.socket())
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):  # closed already if TLS failed: keep that error
            client.shutdown()


def _smtp(server: DeviceServer, timeout: float) -> float:
    context = ssl.create_default_context()
    if server.security == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=timeout)
    try:
        if server.security == "starttls":
            client.starttls(context=context)
        return _end_of(client.sock)
    finally:
        client.close()


def _end_of(sock: object) -> float:
    assert isinstance(sock, ssl.SSLSocket)  # for mypy: both ways ended in TLS
    return float(ssl.cert_time_to_seconds(str((sock.getpeercert() or {})["notAfter"])))


def _signer(settings: Settings) -> CheckResult:
    name = "Apple profiles"
    try:
        ends = Signer(settings).ends
    except CannotSignError as error:
        return CheckResult(name, PROBLEM, _l("are not signed: %(why)s (certificate and key of [devices]).", why=why(error)))
    days = (ends - datetime.now(UTC)).days
    if days < CERTIFICATE_DAYS:
        words = lazy_ngettext(
            "are signed by a certificate that expires in %(num)d day: renew it.",
            "are signed by a certificate that expires in %(num)d days: renew it.",
            days,
        )
        return CheckResult(name, WARNING, words)
    words = _l("are signed by %(file)s, for %(days)s more days.", file=settings.devices.certificate, days=days)
    return CheckResult(name, OK, words)
