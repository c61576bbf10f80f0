"""Senders: forged and honest ones of tests/samples/senders.tsv, and names that a pupil may try, at a school with these colleagues."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deploy.demo.accounts import Person
from tests.support import forgeries
from tests.support.forgeries import Forgery
from webmail.models import User

TABLE = Path(__file__).resolve().parents[1] / "samples" / "senders.tsv"
COLLEAGUES = (
    Person("jp.moreau@lycee.example", "Jean-Pierre Moreau"),
    Person("sophie.lambert@lycee.example", "Sophie Lambert"),
    Person("karim.benali@lycee.example", "Karim Benali"),
    Person("francoise.lefevre@lycee.example", "Françoise Lefèvre"),
    Person("mc.dubois@lycee.example", "Marie-Claire Dubois"),
    Person("mai.nguyen@lycee.example", "Nguyen Thi Mai"),
)
PUPIL = forgeries.MALLORY
# what a pupil called Mallory Petit might like to be called
NAMES_OF_OTHERS = (
    "M. Girard", "Mr Girard", "Girard", "GIRARD", "B. Girard", "Girard B.", "Bob G.", "Bob Girard", "bob.girard", "B o b G i r a r d",
    "De la part de M. Girard", "Mme Lambert (maths)", "Professeur Benali", "J.-P. Moreau", "Chef d'établissement", "Le Proviseur",
    "Proviseure adjointe", "Rectorat de Lyon", "Académie de Lyon", "Ministère de l'Éducation nationale", "Vie scolaire", "CPE",
    "Secrétariat du proviseur", "Infirmière scolaire", "Service informatique", "Support ENT", "Administrateur", "Lycée Ampère",
    "Lycée Ampère Notes", "Direction Ampère", "lycee.example", "Professeur de maths", "Gendarmerie nationale", "Mallory Petit, CPE",
    "D\u0456rection", "P r o v i s e u r",
)  # fmt: skip
OWN_NAMES = (
    "Mallory", "Mallory Petit", "PETIT Mallory", "Mallory P.", "M. Petit", "Mlle Petit", "Mallory Petit 2nde 4", "Mall", "Malo Petit",
    "Mallory Petit-Girard", "Mallory (théâtre)", "mallory.petit", "Petit",
)  # fmt: skip


class Sender(NamedTuple):
    kind: str  # "honest..." or how it is forged
    written: str  # the value of From

    @property
    def is_honest(self) -> bool:
        return self.kind.startswith("honest")


def table() -> Iterator[Sender]:
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        kind, written = line.split("\t")
        readable = written.encode("ascii", "backslashreplace").decode("unicode_escape")
        name, _angle, address = readable.rpartition(" <")
        quoted = name.strip('"').replace('"', "")
        yield Sender(kind, f'"{quoted}" <{address}')


def make_colleagues() -> None:
    """Their accounts, where they are not there."""
    for person in (*forgeries.people(), *COLLEAGUES):
        local, _, domain = person.address.partition("@")
        values = {"local": local, "domain": domain, "name": person.name, "role": person.role}
        User.get_or_create(address=person.address, defaults=values)
        User.update(name=person.name).where(User.address == person.address).execute()


def is_marked(sender: Sender, reader: User, way: str = "passed") -> bool:
    """Whether the row of a list shows the address, or the page of the message warns."""
    found = forgeries.seen(Forgery(sender.kind, sender.written, way, "", "", ""), reader)
    return found.row == "address" or found.verdict in ("caution", "danger")


def mistakes(reader: User) -> tuple[list[Sender], list[Sender]]:
    """(the forged that nothing warns of, the honest that something is said of)."""
    every = list(table())
    unwarned = [one for one in every if not one.is_honest and not is_marked(one, reader)]
    return unwarned, [one for one in every if one.is_honest and is_marked(one, reader)]
