"""Table `[devices]` of config.toml: how telephones and mail programs reach the mail servers, and who signs Apple's profiles.

How a table is read: `config/tables.py`. What follows from it where nothing is written: `auth/devices/servers.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from webmail.config.checks import ConfigError, between, checked, domain, line, one_of


def _host(name: str, value: str) -> None:
    if value:
        domain(name, value)


@dataclass(frozen=True, slots=True)
class Devices:
    """The mail servers as they are reached from outside, which `imap_host` may not be: 127.0.0.1, or a name of the inside."""

    imap_host: str = checked(_host, default="")  # empty: mail_server
    imap_port: int = checked(between(1, 65535), default=993)
    imap_security: str = checked(one_of("tls", "starttls"), default="tls")
    smtp_host: str = checked(_host, default="")
    smtp_port: int = checked(between(1, 65535), default=465)
    smtp_security: str = checked(one_of("tls", "starttls"), default="tls")
    certificate: str = checked(line(500, empty=True), default="")  # PEM, with those between it and a known authority behind it
    key: str = checked(line(500, empty=True), default="")  # PEM, of that certificate

    def __post_init__(self) -> None:
        if bool(self.certificate) != bool(self.key):
            raise ConfigError("devices: certificate and key go together, as a profile is signed by both")
