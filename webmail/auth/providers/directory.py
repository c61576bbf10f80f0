"""Directory: signing in by LDAP, and the same password where a signed-in person is asked for it again. No Flask here.

Who has a password of ours is not asked for at the directory, so that they get in while it is away, and so that nobody takes their
account over by an entry with their address. `ldap.py` speaks with the directory, `accounts.py` decides whose account it is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from webmail import audit
from webmail.auth.providers.accounts import (
    Claims,
    NotLetInError,
    Refusal,
    account_for,
    allowed_domains,
    has_own_password,
    of_subject,
)
from webmail.auth.providers.directory_admission import ASKING, admitted
from webmail.auth.sign_in.names import normalise
from webmail.config.providers import Ldap
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import ServerAwayError, SignInRefusedError
from webmail.models import AuditAct, LinkedAccount, User

if TYPE_CHECKING:
    from webmail.auth.providers.ldap import DirectoryEntry, DirectoryTalk

log = logging.getLogger(__name__)

PROVIDER = "ldap"
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,3})?)\s*([KMGT]?)(?:i?B)?")
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_SMALLEST, _LARGEST = 1024**2, 1024**5


def is_asked(user: User | None, settings: Settings) -> bool:
    """Whether the directory checks the password of somebody: of whom we keep none, and of whom we don't know yet."""
    return settings.ldap is not None and (user is None or not has_own_password(user))


def owner_of(address: str, settings: Settings) -> str:
    """The address of the account that was last signed in to by what was typed, where the directory calls people otherwise.

    So that a known browser, and a code mailed to its owner, count for both names. No query without a directory, else one.
    """
    if settings.ldap is None or not address:
        return address
    found = (LinkedAccount.provider == PROVIDER) & (LinkedAccount.shown == address)
    row = LinkedAccount.select(LinkedAccount, User).join(User).where(found).order_by(LinkedAccount.used.desc()).first()
    return str(row.user.address) if row is not None else address


def sign_in(address: str, password: str, settings: Settings, network: str = "") -> User:
    """Who has this name and password in the directory; their account is made at the first sign-in.

    `address`: what was typed, normalised. Raises SignInRefusedError, NotLetInError (the password was right), ServerAwayError and
    TooBusyError. A name that nobody has takes as many round trips as a wrong password: 4, or 5 with StartTLS.
    """
    there = _directory(settings)
    with asking(settings) as talk:
        entry = _named(talk, address, settings)
        talk.try_password(entry, password)
        assert entry is not None
        claims = _claims(entry, address, settings)
        user = of_subject(PROVIDER, claims.subject)
        if user is None and claims.address:
            if not claims.proven:
                raise NotLetInError(Refusal.NOT_LINKED, claims.address)
            claims = replace(claims, proven=_is_theirs_alone(talk, entry, claims.address, settings))
    if user is not None and has_own_password(user):  # it has one since: as if it had never been the directory's
        raise NotLetInError(Refusal.NOT_LINKED, user.address)
    if user is not None and not user.active:
        come_back(user)
    return account_for(claims, there, settings, network)


def check_password(user: User, password: str, settings: Settings) -> None:
    """Raises SignInRefusedError where this is not the person's password at the directory, or the directory does not know them;
    ServerAwayError and TooBusyError.
    """
    link = LinkedAccount.get_or_none((LinkedAccount.user == user) & (LinkedAccount.provider == PROVIDER))
    if link is None:
        raise SignInRefusedError("the account is not one of the directory's")
    with asking(settings) as talk:
        talk.try_password(_only(talk.find_subject(link.subject), user.address), password)


def find(address: str, settings: Settings) -> tuple[DirectoryEntry, Claims] | None:
    """Who would sign in by this name, and what would be taken from there; None for nobody. For administrators."""
    with asking(settings) as talk:
        entry = _named(talk, address, settings)
    return None if entry is None else (entry, _claims(entry, address, settings))


def come_back(user: User) -> bool:
    """Enable an account that was disabled since its person was no longer in the directory, and is there again; no others."""
    mine = (LinkedAccount.user == user) & (LinkedAccount.provider == PROVIDER)
    with db.atomic():
        if not LinkedAccount.update(left=None).where(mine, LinkedAccount.left.is_null(False)).execute():
            return False
        User.update(active=1).where(User.id == user.id).execute()
    user.active = 1
    audit.record(AuditAct.ACCOUNT_ENABLED, target=user.address, by=PROVIDER)
    return True


