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
from webmail.doctor.result import CERTIFICATE_DAYS, OK, PROBLEM, WARNING, CheckResult, in_days, plain

_ADVICE = "Set mail_server, or [devices] with names and ports that are good outside; see docs/administrator/devices.md."


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Each server as a device sees it: with the system's certificate authorities, since `ca_file` is known to nobody else."""
    servers = mail_servers(settings)
    if len(servers) < 2:
        yield CheckResult("Devices", WARNING, f"people can't be told which servers to use. {_ADVICE}")
    for server in servers:
        yield _reached(server, settings.server_timeout)
    if servers and not settings.public_url:
        yield CheckResult("Devices", WARNING, "public_url is not set: no QR code for iPhones, no calendars and contacts.")
    if settings.devices.certificate:
        yield _signer(settings)


def _reached(server: DeviceServer, timeout: float) -> CheckResult:
    name, where = f"Devices, {server.use.upper()}", f"{server.host} port {server.port}"
    try:
        ends = _imap(server, timeout) if server.use == "imap" else _smtp(server, timeout)
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message or plain(error)
        return CheckResult(name, PROBLEM, f"phones do not trust the certificate of {where} ({why}).")
    except (OSError, imaplib.IMAP4.error, smtplib.SMTPException, EOFError) as error:
        words = f"{where} can't be reached from here ({plain(error).rstrip('.')}). If it can from outside, this does no harm."
        return CheckResult(name, WARNING, words)
    days = int((ends - time.time()) // 86400)
    if days < CERTIFICATE_DAYS:
        return CheckResult(name, WARNING, f"the certificate of {where} expires in {in_days(days)}: renew it.", days)
    return CheckResult(name, OK, f"{where} answers, with a certificate that phones trust.", days)


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
        return CheckResult(name, PROBLEM, f"are not signed: {error} (certificate and key of [devices]).")
    days = (ends - datetime.now(UTC)).days
    if days < CERTIFICATE_DAYS:
        return CheckResult(name, WARNING, f"are signed by a certificate that expires in {in_days(days)}: renew it.")
    return CheckResult(name, OK, f"are signed by {settings.devices.certificate}, for {days} more days.")
