"""Checks of settings: the error that names what is wrong, the types of values, and what addresses and names must look like.

They know no setting: `config/settings.py` and `config/tables.py` say which value must be what.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from webmail.errors import BadAddressError
from webmail.mail import Address
from webmail.mime.headers.address_input import ascii_domain, parse_addresses

LONGEST_URL = 2000  # characters
_LONGEST_VIDEO_LINK = 900  # characters: a form of an event takes 1000
_SHORTEST_KEY = 16  # characters of a secret
_KIND_WORDS = {"bool": "true or false", "int": "a whole number", "float": "a number", "str": "text"}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.I)

Check = Callable[[str, Any], None]  # (what the value is called, the value); raises ConfigError


class ConfigError(Exception):
    """A setting is missing, unknown or invalid; the message says which and what to write."""


# --- types -----------------------------------------------------------------------------------------------------------


def typed(name: str, kind: str, value: Any) -> Any:
    """Check the type of a value; an int is accepted as a float. Raises ConfigError."""
    if kind == "float" and type(value) is int:
        return float(value)
    if type(value).__name__ != kind:  # not isinstance: True is an int
        hint = ", without quotes" if isinstance(value, str) else ", in quotes" if kind == "str" else ""
        raise ConfigError(f"{name} must be {_KIND_WORDS[kind]}{hint}, not {value!r}")
    return value


def parsed(name: str, kind: str, text: str) -> Any:
    """Parse a value given as text, as in the environment. Raises ConfigError."""
    try:
        if kind == "bool":
            return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
        return {"int": int, "float": float, "str": str}[kind](text)
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{name} must be {_KIND_WORDS[kind]}, not {text!r}") from error


def checked(check: Check, **options: Any) -> Any:
    """A field of an entry of a table (config/tables.py); one without a default must be written."""
    return field(metadata={"check": check}, **options)


# --- values ----------------------------------------------------------------------------------------------------------


def line(most: int, *, empty: bool = False) -> Check:
    """A check for one line of text that is shown to people, of at most so many characters."""

    def check(name: str, value: str) -> None:
        if not value.strip() and not (empty and not value):
            raise ConfigError(f"{name} must not be empty")
        if len(value) > most or _CONTROLS.search(value):
            raise ConfigError(f"{name} must be one line of at most {most} characters, not {value[:80]!r}")

    return check


def day(name: str, value: str) -> None:
    """A day such as 2026-12-24. Raises ConfigError."""
    try:
        good = len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        good = False
    if not good:
        raise ConfigError(f"{name} must be a day such as 2026-12-24, not {value[:40]!r}")


def age(name: str, value: str) -> None:
    """How old messages are: "90 days", "6 months", "school year"."""
    if not re.fullmatch(r"[1-9]\d{0,3} days|[1-9]\d{0,2} months|school year", value):
        raise ConfigError(f'{name} must be like "90 days", "6 months" or "school year", not {value!r}')


def web_address(name: str, value: str) -> None:
    """An address to link to: https, or http on this machine. Raises ConfigError."""
    if (problem := _web_problem(value)) is not None:
        raise ConfigError(f"{name} must be {problem}, not {value[:80]!r}")


def base_address(name: str, value: str) -> None:
    """An address below which pages lie: like `web_address`, and with nothing behind its path. Raises ConfigError."""
    web_address(name, value)
    if "?" in value or "#" in value:
        raise ConfigError(f"{name} must end with the name of the host or a path, without ? and #, not {value[:80]!r}")


def video_link(name: str, value: str) -> None:
    """An address of video meetings with {room} once behind its host, where each has its own letters. Raises ConfigError."""
    web_address(name, value)
    host, _slash, path = value.partition("://")[2].partition("/")
    if "{" in host or path.count("{room}") != 1 or len(value) > _LONGEST_VIDEO_LINK:
        example = "https://visio.example/{room}"
        raise ConfigError(f"{name} must be an address with {{room}} once behind its host, such as {example}, not {value[:80]!r}")


def dovecot(url: str, key: str, mail_server: str) -> None:
    """Where Dovecot is told what to end, with which secret; and the name that telephones know it by. Raises ConfigError."""
    if url:
        base_address("doveadm_url", url)
    if url and not key:
        raise ConfigError("doveadm_url needs doveadm_key: the text of the file traboule.key beside dovecot.conf")
    if key and (len(key) < _SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key):
        raise ConfigError(f"doveadm_key must have at least {_SHORTEST_KEY} letters and figures, without spaces")  # not shown
    if mail_server:
        domain("mail_server", mail_server)


def zone(addresses: str, selector: str, key: str, authority: str) -> None:
    """What belongs in DNS that only the mail server knows. Raises ConfigError."""
    for address in addresses.replace(",", " ").split():
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise ConfigError(f"server_addresses are IP addresses, separated by commas, not {address!r}") from None
    if selector and not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", selector):
        raise ConfigError(f"dkim_selector is a name of small letters and figures, not {selector!r}")
    if bool(selector) < bool(key) or (key and not re.fullmatch(r"v=DKIM1;[!#-~ ]{10,1500}", key)):
        raise ConfigError("dkim_record begins with v=DKIM1; without quotes, and needs dkim_selector")
    if authority:
        domain("certificate_authority", authority)


def domain(name: str, value: str) -> None:
    """The part of mail addresses behind the @. Raises ConfigError."""
    try:
        labels = ascii_domain(value).split(".")
    except UnicodeError:
        labels = [""]
    if len(value) > 190 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ConfigError(f"{name} must be a domain such as lycee.example, not {value[:80]!r}")


def mailbox(name: str, value: str) -> Address:
    """One mail address, with or without a name before it. Raises ConfigError."""
    try:
        found = parse_addresses(value) if len(value) <= 500 and value.isprintable() else ()
    except BadAddressError:
        found = ()
    if len(found) != 1:
        raise ConfigError(f"{name} must be one address such as Lycée Ampère <noreply@lycee.example>, not {value[:80]!r}")
    return found[0]


def networks(name: str, value: str) -> None:
    """IP addresses or networks, separated by commas. Raises ConfigError."""
    for word in value.split(","):
        try:
            ipaddress.ip_network(word.strip())
        except ValueError as error:
            raise ConfigError(f"{name} must be IP addresses or networks, separated by commas: {error}") from error


def is_loopback(host: str) -> bool:
    return host in ("", "localhost", "::1") or re.fullmatch(r"127(?:\.\d{1,3}){3}", host) is not None


def _web_problem(value: str) -> str | None:
    """What an address must be instead; None if it is good."""
    if len(value) > LONGEST_URL or not value.isprintable() or re.search(r"[\s\"'<>\\]", value):
        return f"an address of the web without spaces or quotes, at most {LONGEST_URL} characters"
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        return "an address that begins with https://"
    if parts.scheme == "http" and not is_loopback(host):
        return "an address that begins with https:// (http:// is for this machine only)"
    return "an address without a name or password in it" if "@" in parts.netloc else None


def text(most: int) -> Check:
    """A check for text of several lines, of at most so many characters; it may be empty."""

    def check(name: str, value: str) -> None:
        if len(value) > most or _CONTROLS.search(value.replace("\n", "").replace("\t", "")):
            raise ConfigError(f"{name} must be text of at most {most} characters, without control characters")

    return check


def one_of(*words: str) -> Check:
    def check(name: str, value: str) -> None:
        if value not in words:
            raise ConfigError(f"{name} must be one of {', '.join(words)}, not {value[:80]!r}")

    return check


def between(least: float, most: float) -> Check:
    def check(name: str, value: float) -> None:
        if not least <= value <= most:
            raise ConfigError(f"{name} must be from {least:g} to {most:g}, not {value:g}")

    return check


def anything(_name: str, _value: Any) -> None:
    """No check beyond the type."""
