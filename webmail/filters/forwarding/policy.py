"""Policy of forwarding: where the establishment lets somebody's mail go by itself. Pages and forms ask here, whoever asks.

Held again when mail is delivered, by deploy/milter/forwards.py, which reads the same settings.
"""

from __future__ import annotations

import re
from enum import StrEnum

from webmail.config.settings import Settings
from webmail.mime.headers.address_input import address_key
from webmail.models import User
from webmail.people import policies

_PLAIN = re.compile(r"[\w.#$&'*+/=?^`{}~-]+", re.ASCII)  # no "%", "!", "|", quotes or "@": by them a server may send it elsewhere
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


class ForwardPolicy(StrEnum):
    """The setting `forwarding`."""

    OFF = "off"
    INSIDE = "inside"
    DOMAINS = "domains"
    ANYWHERE = "anywhere"


def policy_for(user: User, settings: Settings) -> ForwardPolicy:
    """What is said of this person or their groups, else the setting. 0 queries."""
    return ForwardPolicy(policies.for_user(user).forwarding or settings.forwarding)


def may_forward(user: User, address: str, settings: Settings) -> bool:
    """Whether this person's mail may be forwarded to an address, as far as the establishment is asked. No query."""
    policy = policy_for(user, settings)
    local, _at, domain = address_key(address).rpartition("@")
    if policy is ForwardPolicy.OFF or not _PLAIN.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return False
    if policy is ForwardPolicy.ANYWHERE or is_inside(user, address, settings):
        return True
    return policy is ForwardPolicy.DOMAINS and domain in listed_domains(user, settings)


def is_inside(user: User, address: str, settings: Settings) -> bool:
    """Whether an address is of the person's establishment: then nobody has to confirm it."""
    domains = {_key(domain) for domain in settings.own_domains(user.domain)}
    return address_key(address).rpartition("@")[2] in domains


def listed_domains(user: User, settings: Settings) -> tuple[str, ...]:
    """Those of the person or their groups, or of `forwarding_domains`, in ASCII. 0 queries."""
    said = policies.for_user(user)
    names = said.forwarding_domains if said.forwarding else re.split(r"[,\s]+", settings.forwarding_domains)
    return tuple(dict.fromkeys(_key(name) for name in names if name))


def _key(domain: str) -> str:
    return address_key(f"x@{domain}").rpartition("@")[2]
