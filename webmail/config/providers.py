"""Tables of config.toml for signing in by what the establishment already has, and for getting back in.

Each is off unless its table is written. How a table is read: `config/tables.py`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from webmail.config.checks import ConfigError, anything, between, checked, line, networks, one_of, text, web_address


def _slug(name: str, value: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,29}", value):
        raise ConfigError(f"{name} must be a word of small letters, figures and hyphens, not {value[:80]!r}")


def _ldap_address(name: str, value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in ("ldap", "ldaps", "ldapi") or not (parts.hostname or parts.scheme == "ldapi") or parts.query:
        raise ConfigError(f"{name} must be an address such as ldaps://directory.lycee.example, not {value[:80]!r}")


def _name_filter(name: str, value: str) -> None:
    if not ("{name}" in value or "{address}" in value) or not (value.startswith("(") and value.endswith(")")):
        raise ConfigError(
            f"{name} must be a filter with {{name}} or {{address}} in it, such as (uid={{name}}), not {value[:80]!r}"
        )


def _filter(name: str, value: str) -> None:
    if value and not (value.startswith("(") and value.endswith(")")):
        raise ConfigError(f"{name} must be a filter such as (!(employeeType=gone)), not {value[:80]!r}")


def _header(name: str, value: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,60}", value):
        raise ConfigError(f"{name} must be the name of a header such as X-Remote-User, not {value[:80]!r}")


def _header_or_none(name: str, value: str) -> None:
    if value:
        _header(name, value)


def _country(name: str, value: str) -> None:
    if not re.fullmatch(r"\+[1-9][0-9]{0,2}", value):
        raise ConfigError(f"{name} must be the code of a country such as +33, not {value[:80]!r}")


def _check_url(name: str, value: str) -> None:
    """A path on this host, or an address of the web; empty for none."""
    if value and not re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", value):
        web_address(name, value)


def _path(name: str, value: str) -> None:
    if value and not re.fullmatch(r"/(?![/\\])[\x21-\x7e]{0,199}", value):
        raise ConfigError(f"{name} must be a path on this host such as /Shibboleth.sso/Login?target={{back}}, not {value[:80]!r}")


def _gateway(name: str, value: str) -> None:
    if value == "console":
        return
    web_address(name, value.replace("{number}", "1").replace("{text}", "1"))


def _headers(name: str, value: str) -> None:
    for each in value.splitlines():
        if each.strip() and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,60}:[^\x00-\x1f\x7f]*", each):
            raise ConfigError(f"{name} must be lines such as Authorization: Bearer abc, not {each[:80]!r}")


@dataclass(frozen=True, slots=True)
class Oidc:
    """A provider of OpenID Connect: an ENT, Keycloak, Google, Microsoft."""

    name: str = checked(_slug)  # in addresses, and with accounts: never change it
    title: str = checked(line(40))  # on the button: "Sign in with {title}"
    issuer: str = checked(web_address)  # its configuration is read from there (discovery)
    client_id: str = checked(line(300))
    client_secret: str = checked(line(500, empty=True), default="")
    scopes: str = checked(line(200), default="openid email profile")
    address_claim: str = checked(line(60), default="email")
    name_claim: str = checked(line(60), default="name")
    groups_claim: str = checked(line(60, empty=True), default="")
    create: bool = checked(anything, default=False)  # make an account at the first sign-in
    match_address: bool = checked(anything, default=False)  # the provider's proven address signs in to the account that has it
    addresses_proven: bool = checked(anything, default=False)  # its addresses are right, though it does not say so of each
    domains: str = checked(line(500, empty=True), default="")  # that made and matched accounts may be of; empty: `domain` alone
    make_groups: bool = checked(anything, default=False)  # groups that do not exist yet are made
    second_step: str = checked(one_of("ours", "theirs"), default="ours")  # theirs: the person's own second step is not asked for
    ca_file: str = checked(line(500, empty=True), default="")  # certificates that it is checked with, instead of the system's


@dataclass(frozen=True, slots=True)
class Ldap:
    """A directory that checks passwords and knows names, groups and quotas."""

    url: str = checked(_ldap_address)
    base: str = checked(line(500))  # below which people are
    starttls: bool = checked(anything, default=True)  # with ldap://; not on this machine
    ca_file: str = checked(line(500, empty=True), default="")
    bind_dn: str = checked(line(500, empty=True), default="")  # who looks people up; empty: anonymously
    bind_password: str = checked(line(500, empty=True), default="")
    filter: str = checked(_name_filter, default="(uid={name})")  # {name}: before the @; {address}: all of it
    active_filter: str = checked(_filter, default="")  # people for whom it does not hold can't sign in
    people_filter: str = checked(_filter, default="")  # who is found on the page of the directory; empty: nobody there
    address_attribute: str = checked(line(60), default="mail")
    name_attribute: str = checked(line(60), default="displayName")
    groups_attribute: str = checked(line(60, empty=True), default="")  # of the person: memberOf; names or DNs
    quota_attribute: str = checked(line(60, empty=True), default="")  # bytes, or 500M, 2G
    create: bool = checked(anything, default=True)
    domains: str = checked(line(500, empty=True), default="")
    make_groups: bool = checked(anything, default=False)
    timeout: float = checked(between(0.5, 30), default=5.0)  # seconds

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine: nobody can listen in between, and it may have no certificate."""
        parts = urlsplit(self.url)
        if parts.scheme == "ldapi" or parts.hostname == "localhost":
            return True
        try:
            return ipaddress.ip_address(parts.hostname or "").is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Cas:
    """A CAS 3 server, as many ENTs have."""

    url: str = checked(web_address)  # before /login and /p3/serviceValidate
    title: str = checked(line(40))
    address_attribute: str = checked(line(60, empty=True), default="mail")  # empty: the user name, with `domain`
    name_attribute: str = checked(line(60, empty=True), default="displayName")
    groups_attribute: str = checked(line(60, empty=True), default="")
    create: bool = checked(anything, default=False)
    match_address: bool = checked(anything, default=False)
    domains: str = checked(line(500, empty=True), default="")
    make_groups: bool = checked(anything, default=False)
    second_step: str = checked(one_of("ours", "theirs"), default="ours")
    ca_file: str = checked(line(500, empty=True), default="")