def decide_by_hand(user: User) -> None:
    """An administrator enables or disables the account: it no longer comes back by itself."""
    LinkedAccount.update(left=None).where(LinkedAccount.user == user).execute()


def ca_file(settings: Settings) -> str:
    there = _directory(settings)
    return str(Path(settings.instance, there.ca_file)) if there.ca_file else ""


def size_of(text: str) -> int | None:
    """A quota as directories have it: bytes, or 500M, 2G; None for what is none. 0: no limit.

    Less than a megabyte is none: a directory that counts in other units would close everybody's mailbox.
    """
    if not (match := _SIZE.fullmatch(text.strip().upper().replace("IB", "B"))):
        return None
    size = int(Decimal(match[1]) * _UNITS[match[2]])
    return size if size == 0 or _SMALLEST <= size <= _LARGEST else None


@contextmanager
def asking(settings: Settings) -> Iterator[DirectoryTalk]:
    """A conversation with the directory, once it is admitted. Raises ServerAwayError and TooBusyError."""
    from webmail.auth.providers.ldap import conversation  # python-ldap is installed only where there is a directory

    there = _directory(settings)
    try:
        with admitted(there), conversation(there, ca_file(settings)) as talk:
            ASKING.moved()
            yield talk
    except ServerAwayError as error:
        log.warning("the directory can't be asked: %s", error)
        raise


def _only(found: list[DirectoryEntry], address: str) -> DirectoryEntry | None:
    if len(found) > 1:
        log.warning("the directory has more than one entry for %s: nobody is let in", address)
    return found[0] if len(found) == 1 else None


def _named(talk: DirectoryTalk, address: str, settings: Settings) -> DirectoryEntry | None:
    """Who is meant by what was typed: by their name there, and where another domain than ours was typed, by that address too."""
    from webmail.auth.providers.ldap import is_called

    there, name = _directory(settings), address.partition("@")[0]
    entry = _only(talk.find(name, address), address)
    if entry is None or not is_called(entry, there, name, address):
        return None
    foreign = address.rpartition("@")[2] != settings.domain.lower()
    return None if foreign and address not in _addresses(entry, there, settings) else entry


def _addresses(entry: DirectoryEntry, there: Ldap, settings: Settings) -> list[str]:
    domains = allowed_domains(there, settings)
    found = [normalise(one, settings.domain) for one in entry.all(there.address_attribute)]
    return [one for one in found if one.rpartition("@")[2] in domains]


def _claims(entry: DirectoryEntry, address: str, settings: Settings) -> Claims:
    from webmail.auth.providers.ldap import group_name

    there = _directory(settings)
    addresses = _addresses(entry, there, settings)
    own = address if address in addresses else next(iter(addresses), "")
    return Claims(
        PROVIDER,
        entry.subject,
        own,
        proven=_may_be_theirs(own),
        name=entry.first(there.name_attribute),
        groups=[group_name(one) for one in entry.all(there.groups_attribute)] if there.groups_attribute else None,
        quota_bytes=size_of(entry.first(there.quota_attribute)) if there.quota_attribute else None,
        shown=address,
    )


def _may_be_theirs(address: str) -> bool:
    """Whether an entry with this address may have its account, if there is one that is not linked to it.

    In many directories people write their own mail attribute. So not where the account has another way in, nor an
    administrator's: only one that was made here for whoever the mail server or the directory lets in.
    """
    user = User.get_or_none(User.address == address)
    if user is None:
        return True
    elsewhere = has_own_password(user) or user.provider not in ("", PROVIDER) or user.role != "person"
    return not elsewhere and not LinkedAccount.select().where(LinkedAccount.user == user).exists()


def _is_theirs_alone(talk: DirectoryTalk, entry: DirectoryEntry, address: str, settings: Settings) -> bool:
    """Whether no other entry has this address: asked before an account is made or matched. 2 round trips."""
    talk.sign_in()  # it speaks as the person since their password was right
    local, _, domain = address.rpartition("@")
    written = [address, local] if domain == settings.domain.lower() else [address]  # a bare name is one of `domain`
    if all(one.subject == entry.subject for one in talk.find_addresses(written)):
        return True
    log.warning("the directory has more than one entry with the address %s: nobody gets its account", address)
    return False


def _directory(settings: Settings) -> Ldap:
    assert settings.ldap is not None, "asked for only where there is a directory"
    return settings.ldap
