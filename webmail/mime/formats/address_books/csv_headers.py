"""CSV headers: which column of other programs' files holds which field.

From the files that Outlook (English and French), Outlook.com, Google, Roundcube, Thunderbird (English and French), Yahoo and
directories write. Convergence writes those of Outlook, or attributes as directories name them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from webmail.mime.formats.address_books.csv_table import header_key

IGNORED = "-"  # a column that is left out
NOTE = "note+"  # a column that is added to the note, with its name
_GOOGLE = re.compile(r"e mail|phone|address|organization|website|im|relation|event|custom field|jot|calendar link")
_NUMBERED = re.compile(rf"({_GOOGLE.pattern}) (\d{{1,2}}) (.+)")

_PLACES = {
    "home": ("home", "domicile", "personal", "personnel", "personnelle", "prive", "privee", "private"),
    "work": ("business", "work", "bureau", "professionnel", "professionnelle", "office"),
    "": ("other", "autre"),
}
_PARTS = {
    "street": ("street", "address", "rue", "adresse", "street address", "street 1", "address 1", "rue 1", "adresse 1"),
    "street2": ("street 2", "address 2", "rue 2", "adresse 2", "address line 2"),
    "street3": ("street 3", "address 3", "rue 3", "adresse 3"),
    "city": ("city", "ville"),
    "region": ("state", "region", "dep region", "departement", "province", "state province"),
    "code": ("postal code", "zip", "zipcode", "zip code", "code postal", "postalcode"),
    "country": ("country", "country region", "pays", "pays region", "pays etat"),
    "pobox": ("po box", "address po box", "boite postale", "b p"),
}
_SIMPLE = """
name: name, full name, display name, displayname, nom complet, nom a afficher, nom affiche, cn, file as, contact name
prefix: title, titre, name prefix, prefix, civilite, courtesy title, salutation
given: first name, given name, givenname, firstname, prenom, first
middle: middle name, additional name, deuxieme prenom, second prenom, middle, initials 2
family: last name, family name, surname, lastname, sn, nom de famille, last
suffix: suffix, name suffix, suffixe
nickname: nickname, surnom, pseudo, short name
organisation: company, organization, organisation, organization name, societe, entreprise, o, company name, etablissement
department: department, organization department, service, departement service, ou, division
title: job title, organization title, fonction, poste, jobtitle, intitule du poste
role: profession, occupation, role
birthday: birthday, anniversaire, date of birth, date de naissance, birth date, dob, naissance, birthdate
birth.year: birth year, annee de naissance, birthyear
birth.month: birth month, mois, mois de naissance, birthmonth
birth.day: birth day, jour, jour de naissance, birthday day
anniversary: anniversary, anniversaire de mariage, anniversaire de mariage ou fete
gender: gender, sexe, genre
maiden: maiden name, nom de jeune fille
note: notes, note, comments, comment, remarques, commentaires, description
categories: categories, group membership, labels, tags, groupes, groups, category, keywords, mots cles
email: email, e mail, mail, e mail address, email address, adresse de messagerie, adresse e mail, adresse electronique, \
courriel, primary email, premiere adresse electronique, adresse electronique principale, email 1, e mail 1, email \
address 1, emails, e mail 2 address, e mail 3 address, adresse de messagerie 2, adresse de messagerie 3, adresse e mail \
2, adresse e mail 3, secondary email, adresse electronique secondaire, deuxieme adresse electronique, email 2, email 3, \
e mail 2, e mail 3, email other, other email, alternate email, alternate email 1, alternate email 2, mel, melo
email.home: email home, home email, personal email, e mail personal, email personnel, courriel personnel
email.work: email work, work email, business email, email professionnel, courriel professionnel
phone: phone, telephone, tel, phone number, other phone, telephone autre, numero de telephone, phone 1, callback, \
rappel, telephone number, telephonenumber, isdn, rnis, phone number 1
phone.home: home phone, home phone 2, telephone domicile, telephone 2 domicile, tel personnel, homephone, home tel, phone home, \
telephone personnel
phone.work: business phone, business phone 2, work phone, work phone 2, telephone bureau, telephone 2 bureau, tel professionnel, \
workphone, phone work, telephone professionnel, office phone
phone.cell: mobile phone, mobile, mobile number, home mobile, tel mobile, tel portable, cell phone, cellphone, cell, portable, \
telephone mobile, telephone portable, mobile phone 2, phone mobile, gsm
phone.main: primary phone, telephone principal, company main phone, telephone societe, main phone
phone.car: car phone, telephone voiture
phone.pager: pager, pager number, recepteur de radiomessagerie, numero de pager, bip
phone.video: phone video, video phone
phone.home.fax: home fax, telecopie domicile, fax domicile
phone.work.fax: business fax, work fax, telecopie bureau, fax bureau
phone.fax: fax, fax number, other fax, telecopie autre, numero de fax, telecopie, facsimiletelephonenumber
phone.assistant: assistant s phone, telephone de l assistant e, assistant phone
phone.textphone: tty tdd phone, telephone tdd tty
url: web page, website, web site, page web, site web, url, website other, web page 2, site web 2, web page 1, site web 1, \
web address, labeleduri
url.home: personal web page, website home page, personal website, page web personnelle
url.work: business web page, website work, business website, website company
url.blog: website blog, blog
url.profile: website profile
im.aim: im aim, aim, screen name, pseudo de messagerie, aim screen name
im.icq: im icq, icq
im.jabber: im jabber, jabber, xmpp
im.msn: im msn, msn, windows live
im.skype: im skype, skype, skype id
im.yahoo: im yahoo, yahoo id, messenger id 1
im.gtalk: google talk, gtalk
im.qq: qq
im.matrix: matrix
im: imaddress, im address, adresse im
related.spouse: spouse, conjoint e, conjoint
related.child: children, enfants
related.manager: manager s name, manager, responsable
related.assistant: assistant s name, nom de l assistant e, assistant
related.referred by: referred by, recommande par
-: e mail type, e mail 2 type, e mail 3 type, type de messagerie, type de messagerie 2, type de messagerie 3, \
e mail display name, e mail 2 display name, e mail 3 display name, nom complet de l adresse de messagerie, \
nom complet de l adresse de messagerie 2, nom complet de l adresse de messagerie 3, priority, priorite, sensitivity, \
critere de diffusion, private, prive
"""


def _field_names() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _SIMPLE.replace("\\\n", "").strip().splitlines():
        key, _mark, names = line.partition(":")
        found.update((name.strip(), key) for name in names.split(","))
    for use, places in _PLACES.items():
        for part, words in _PARTS.items():
            for place in places:
                for word in words:
                    found.update(((f"{place} {word}", f"adr.{use}.{part}"), (f"{word} {place}", f"adr.{use}.{part}")))
                    if word[-1].isdigit():  # "Rue (bureau) 2"
                        found[f"{word[:-2]} {place} {word[-1]}"] = f"adr.{use}.{part}"
    for part, words in _PARTS.items():
        found.update((word, f"adr..{part}") for word in words if word not in found)
    found.update({"b p professionnelle": "adr.work.pobox", "boite postale du domicile": "adr.home.pobox"})
    found.update({"autre boite postale": "adr..pobox", "office location": NOTE, "hobby": NOTE, "passe temps": NOTE})
    found |= {
        "nom": "family",
        "company yomi": IGNORED,
        "adresse privee": "adr.home.street",
        "adresse privee 2": "adr.home.street2",
    }
    return found


_KNOWN = _field_names()
_TOWN_ALONE = frozenset(word for part in ("city", "region", "code", "country") for word in _PARTS[part])


def guessed(header: Sequence[str]) -> list[str]:
    """The field of each column: a key of this module's table, `g.<kind>.<number>.<part>` of Google's, "" if it is not known."""
    keys = [header_key(words) for words in header]
    named = "nom" in keys and "prenom" not in keys
    found: list[str] = []
    for words, key in zip(header, keys, strict=True):
        numbered = _NUMBERED.fullmatch(key) if " - " in words else None
        if numbered:  # Outlook has an "E-mail 2 Type" too
            field = f"g.{numbered[1]}.{numbered[2]}.{numbered[3]}"
        else:
            field = "name" if named and key == "nom" else _KNOWN.get(key, "")
        if field == "prefix" and field in found:  # Outlook's French files call both "Titre"
            field = "title"
        elif key in _TOWN_ALONE:
            field = _of_thunderbird(field, found)
        found.append(field)
    return found


def _of_thunderbird(field: str, before: Sequence[str]) -> str:
    """Its French files name a town twice: after the private address, and after the one at work."""
    if "adr.work.street" in before and "adr.home.street" in before:
        return field.replace("..", ".work.")
    return field.replace("..", ".home.") if "adr.home.street" in before else field


def is_known(found: Sequence[str], filled: Sequence[bool]) -> bool:
    """Whether the columns are understood well enough to go on without asking: somebody is named, and of the columns that hold
    something at least two thirds are known."""
    if not any(key in _NAMING or key.startswith("g.e mail") for key in found):
        return False
    used = [key for key, some in zip(found, filled, strict=False) if some]
    return 3 * sum(bool(key) for key in used) >= 2 * len(used)


_NAMING = ("name", "given", "family", "email", "email.home", "email.work", "organisation")
