"""Search words, found in French and English: elisions, hyphens, letters, accents, plurals; on Dovecot's full-text index."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from imapclient import IMAPClient

from tests.support.messages import message
from tests.support.visits import Visitor

FOUND = [
    # what is looked for, the text that has it
    ("équipe", "L'équipe est prête"),
    ("équipe", "Avec l’équipe demain"),
    ("equipe", "toute l'équipe"),
    ("ÉQUIPE", "une équipe"),
    ("hippodrome", "À l'hippodrome"),
    ("hippodrome", "retour de l’hippodrome"),
    ("l'équipe", "pour l’équipe"),
    ("l’équipe", "pour l'équipe"),
    ("école", "le livre d'école"),
    ("école", "On va à l’École"),
    ("hygiène", "l'hygiène"),
    ("usine", "visite d’usines"),
    ("île", "l’Île-de-France"),
    ("œuvre", "L’œuvre du mois"),
    ("oeuvre", "l'œuvre d'art"),
    ("œuvre", "une oeuvre"),
    ("coeur", "le cœur"),
    ("art", "une œuvre d'art"),
    ("hôpital", "à l’hôpital"),
    ("élection", "jusqu’à l’élection"),
    ("il", "parce qu'il pleut"),
    ("aujourd'hui", "c'est aujourd’hui"),
    ("aujourd’hui", "c'est aujourd'hui"),
    ("rendez-vous", "le rendez-vous de mardi"),
    ("rendez", "un rendez-vous"),
    ("B", "la classe de 3e B"),
    ("3e", "la 3e B"),
    ("plan A", "le plan A est prêt"),
    ("12", "en salle n°12"),
    ("n°12", "en salle n°12"),
    ("réunions", "la réunion"),
    ("réunion", "deux réunions"),
    ("cheval", "des chevaux"),
    ("chevaux", "un cheval"),
    ("journal", "les journaux"),
    ("élèves", "un élève absent"),
    ("eleve", "Les élèves"),
    ("Noël", "vacances de noel"),
    ("hâte", "à la hâte"),
    ("sortie scolaire", "sorties scolaires de mai"),
    ("meetings", "the meeting on Monday"),
    ("meeting", "two meetings"),
    ("teacher", "the teacher's desk"),
    ("teachers", "The teacher said that all of the children would come with us to the museum on Friday"),
    ("don't", "I don't know"),
    ("e-mail", "send an e-mail"),
    ("straße", "Hauptstrasse 5, die Strasse"),
    ("bob@lycee.example", "write to bob@lycee.example now"),
    ("mx-deep-a", "the host mx-deep-a answers"),
    ("Афины", "письмо из Афины"),
    *(
        (typed, f"un mot sur {text} et rien de plus")
        for typed, text in (
            pair.split(":")
            for pair in """rentree:la rentrée|journee:une journée|scolarite:la scolarité|electricite:l'électricité|premiere:la
        première|matieres:des matières|egoiste:un égoïste|heroique:l’acte héroïque|creees:classes créées|laicite:la laïcité|deposees:pièces
        déposées|infirmiere:l’infirmière|durees:les durées|inscrites:les inscrits|acceptée:l'élève accepté|acceptés:sorties acceptées|ete:l’été
        |recu:bien reçu|francais:le français|noel:à Noël|naif:un naïf|ambigue:réponse ambiguë|chateau:le château|ou:où aller|lecon:la leçon
        |tres:très bien|Dvorak:de Dvořák|Nguyen:Madame Nguyễn|garcons:le garçon|voeux:les vœux|boeuf:du bœuf|hors-d'oeuvre:un hors-d’œuvre
        |pate:la pâte|saint-etienne:Saint-Étienne|reçue:recu|Éloïse:Eloise|scolarités:scolarite""".replace(
                "\n        ", " "
            ).split("|")
        )
    ),
    ("O'Brien", "de O’Brien"),
    ("O’Brien", "de O'Brien"),
    ("obrien", "de O'Brien"),
    ("presqu'île", "la presqu’île"),
    ("presqu’ile", "la presqu'île"),
    ("presquile", "la presqu'île"),
    ("l'oeuvre", "pour l’œuvre"),
    ("d'œuvre", "maître d'oeuvre"),
    ("aujourdhui", "c'est aujourd’hui"),
    ("N'Diaye", "Awa N’Diaye"),
    ("ndiaye", "Awa N'Diaye"),
    ("ren\u00adtrée", "la rentrée"),
    ("rentree", "la ren\u00adtrée"),
    ("scolarité", "la sco\u00adla\u00adri\u00adté"),
    ("journee", "la jour\u200dnée"),
]
NOT_FOUND = [
    ("équipe", "les équidés"),
    ("réunion", "un réveil"),
    ("art", "une part"),
    ("hippodrome", "un drome"),
    ("teacher", "a tree"),
]


@pytest.fixture(scope="module")
def reader(app, services):
    """Somebody with one message for each text, in the order of the tables."""
    address = "words@lycee.example"
    services.add_account(address, "Words")
    client = IMAPClient("127.0.0.1", services.ports.imap, ssl=False)
    client.login(address, services.password)
    for number, (_query, text) in enumerate(FOUND + NOT_FOUND):
        client.append("INBOX", bytes(message(f"n{number}n", text)))
    client.logout()
    return Visitor(app, address).sign_in()


def rows(reader: Visitor, query: str) -> list[str]:
    return reader.get(f"/mailbox/INBOX?query={quote(query)}&size=100").rows


@pytest.mark.parametrize("number", range(len(FOUND)), ids=[f"{query} in {text}" for query, text in FOUND])
def test_it_is_found(reader, number):
    assert rows(reader, f"{FOUND[number][0]} subject:n{number}n") == [f"n{number}n"]


@pytest.mark.parametrize("number", range(len(NOT_FOUND)), ids=[f"{query} in {text}" for query, text in NOT_FOUND])
def test_another_word_is_not(reader, number):
    assert rows(reader, f"{NOT_FOUND[number][0]} subject:n{len(FOUND) + number}n") == []
