"""Presentation: what pages of administration say of the establishment, and config.toml can't: logo, colour, texts by language.

It comes with the settings, so that whoever has those shows it (`webmail/establishments/live_settings.py` puts it there).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Texts(NamedTuple):
    """The same words in each language."""

    fr: str = ""
    en: str = ""

    def in_language(self, language: str) -> str:
        """In this language, else in the other."""
        return (self.en or self.fr) if language == "en" else (self.fr or self.en)


_WELCOME_SUBJECT = Texts("Bienvenue dans votre messagerie", "Welcome to your mailbox")
_WELCOME = Texts(
    """Bonjour {name},

Votre boîte est ouverte. Votre adresse est {address} :
elle vous sert à écrire, à recevoir des messages et à vous connecter.

Ne donnez votre mot de passe à personne : nous ne vous le demanderons jamais, ni par message, ni au téléphone.

Comment écrire, classer ses messages, partager un agenda, les lire sur un téléphone : {help}

{establishment}""",
    """Hello {name},

Your mailbox is open. Your address is {address}:
you use it to write, to receive messages and to sign in.

Give your password to nobody: we will never ask you for it, by email or by telephone.

How to write, file messages, share a calendar, read your mail on a phone: {help}

{establishment}""",
)


@dataclass(frozen=True, slots=True)
class Presentation:
    logo: str = ""  # "digest-width-height" of the stored picture (establishments/logos.py)
    accent: str = ""  # the colour as it was chosen, "#9c3f1c"; shown as establishments/colours.py makes it readable
    sentence: Texts = Texts()  # what this service is, for who comes by a link
    sign_in: Texts = Texts()  # words on the sign-in page
    banner: Texts = Texts()
    banner_from: str = ""  # naive UTC, as isoformat writes it; empty: at once
    banner_until: str = ""  # empty: until it is removed
    welcome_subject: Texts = _WELCOME_SUBJECT
    welcome: Texts = _WELCOME  # the first message in a new mailbox (auth/new_accounts.py); empty: none
    terms: Texts = Texts()  # the terms of use, where no file holds them
    languages: tuple[str, ...] = ()  # that are offered; empty: all
    legal: Texts = Texts()  # Markdown; empty: the text to begin with
    privacy: Texts = Texts()
    accessibility: Texts = Texts()
    accessibility_level: str = "unassessed"  # or none, partial, full: what an audit has found
    controller: str = ""  # who decides what data is for (GDPR, article 4): a name and a place
    data_contact: str = ""  # whom to ask about one's data
    data_officer: str = ""  # the data protection officer
    host: str = ""  # who runs the machine, and where
    country: str = ""
    backup_place: str = ""
    other_services: Texts = Texts()  # a line each, that the settings don't know of
    # the settings of the establishments that share the installation, by domain; empty where there is one alone
    of_domain: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
