"""Permitted recipients: whom somebody may not write to, said before a message is sent. deploy/milter holds it, whatever sends."""

from __future__ import annotations

from collections.abc import Iterable

from webmail.auth import aliases
from webmail.config.settings import Settings
from webmail.establishments import establishments
from webmail.mime.headers.address_input import address_key
from webmail.models import PeopleGroup, User
from webmail.people import groups, lists, reach
from webmail.people.reach import Addressee, Refused


def refused(user: User, addresses: Iterable[str], settings: Settings) -> list[Refused]:
    """Those of these addresses that this person may not write to. 1 query, for lists, where they may write to
    everybody; else 4, and 1 more for each list.
    """
    plain = {reach.plain(address_key(one)): one for one in addresses}
    writer = reach.writer_of(user.id, user.policy)
    found = lists.by_address(list(plain))
    if writer.to == reach.ANYWHERE and not found:
        return []
    inside = reach.inside_of(user.domain, settings.own_domains(user.domain), establishments.by_domain())
    mine = groups.numbers_of(user) if found else frozenset[int]()
    helpers = {address_key(one) for one in (settings.admin_address, settings.phishing_address) if one}
    wanted = [one for one in plain if one not in found]
    accounts = {one: one for one in wanted} | aliases.accounts_of(wanted)
    theirs = groups.of_addresses(accounts.values()) if writer.to == reach.GROUPS else {}
    known = [_list(one, found[one], user, inside, mine) for one in plain if one in found]
    for one, address in accounts.items():
        number, several = theirs.get(address, (None, frozenset[int]()))
        number = user.id if address == user.address else number
        is_inside = address.rpartition("@")[2] in inside
        known.append(Addressee(one, is_inside, number, several, always=one in helpers))
    return [Refused(plain[no.address], no.why, no.is_list) for one in known if (no := reach.refusal(writer, one)) is not None]


def _list(address: str, group: PeopleGroup, user: User, inside: frozenset[str], mine: frozenset[int]) -> Addressee:
    owners = frozenset(one.id for one in lists.owners_of(group))
    members = frozenset([user.id]) if group.id in mine else frozenset[int]()
    writers = group.writers or reach.MEMBERS
    return Addressee(address, group.domain in inside, list_of=group.id, writers=writers, owners=owners, members=members)
