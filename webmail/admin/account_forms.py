"""The forms of accounts: what an administrator typed, read into a new person or into what an account is to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.admin import people_texts
from webmail.admin.people import creation, sizes
from webmail.admin.people.creation import NewPerson
from webmail.admin.people.editing import AccountFields
from webmail.auth import account_management, aliases
from webmail.auth.new_accounts import NewFault
from webmail.auth.sign_in.names import normalise
from webmail.establishments.scope import Scope
from webmail.people import own_name

_LONGEST = 5_000
_MOST_MESSAGES = 2_000_000_000  # what Dovecot counts


@dataclass
class NewAccountForm:
    """The fields as they stand in the form."""

    address: str = ""
    name: str = ""
    quota: str = sizes.as_typed(creation.USUAL_QUOTA)
    role: str = "person"
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sent(cls, typed: MultiDict[str, str]) -> NewAccountForm:
        name, role = " ".join(_typed(typed, "name").split()), _typed(typed, "role") or "person"
        return cls(_typed(typed, "address"), name, _typed(typed, "quota"), role)

    def described(self, domains: Sequence[str], *, everything: bool, keeps_passwords: bool) -> NewPerson | None:
        """What was typed; None with `errors` if it can't be. `domains`: those that the administrator may give addresses in."""
        address = normalise(self.address, domains[0] if domains else "")
        if not address:
            self.errors["address"] = people_texts.fault_words(NewFault.ADDRESS)
        elif address.rpartition("@")[2] not in domains:
            self.errors["address"] = people_texts.fault_words(NewFault.DOMAIN)
        size = _size(self.quota, self.errors)
        if len(self.name) > own_name.LONGEST or not self.name.isprintable():
            self.errors["name"] = people_texts.fault_words(NewFault.NAME)
        if self.errors:
            return None
        role = "admin" if everything and self.role == "admin" else "person"
        return NewPerson(address, self.name, size, role, creation.make_letters() if keeps_passwords else "")


@dataclass
class AccountForm:
    """The fields of an account as they stand in the form."""

    name: str = ""
    quota: str = ""
    role: str = "person"
    aliases: str = ""
    allowed: str = ""
    version: int = 0
    messages: str = ""  # most messages in the mailbox
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, account: AccountFields) -> AccountForm:
        return cls(
            account.name, sizes.as_typed(account.quota_bytes) or "0", account.role, "\n".join(account.aliases),
            "\n".join(account.allowed), account.version, "" if account.quota_messages is None else str(account.quota_messages),
        )  # fmt: skip

    @classmethod
    def sent(cls, typed: MultiDict[str, str]) -> AccountForm:
        return cls(
            " ".join(_typed(typed, "name").split()), _typed(typed, "quota"), _typed(typed, "role"), _typed(typed, "aliases"),
            _typed(typed, "allowed"), typed.get("version", 0, int), _typed(typed, "messages"),
        )  # fmt: skip

    def described(self, before: AccountFields, domains: Sequence[str], scope: Scope) -> AccountFields | None:
        """What was typed; None with `errors` if it can't be."""
        size, messages = _size(self.quota, self.errors), _messages(self.messages, self.errors)
        if len(self.name) > own_name.LONGEST or not self.name.isprintable():
            self.errors["name"] = people_texts.fault_words(NewFault.NAME)
        others = {name: _addresses(getattr(self, name)) for name in ("aliases", "allowed")}
        for name, found in others.items():
            known = {*before.aliases, *(before.allowed if name == "allowed" else ())}
            for one in found:
                plain = normalise(one, "") or (one if name == "aliases" and one.startswith("@") else "")
                if not plain:
                    self.errors[name] = _("“%(address)s” is not an address.", address=one)
                elif one not in known and one.rpartition("@")[2] not in domains:
                    self.errors[name] = _("%(address)s is not in a domain of yours.", address=one)
                elif one not in known and _is_kept(one, scope):
                    self.errors[name] = _("%(address)s is in use, or can’t be given.", address=one)
        if self.errors:
            return None
        chosen = scope.everything and self.role in ("person", "admin") and before.role != "establishment"
        role = self.role if chosen else before.role
        return AccountFields(self.name, size, role, others["aliases"], others["allowed"], self.version, messages)


def _is_kept(address: str, scope: Scope) -> bool:
    """Whether it is of somebody outside of what the administrator looks after, or was somebody's not long ago. 4 queries."""
    owner = account_management.find(address, "") or aliases.account_of(address)
    return owner is not None and not scope.includes(owner) or account_management.rests_until(address) is not None


def _typed(typed: MultiDict[str, str], name: str) -> str:
    return typed.get(name, "").replace("\0", "").strip()[:_LONGEST]


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.lower().replace(",", " ").replace(";", " ").split()))[:200]


def _messages(typed: str, errors: dict[str, str]) -> int | None:
    """None for nothing, which is as the groups say."""
    digits = "".join(typed.split())
    if not digits:
        return None
    if len(digits) > 10 or not (digits.isascii() and digits.isdigit()) or int(digits) > _MOST_MESSAGES:
        errors["messages"] = _("Enter a number from 0 to %(most)d.", most=_MOST_MESSAGES)
        return None
    return int(digits)


def _size(typed: str, errors: dict[str, str]) -> int:
    size = sizes.bytes_typed(typed) if typed else None
    if size is None:
        errors["quota"] = _("Enter a size such as 500M or 2G, or 0 for no limit.")
    return size or 0