@dataclass(frozen=True, slots=True)
class ProxySignIn:
    """A reverse proxy that has signed people in, by SAML for example, and names them in a header."""

    header: str = checked(_header)
    addresses: str = checked(networks)  # of the proxies; from anywhere else the header is worth nothing
    title: str = checked(line(40))
    path: str = checked(_path, default="")  # where the proxy begins signing in; empty: at /login/proxy itself
    name_header: str = checked(_header_or_none, default="")
    groups_header: str = checked(_header_or_none, default="")  # separated by ; or ,
    create: bool = checked(anything, default=False)
    match_address: bool = checked(anything, default=True)
    domains: str = checked(line(500, empty=True), default="")
    make_groups: bool = checked(anything, default=False)
    second_step: str = checked(one_of("ours", "theirs"), default="ours")
    sign_out: str = checked(_check_url, default="")  # where signing out leads, so that the proxy ends its session too


@dataclass(frozen=True, slots=True)
class Sms:
    """A gateway that sends text messages by HTTP. {number} and {text} are escaped for where they stand."""

    url: str = checked(_gateway)  # "console": the log of this process, for a demo
    method: str = checked(one_of("GET", "POST", "PUT"), default="POST")
    headers: str = checked(_headers, default="Content-Type: application/json")  # one a line
    body: str = checked(text(4000), default='{"to": "{number}", "message": "{text}"}')
    answer: str = checked(line(200, empty=True), default="")  # words in the answer that say it was accepted; empty: status 2xx
    country: str = checked(_country, default="+33")  # of numbers that begin with 0
    per_day: int = checked(between(1, 1_000_000), default=500)  # text messages of everybody together: they cost money
    ca_file: str = checked(line(500, empty=True), default="")


@dataclass(frozen=True, slots=True)
class Support:
    """The support page, which everybody can read."""

    text: str = checked(text(5000), default="")  # the establishment's words; an empty line begins a paragraph
    telephone: str = checked(line(60, empty=True), default="")
    hours: str = checked(line(200, empty=True), default="")
    password_url: str = checked(_check_url, default="")  # where passwords are reset that are not kept here


@dataclass(frozen=True, slots=True)
class HelpSite:
    """A site of the establishment, on the support page."""

    name: str = checked(line(100))
    place: str = checked(line(200, empty=True), default="")
    telephone: str = checked(line(60, empty=True), default="")
    hours: str = checked(line(200, empty=True), default="")
    domain: str = checked(line(190, empty=True), default="")  # whose people it is for, shown first to them
