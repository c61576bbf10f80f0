"""Reach: who may write to whom, decided by what is known of both. The standard library alone: deploy/milter reads it by its path.

Somebody's reach is what their groups, or their own rules, say: anybody, the people of their establishment, or those of certain
groups. A group with an address is a list, which says itself who writes to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ANYWHERE, INSIDE, GROUPS = "anywhere", "inside", "groups"  # whom somebody may write to, the widest first
MEMBERS, OWNERS, ANYBODY = "members", "owners", "anybody"  # who may write to a list; or INSIDE


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: `number` is of the account, None for somebody outside; `groups`: those (by `id`) that they may write to."""

    number: int | None = None
    to: str = ANYWHERE
    groups: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Addressee:
    """What is known of an address. `account`: whose it is, `groups`: that they are in, `takes`: INSIDE, where nobody outside may
    write to them. `list_of`: the group whose list it is. `always`: everybody may write there, such as to who helps."""

    address: str
    inside: bool = False  # of the writer's establishment
    account: int | None = None
    groups: frozenset[int] = frozenset()
    takes: str = ANYWHERE
    list_of: int | None = None
    writers: str = MEMBERS  # of that list
    owners: frozenset[int] = frozenset()
    members: frozenset[int] = frozenset()  # of the list, as far as the writer is asked about
    always: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """An address that somebody may not write to, and why: "outside", "groups", "inside" (it takes mail from inside alone), or of
    a list "members", "owners" or "inside"."""

    address: str
    why: str
    is_list: bool = False


def refusal(writer: Writer, recipient: Addressee) -> Refused | None:
    """Why this one may not write there, None if they may."""
    if recipient.always or (writer.number is not None and recipient.account == writer.number):
        return None
    if recipient.list_of is not None:
        return _of_list(writer, recipient)
    if writer.number is None:
        return Refused(recipient.address, INSIDE) if recipient.takes == INSIDE else None
    if writer.to == ANYWHERE or (writer.to == INSIDE and recipient.inside):
        return None
    if writer.to == GROUPS and recipient.groups & writer.groups:
        return None
    return Refused(recipient.address, "groups" if writer.to == GROUPS else "outside")


def _of_list(writer: Writer, recipient: Addressee) -> Refused | None:
    if recipient.writers == ANYBODY:
        allowed = True
    elif writer.number is None:
        allowed = False
    elif writer.number in recipient.owners:
        return None  # of the list: it is theirs to write to
    else:
        allowed = (recipient.writers == INSIDE and recipient.inside) or (
            recipient.writers == MEMBERS and writer.number in recipient.members
        )
    if not allowed:
        return Refused(recipient.address, recipient.writers, is_list=True)
    if writer.to == GROUPS and recipient.list_of not in writer.groups:
        return Refused(recipient.address, "groups", is_list=True)
    return None


def writer_of(number: int | None, effective: str | None) -> Writer:
    """Somebody whose rules in force are this JSON (`accounts.policy`)."""
    said = json.loads(effective) if effective else {}
    return Writer(number, said.get("writes_to") or ANYWHERE, frozenset(said.get("to_groups") or ()))


def takes_of(effective: str | None) -> str:
    """From whom somebody takes mail: ANYWHERE or INSIDE."""
    return (json.loads(effective).get("written_by") if effective else "") or ANYWHERE


def plain(address: str) -> str:
    """An address in lower case without its detail: "bob+shop@x" is Bob's."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def inside_of(domain: str, ours: Iterable[str], establishments: Mapping[str, int]) -> frozenset[str]:
    """The domains whose people are inside for somebody of this domain. `ours`: those of the installation;
    `establishments`: of which one a domain is, where there are several."""
    if (mine := establishments.get(domain)) is not None:
        return frozenset(one for one, which in establishments.items() if which == mine)
    listed = frozenset(ours) - establishments.keys()
    return listed | {domain} if domain in listed else frozenset([domain])
