"""The form of an establishment: its name, domains, administrators and directory, stored together or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.admin.people.record import ChangedBy
from webmail.auth.address_owners import account_of
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.establishments.establishments import DomainTakenError, EstablishmentNameTakenError, UnusableDomainError
from webmail.mime.headers.address_input import address_key
from webmail.models import AuditAct, Establishment, User

_LONGEST = 10_000


@dataclass
class EstablishmentForm:
    """The fields as they stand in the form."""

    name: str = ""
    domains: str = ""
    administrators: str = ""
    directory: str = "own"
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, establishment: Establishment) -> EstablishmentForm:
        who = "\n".join(user.address for user in establishments.administrators(establishment))
        return cls(establishment.name, "\n".join(establishments.domains(establishment)), who, establishment.directory)

    @classmethod
    def sent(cls, typed: MultiDict[str, str]) -> EstablishmentForm:
        lines = {name: typed.get(name, "").replace("\0", "").strip() for name in ("domains", "administrators")}
        domains, administrators = (text[:_LONGEST] for text in lines.values())
        directory = "all" if typed.get("directory") == "all" else "own"
        return cls(" ".join(typed.get("name", "").split()), domains, administrators, directory)

    def save(self, establishment: Establishment, by: ChangedBy) -> bool:
        """Whether it was stored; else `errors` say why not."""
        people = self._people()
        if not self.name or len(self.name) > establishments.LONGEST_NAME or not self.name.isprintable():
            self.errors["name"] = _("Enter a name of at most %(count)d characters.", count=establishments.LONGEST_NAME)
        if self.errors:
            return False
        try:
            with db.atomic():
                self._store(establishment, people, by)
        except EstablishmentNameTakenError:
            self.errors["name"] = _("There is one of this name already.")
        except DomainTakenError as error:
            self.errors["domains"] = _("%(domain)s belongs to another establishment. Remove it there first.", domain=str(error))
        except UnusableDomainError as error:
            self.errors["domains"] = _("“%(name)s” is not a domain. Enter names such as lycee.example.", name=str(error))
        return not self.errors

    def _store(self, establishment: Establishment, people: list[User], by: ChangedBy) -> None:
        before = {user.id: user for user in establishments.administrators(establishment)}
        renamed = establishment.name if self.name != establishment.name else None
        if renamed:
            establishments.rename(establishment, self.name)
        new, gone = establishments.set_domains(establishment, self.domains.replace(",", " ").split())
        if renamed or new or gone or establishment.directory != self.directory:
            establishments.show_directory(establishment, self.directory)
            by.note(AuditAct.ESTABLISHMENT_CHANGED, establishment.name, change="changed", before=renamed)
        for user in people:
            if establishments.add_administrator(establishment, user):
                by.note(AuditAct.ESTABLISHMENT_CHANGED, user.address, change="added", establishment=establishment.name)
        for user in before.values():
            if user.id not in {person.id for person in people}:
                establishments.remove_administrator(establishment, user)
                by.note(AuditAct.ESTABLISHMENT_CHANGED, user.address, change="removed", establishment=establishment.name)

    def _people(self) -> list[User]:
        found = []
        for typed in dict.fromkeys(self.administrators.replace(",", " ").split()):
            user = account_of(address_key(typed))
            if user is None:
                self.errors["administrators"] = _(
                    "%(address)s has no account. Create it first, or remove the address here.", address=typed
                )
            else:
                found.append(user)
        return found
