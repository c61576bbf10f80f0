"""Settings of the door: those of the webmail's config.toml that concern it, and the arguments of its command."""

from __future__ import annotations

import argparse
import ipaddress
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from deploy.milter.forwards import MODES, ForwardingPolicy
from deploy.milter.headers import domain_of

SOCKET = "inet:8894@127.0.0.1"
SENDERS = Path("/etc/postfix/traboule-senders.cf")
_KEY = "secret_key"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """A setting is missing or makes no sense; the message is for the administrator."""


@dataclass(frozen=True, slots=True)
class Settings:
    authserv_id: str
    domains: frozenset[str]  # ours, and those below them that are listed
    senders: Path
    socket: str = SOCKET
    trusted: tuple[Network, ...] = ()
    resolver: tuple[str, int] | None = None  # host and port
    secret: str = field(default="", repr=False)  # the webmail's key, by which it knows its own messages; "": none is known
    forwarding: ForwardingPolicy = field(default_factory=ForwardingPolicy)
    helpers: frozenset[str] = frozenset()  # to whom everybody may write
    dns_seconds: float = 15  # for all that is asked of DNS about one message

    def trusts(self, address: str) -> bool:
        try:
            return any(ipaddress.ip_address(address) in network for network in self.trusted)
        except ValueError:
            return False


def _given(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.milter", description=__doc__)
    parser.add_argument("--settings", type=Path, required=True, help="the webmail's config.toml")
    parser.add_argument("--senders", type=Path, default=SENDERS, help="Postfix's map of senders (default %(default)s)")
    parser.add_argument("--socket", default=SOCKET, help="where Postfix asks, as libmilter names it (default %(default)s)")
    parser.add_argument("--trusted", default="127.0.0.0/8 ::1", help="networks of this server itself (default %(default)s)")
    parser.add_argument("--resolver", default="", help="HOST:PORT of the DNS server to ask; default: those of resolv.conf")
    parser.add_argument("--dns-seconds", type=float, default=15, help="for all questions about one message (default %(default)s)")
    return parser.parse_args(arguments)


def files(arguments: list[str]) -> tuple[Path, ...]:
    """The files that settings stand in, some of which may be missing."""
    given = _given(arguments)
    return given.settings, given.settings.parent / _KEY, given.senders


def read(arguments: list[str]) -> Settings:
    """Raises SettingsError."""
    given = _given(arguments)
    values = _toml(given.settings)
    authserv_id = str(values.get("authserv_id") or "")
    domains = [str(values.get("domain") or ""), *(str(table.get("name") or "") for table in values.get("domains") or [])]
    if not authserv_id:
        raise SettingsError(f"{given.settings} has no authserv_id: the name under which Authentication-Results are written.")
    if not any(domains):
        raise SettingsError(f"{given.settings} has no domain: those whose mail nobody else may send.")
    host, _, port = given.resolver.rpartition(":")
    ours = frozenset(domain_of(f"@{name}") for name in domains if name)
    below = frozenset(domain_of(f"@{name}") for name in _listed(values, "own_subdomains"))
    try:
        return Settings(
            authserv_id, ours | below, given.senders, given.socket,
            tuple(ipaddress.ip_network(word) for word in given.trusted.split()), (host, int(port)) if host else None,
            str(values.get("secret_key") or _secret(given.settings.parent / _KEY)), _forwarding(values, ours),
            frozenset(str(values.get(name) or "").lower() for name in ("admin_address", "phishing_address")) - {""},
            given.dns_seconds,
        )  # fmt: skip
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _forwarding(values: dict, ours: frozenset[str]) -> ForwardingPolicy:
    """Raises ValueError."""
    mode = str(values.get("forwarding") or "inside")
    if mode not in MODES:
        raise ValueError(f"forwarding is one of {', '.join(MODES)}, and not {mode}")
    return ForwardingPolicy(mode, frozenset(domain_of(f"@{name}") for name in _listed(values, "forwarding_domains")), ours)


def _listed(values: dict, name: str) -> list[str]:
    return [word.strip(".") for word in re.split(r"[,\s]+", str(values.get(name) or "")) if word.strip(".")]


def _secret(file: Path) -> str:
    """The key that the webmail made for itself beside its settings; "" if there is none, or it is not for us."""
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _toml(file: Path) -> dict:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} can't be read: {error}") from error
