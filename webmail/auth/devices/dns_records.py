"""DNS records by which programs find our servers from an address: for the administrator, who adds them where the domain is kept.

Mail: RFC 6186 (SRV), and RFC 8314 section 5.1 for submission over TLS. Calendars and contacts: RFC 6764 (SRV and TXT).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from webmail.auth.devices.servers import DeviceServer, dav_server, domains, mail_servers
from webmail.config.settings import Settings
from webmail.mime.headers.address_input import ascii_domain

_TTL = 3600  # seconds
_NAMES = {  # what a server is called in DNS, by its use and security; the first is the one that is preferred
    "imap": {"tls": "_imaps", "starttls": "_imap"},
    "smtp": {"tls": "_submissions", "starttls": "_submission"},
}
_NOT_THERE = ("_pop3", "_pop3s")  # said to be absent, so that programs don't try


def records(settings: Settings, *, dav: bool) -> list[str]:
    """Lines of a zone file (RFC 1035 section 5), of each domain; none where no server is known by a name.

    `dav`: calendars and contacts are served too.
    """
    lines: list[str] = []
    servers, web = mail_servers(settings), urlsplit(settings.public_url)
    for domain in domains(settings):
        lines += [line for server in servers for line in _mail(domain, server)]
        if servers:
            lines += [_srv(name, domain, "") for name in _NOT_THERE]
        if dav and settings.public_url.startswith("https:"):
            lines += _dav(domain, settings)
        if servers and web.hostname:
            host = ascii_domain(web.hostname)
            lines.append(f"autoconfig.{domain}. {_TTL} IN CNAME {host}.")
            lines.append(_srv("_autodiscover", domain, host, web.port or 443))
    return lines


def _mail(domain: str, server: DeviceServer) -> list[str]:
    """The way it is reached, and that there is no other (RFC 2782: a target of "." is none)."""
    return [
        _srv(name, domain, server.host if security == server.security else "", server.port)
        for security, name in _NAMES[server.use].items()
    ]


def _dav(domain: str, settings: Settings) -> list[str]:
    host, port, path = dav_server(settings)
    lines = []
    for name in ("_caldavs", "_carddavs"):
        lines.append(_srv(name, domain, ascii_domain(host), port))
        lines.append(f'{name}._tcp.{domain}. {_TTL} IN TXT "path={path}"')
    return lines


def _srv(name: str, domain: str, host: str, port: int = 0) -> str:
    target = f"0 1 {port} {host}." if host else "0 0 0 ."
    return f"{name}._tcp.{domain}. {_TTL} IN SRV {target}"
