"""LDAP lookup: the certificates of S/MIME that the establishment's directory has for people (RFC 4523, RFC 2798).

Only where the directory lists people (`people_filter`), and for those who see everyone. It is asked when somebody looks for keys,
bounded in time and size; nobody's entry gives a certificate for another address than its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from webmail.auth.providers.directory import ca_file
from webmail.auth.providers.people_elsewhere import SECONDS, admitted
from webmail.config.settings import Settings
from webmail.crypto import x509_certificates
from webmail.crypto.errors import CryptoError
from webmail.errors import ServerAwayError
from webmail.keys import known_certificates
from webmail.models import KeyOrigin, User
from webmail.people.visibility import sight_of

MOST = 20  # addresses of one question
_MOST_VALUES = 5  # certificates of one entry


def is_asked(user: User, settings: Settings) -> bool:
    """Whether there is such a directory, for somebody who sees everyone."""
    return settings.ldap is not None and bool(settings.ldap.people_filter) and sight_of(user, settings).everyone


def note_certificates(user: User, addresses: Sequence[str], settings: Settings) -> set[str]:
    """Note the certificates of these addresses (lower case) that messages can be encrypted for; returns whose there are some.

    One question to the directory, within about two seconds; nobody's where it does not answer.
    """
    wanted = list(dict.fromkeys(addresses))[:MOST]
    if not wanted or not is_asked(user, settings):
        return set()
    from webmail.auth.providers.ldap import conversation  # python-ldap is installed only where there is a directory

    assert settings.ldap is not None
    there = replace(settings.ldap, timeout=min(SECONDS, settings.ldap.timeout))
    try:
        with admitted(), conversation(there, ca_file(settings)) as talk:
            found = talk.find_certificates(wanted, MOST)
    except ServerAwayError:
        return set()
    noted: set[str] = set()
    for entry in found:
        theirs = [one for one in wanted if one in entry.addresses]
        for value in entry.values[:_MOST_VALUES]:
            noted |= _noted(user, theirs, value)
    return noted


def _noted(user: User, addresses: list[str], value: bytes) -> set[str]:
    """For whom of these one value of the directory was kept: a certificate, or several in a signed wrapping."""
    kept: set[str] = set()
    with suppress(CryptoError):  # what can't be read is nobody's certificate
        for raw in x509_certificates.split_certificates(value, wrapped=True)[:_MOST_VALUES]:
            facts = x509_certificates.x509_facts(raw)
            for address in addresses if facts.can_encrypt else ():
                if known_certificates.note_met(user.id, facts, raw, [address], KeyOrigin.LDAP):
                    kept.add(address)
    return kept
