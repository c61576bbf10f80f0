"""Texts that ask for a password or for money, and ordinary ones that speak of them."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.threats.phishing_words import asked_for


@pytest.mark.parametrize(
    "text",
    [
        "Confirmez votre identifiant et votre mot de passe ici :",
        "Pour garder votre boîte, saisissez votre mot\nde passe avant 24 heures",
        "Veuillez nous communiquer… non : communiquez-nous votre code de sécurité.",
        "Vérifiez votre compte : mot de passe requis",
        "Please confirm your password to keep your mailbox",
        "Enter your login details below",
        "Votre compte sera suspendu demain. Cliquez ici pour l'éviter.",
        "Your mailbox has been locked. Sign in to unlock it",
        "Votre boîte est pleine et son accès est limité : validez votre compte",
    ],
)
def test_it_asks_for_a_password(text: str) -> None:
    assert asked_for(text) == "credentials"


@pytest.mark.parametrize(
    "text",
    [
        "J'ai besoin d'un virement urgent, je suis en réunion",
        "Peux-tu acheter cinq cartes cadeaux pour moi ?",
        "Are you available? I need you to buy gift cards",
        "Payez en bitcoin sous 48 heures",
        "Voici notre nouveau RIB",
        "Réglez les frais sous 12 heures",
    ],
)
def test_it_asks_for_money(text: str) -> None:
    assert asked_for(text) == "money"


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour, la réunion est à 16 h 30.",
        "Le mot de passe provisoire est dans une enveloppe à votre secrétariat.",
        "J'ai oublié mon mot de passe pendant les vacances.",
        "Pensez à vérifier vos coordonnées bancaires dans votre espace.",
        "La sortie coûte 12 €, par chèque ou par virement.",
        "Confirmez votre présence. Le mot de passe du wifi est affiché.",
        "Votre commande est partie, les frais de livraison sont offerts.",
        "The password policy will change in June.",
        "Votre code de vérification est 482 913. Saisissez ce code sur le site.",
        "Enter this security code: 482913",
        "Votre compte ENT a été désactivé à votre départ. Contactez le secrétariat.",
        "Le compte rendu est en ligne ; l'accès au parking est fermé lundi. Vérifiez vos horaires.",
        "Open an account today: limited time offer, click here",
        "Votre abonnement expire en mai. Connectez-vous pour le renouveler.",
        "Votre commande est confirmée. Votre compte client vous attend.",
        "Le conseil de classe est reporté ; confirmez votre présence.",
        "Your invoice is attached. Please pay by bank transfer within 30 days.",
        "",
    ],
)
def test_ordinary_words(text: str) -> None:
    assert asked_for(text) is None


def test_long_texts_cost_little() -> None:
    for text in ("mot de passe " * 50_000, "virement " * 50_000, "a" * 1_000_000, "confirmez " * 50_000, "é" * 100_000):
        with cpu_seconds(1):
            asked_for(text)
