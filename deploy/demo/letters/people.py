"""Demo people: the correspondents in the demo. Everyone is invented; all addresses are under .example.

Colleagues write from the education authority's domain, so that replies to them are stored as outside mail instead of being
refused as unknown local users.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    name: str
    email: str
    signature: str = ""  # lines under the name
    child: str = ""  # a parent's child
    classe: str = ""  # the class of a pupil or a parent's child
    person: bool = True  # False: an office that signs in its text

    @property
    def first(self) -> str:
        return self.name.split(" ", 1)[0]


STAFF, PUPILS, PARENTS = "ac-rhone.example", "eleves-ampere.example", "courrier.example"
SCHOOL = "Lycée Ampère, Lyon"


def _staff(name: str, email: str, function: str) -> Contact:
    return Contact(name, f"{email}@{STAFF}", f"{function}\n{SCHOOL}")


ALICE = Contact("Alice Leroy", "alice@lycee.example", f"Professeure de mathématiques\n{SCHOOL}")
BOB = Contact("Bob Girard", "bob@lycee.example", f"Professeur d'histoire-géographie\n{SCHOOL}")
CHARLIE = Contact("Charlie Roux", "charlie@autre.example", "Les Rayons libres, atelier vélo")
ADMIN = Contact("Administration", "admin@lycee.example", f"Administration du courrier\n{SCHOOL}")

COLLEAGUES = (
    BOB,
    _staff("Sophie Lambert", "sophie.lambert", "Physique-chimie"),
    _staff("Thomas Renaud", "thomas.renaud", "Mathématiques"),
    _staff("Inès Moreau", "ines.moreau", "Mathématiques"),
    _staff("Émilie Caron", "emilie.caron", "Lettres modernes"),
    _staff("Laurent Petit", "laurent.petit", "Anglais"),
    _staff("Fatou Diallo", "fatou.diallo", "Sciences de la vie et de la Terre"),
    _staff("Guillaume Roche", "guillaume.roche", "Éducation physique et sportive"),
    _staff("Chloé Barbier", "chloe.barbier", "Philosophie"),
    _staff("Antoine Vasseur", "antoine.vasseur", "Sciences économiques et sociales"),
)

_FAMILIES = (
    ("Stéphane Guérin", "Lucas Guérin", "2de 4"),
    ("Nathalie Blanchard", "Emma Blanchard", "1re G2"),
    ("Samira Benali", "Yanis Benali", "2de 4"),
    ("Olivier Faure", "Manon Faure", "Tle G1"),
    ("Céline Mercier", "Hugo Mercier", "2de 7"),
    ("Mehdi Cherif", "Lina Cherif", "1re G2"),
    ("Isabelle Noël", "Jules Noël", "Tle G1"),
    ("Patrick Lefort", "Zoé Lefort", "2de 7"),
    ("Aminata Touré", "Issa Touré", "1re G5"),
    ("Valérie Picard", "Nathan Picard", "Tle G3"),
    ("Minh Nguyen", "Léa Nguyen", "1re G5"),
    ("Sandrine Colas", "Théo Colas", "2de 4"),
)


def _address(name: str, domain: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"{letters.replace(' ', '.').lower()}@{domain}"


PARENT_LIST = tuple(Contact(parent, _address(parent, PARENTS), child=child, classe=classe) for parent, child, classe in _FAMILIES)
PUPIL_LIST = tuple(Contact(child, _address(child, PUPILS), child=child, classe=classe) for _, child, classe in _FAMILIES)

_LEEDS = "Kirkfield School, Leeds"
LEEDS = (
    Contact("Margaret Holloway", "m.holloway@kirkfield.example", f"Head of Modern Languages\n{_LEEDS}"),
    Contact("James Whitaker", "j.whitaker@kirkfield.example", f"Mathematics\n{_LEEDS}"),
    Contact("Priya Shah", "p.shah@kirkfield.example", f"Exchange coordinator\n{_LEEDS}"),
)

ROLES: dict[str, tuple[Contact, ...]] = {
    "proviseur": (_staff("Hélène Marchand", "proviseur.ampere", "Proviseure"),),
    "adjoint": (_staff("Philippe Dumas", "proviseur-adjoint.ampere", "Proviseur adjoint"),),
    "intendance": (_staff("Nadia Bensalem", "intendance.ampere", "Adjointe gestionnaire"),),
    "cpe": (_staff("Karim Haddad", "vie-scolaire.ampere", "Conseiller principal d'éducation"),),
    "cdi": (_staff("Sylvie Perrin", "cdi.ampere", "Professeure documentaliste"),),
    "infirmerie": (_staff("Claire Fontaine", "infirmerie.ampere", "Infirmière"),),
    "numerique": (_staff("Julien Masson", "numerique.ampere", "Référent numérique"),),
    "secretariat": (_staff("Martine Colin", "secretariat.ampere", "Secrétariat de direction"),),
    "collegue": COLLEAGUES,
    "parent": PARENT_LIST,
    "eleve": PUPIL_LIST,
    "fcpe": (Contact("FCPE du lycée Ampère", "fcpe@parents-ampere.example", "Le bureau de l'association de parents"),),
    "rectorat": (Contact("DPE 3 - Personnels enseignants", "ne-pas-repondre@ac-rhone.example", person=False),),
    "inspection": (Contact("Véronique Aubert", f"veronique.aubert@{STAFF}", "IA-IPR de mathématiques"),),
    "editeur": (
        Contact("Éditions du Cadran", "enseignants@cadran-editions.example", "Le service enseignants\nÉditions du Cadran"),
        Contact("Librairie des Quatre Vents", "scolaire@quatre-vents.example", "Le rayon scolaire"),
    ),
    "leeds": LEEDS,
    "erasmus": (Contact("Bureau des mobilités", "mobilites@echanges-europe.example", "Bureau des mobilités scolaires"),),
    "association": (Contact("Chorale des Pentes", "bureau@chorale-pentes.example", "Mireille, pour le bureau"),),
    "famille": (
        Contact("Camille Leroy", f"camille.leroy@{PARENTS}"),
        Contact("Maman", f"francoise.leroy@{PARENTS}"),
    ),
    "commerce": (
        Contact("Papeterie Bellecombe", "commandes@bellecombe.example", "Le service clients"),
        Contact("Rail & Rive", "billets@rail-et-rive.example", "Votre agence en ligne"),
        Contact("Le Comptoir du vélo", "bonjour@comptoir-velo.example", "L'équipe du Comptoir"),
    ),
    "cycliste": (
        Contact("Mathilde Vernay", f"mathilde.vernay@{PARENTS}"),
        Contact("Yves Chatelain", f"yves.chatelain@{PARENTS}", "Trésorier des Rayons libres"),
        Contact("Soraya Amrani", f"soraya.amrani@{PARENTS}"),
    ),
    "mairie": (Contact("Mairie - vie associative", "associations@mairie-autre.example", "Service de la vie associative"),),
    "archives": (Contact("Archives du Rhône", "publics@archives-rhone.example", "Service des publics"),),
    "machine": (Contact("Serveur de courrier", "root@mail.lycee.example", person=False),),
}
