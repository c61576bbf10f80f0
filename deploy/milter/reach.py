"""Who may write to whom: what the database knows of sender and recipient, for the decision that pages make by the same module.

`webmail/people/reach.py` needs the standard library alone, and is read by its path, as colleague.py does. Where the tables are
not there yet, or may not be read (PostgreSQL), nothing is refused; the log says so.
"""

from __future__ import annotations

import logging
import sys
from importlib import util
from pathlib import Path
from typing import Any

from deploy.milter.headers import domain_of
from deploy.milter.owners import NotReadableError, Owners
from deploy.milter.settings import Settings

_MODULE = Path(__file__).resolve().parents[2] / "webmail" / "people" / "reach.py"
_ACCOUNT = """SELECT id, domain, policy, COALESCE(NULLIF(language, ''), spoken), address FROM accounts
    WHERE active = 1 AND (address = '%s' OR id = (SELECT user_id FROM mail_aliases WHERE address = '%s'))"""
_GROUPS = "SELECT m.group_id FROM group_members m JOIN accounts a ON a.id = m.user_id WHERE a.address = '%s'"
_LIST = "SELECT id, domain, writers FROM people_groups WHERE address = '%s'"
_OWNERS = "SELECT o.user_id FROM group_owners o JOIN people_groups g ON g.id = o.group_id WHERE g.address = '%s'"
_ESTABLISHMENTS = "SELECT domain, establishment_id FROM establishment_domains WHERE domain <> '%s'"
log = logging.getLogger("milter")


def _rules() -> Any:
    spec = util.spec_from_file_location("traboule_reach", _MODULE)
    assert spec and spec.loader
    module = util.module_from_spec(spec)
    sys.modules["traboule_reach"] = module  # its dataclasses look for it
    spec.loader.exec_module(module)
    return module


rules = _rules()


class Reach:
    """One sender, signed in (`login`) or not (""), while they name recipients. Raises OwnersAwayError."""

    def __init__(self, owners: Owners, settings: Settings, login: str) -> None:
        self._owners, self._settings, self._login = owners, settings, login
        self._writer, self._inside, self._mine = rules.Writer(), frozenset[str](), frozenset[int]()
        self.policy, self.language = "", "en"
        self._known = bool(login)
        try:
            if login and (rows := owners.ask(_ACCOUNT, login)):
                number, domain, policy, language, _address = rows[0]
                self.policy, self.language = policy or "", language or "en"
                self._writer = rules.writer_of(number, policy)
                of = {str(one): int(which) for one, which in owners.ask(_ESTABLISHMENTS, "")}
                self._inside = rules.inside_of(str(domain), settings.domains, of)
                self._mine = frozenset(one for (one,) in owners.ask(_GROUPS, login))
        except NotReadableError as error:
            log.warning("who may write to whom can't be asked: %s", error)
            self._known = False

    def refusal(self, address: str) -> str:
        """Why mail may not go to an address, in words for the sender; "" if it may."""
        if self._login and not self._known:
            return ""
        try:
            found = rules.refusal(self._writer, self._addressee(rules.plain(_unquoted(address))))
        except NotReadableError as error:
            log.warning("who may write to whom can't be asked: %s", error)
            return ""
        return words(found, self.language if self._login else "") if found else ""

    def _addressee(self, address: str) -> Any:
        always = address in self._settings.helpers
        if rows := self._owners.ask(_LIST, address):
            number, domain, writers = rows[0]
            owners = frozenset(one for (one,) in self._owners.ask(_OWNERS, address)) if self._login else frozenset()
            members = frozenset([self._writer.number]) if number in self._mine else frozenset()
            return rules.Addressee(
                address, str(domain) in self._inside, list_of=number, writers=writers or rules.MEMBERS, owners=owners,
                members=members, always=always,
            )  # fmt: skip
        inside = domain_of(address) in self._inside
        if not (rows := self._owners.ask(_ACCOUNT, address)):
            return rules.Addressee(address, inside, always=always)
        number, domain, policy, _language, real = rows[0]
        wanted = self._writer.to == rules.GROUPS
        groups = frozenset(one for (one,) in self._owners.ask(_GROUPS, real)) if wanted else frozenset()
        return rules.Addressee(address, str(domain) in self._inside, number, groups, rules.takes_of(policy), always=always)


def _unquoted(address: str) -> str:
    """Without a route before it, quotes and backslashes, which mail servers take off."""
    if address.startswith("@"):
        address = address.partition(":")[2]
    local, at, domain = address.rpartition("@")
    return local.replace('"', "").replace("\\", "") + at + domain


def words(found: Any, language: str) -> str:
    """In the sender's language, without accents, which a reply of SMTP can't have; for a stranger in both."""
    english, french = {
        "outside": (
            "You may only write to people inside: <%s>",
            "Vous ne pouvez joindre que des membres de votre organisation : <%s>",
        ),
        "groups": (
            "You may not write to this address: <%s>",
            "Votre compte ne permet pas de joindre cette adresse : <%s>",
        ),
        "members": ("Only its members may write to this list: <%s>", "Seuls ses membres peuvent y publier : <%s>"),
        "owners": ("Only its owners may write to this list: <%s>", "Seuls ses responsables peuvent y publier : <%s>"),
        "inside": (
            "This address takes mail from inside its organisation only: <%s>",
            "Cette adresse ne prend que les messages internes de son organisation : <%s>",
        ),
    }[found.why]
    both = {"en": english, "fr": french}.get(language[:2], f"{english} / {french.partition(' : <%s>')[0]}")
    return both.replace("%s", found.address)
