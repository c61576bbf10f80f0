"""What the check of texts refuses, with a better word, and what stands beside it and is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from tests.support import wording
from tests.support.catalogue import unidiomatic

REFUSED = {
    "en": [
        "Type it anew", "Ask whoever sent it", "It stands below", "“a.pdf” was not taken.", "They can’t be parted", "It goes on where it stopped",
        "You can take that back", "The connection broke", "A download that broke off", "Change it at once", "A code is on its way there",
        "Up to 20 GB together", "Up to %(size)s together.", "This user name and password do not go together.", "Your e-mail address",
        "Two mails", "Write a mail", "They get it by mail", "A link is mailed", "You need no account", "What becomes of it", "As whom you write",
        "Putting away", "Without your word none is sent", "Send on as it is", "There is no such address there.", "Yes & no", "It can't be read",
        "Its colors", "Answer", "Place", "Error", "Invalid", "Failed",
    ],
    "fr": [
        "Un mail", "Des mails", "Un courriel", "Votre adresse électronique", "Un QR code", "Un autre programme", "Le filtre anti-spam",
        "À 14:30", "À 8h30", "À 8h", "Relancer", "Transfert automatique", "Renvoyer tel quel", "Masquer à côté de la liste",
        "Quiconque le lit", "Le lien part vers Zoé", "C’est votre seule deuxième étape", "Saisissez davantage du nom",
        "trop volumineux pour l’autre côté", "Non compris", "Visez-le", "Les mots du serveur", "l'avis", "Envois", "Erreur",
    ],
}  # fmt: skip
RIGHT = {
    "en": [
        "The mail server is not responding", "A mail server", "Place it before “News”", "Answer an invitation", "An answer is missing",
        "Outstanding", "Mailing list", "Mailbox", "Get mail on your phone", "The message is on its way.", "All files together",
        "It was taken from the list", "Read all of them at the same time", "The teacher’s list", "Go on", "Search “a&b”",
    ],
    "fr": [
        "Un e-mail", "Votre adresse e-mail", "Ouvrez Mail", "Comptes Mail", "Nouveau compte › Courriel", "Programmer", "Programmez son envoi",
        "plan.doc est un programme.", "une archive qui contient un programme", "16 h 30", "Relancez la synchronisation", "Transférer",
        "Compris : demain", "Un envoi", "Révisez-le", "Zoé part en mars", "aujourd’hui",
    ],
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_is_refused_with_a_better_word(language: str) -> None:
    for text in REFUSED[language]:
        found = wording.refused(text, language)
        assert found and ": say " in found[0], text
    tried = {found.partition(": say ")[2] for text in REFUSED[language] for found in wording.refused(text, language)}
    assert tried == wording.better(language), "each line of the table has an example here"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_its_neighbours_pass(language: str) -> None:
    assert [found for text in RIGHT[language] for found in wording.refused(text, language)] == []


def test_plural_forms_are_read_and_named() -> None:
    catalog = Catalog(locale="fr")
    catalog.add(("%(num)d mail", "%(num)d mails"), ("%(num)d message", "%(num)d mails"))
    assert unidiomatic(catalog, "en") == ["mails: say emails, or messages ('%(num)d mails')"]
    assert unidiomatic(catalog, "fr") == ["mails: say e-mail, or message ('%(num)d mails')"]


def test_help_is_read_but_for_what_one_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "HELP", tmp_path)
    for language, text in (
        ("en", "words: e-mail anew\n# E-mail\nType `e-mail`.\nIt stands here.\n"),
        ("fr", "words: mail\n# Message\n`14:30`, 14:30.\n"),
    ):
        (tmp_path / language).mkdir()
        (tmp_path / language / "page.md").write_text(text, encoding="utf-8")
    assert list(wording.in_help()) == [
        "en/page.md:2: E-mail: say email", "en/page.md:4: stands: say is, or appears", "fr/page.md:3: 14:30: say 16 h 30",
    ]  # fmt: skip
