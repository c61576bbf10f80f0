"""Phishing words: detects text that asks for a password or money, in French or English, with few false positives.

Used for mail from unknown senders; a false positive costs the reader one sentence of warning.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

_READ = 8_000  # characters of the text that are searched
_ACCENTS = re.compile("[\u0300-\u036f]")


class PhishingWord(StrEnum):
    CREDENTIALS = "credentials"
    MONEY = "money"


_SECRET = (
    r"mots? de passe|vos identifiants?|votre identifiant|codes? (?:confidentiels?|secrets?|pin|de securite|de validation)|"
    r"numero de (?:votre )?carte|coordonnees bancaires|passwords?|passcode|login details|credentials|card number|"
    r"bank(?:ing)? details|security code|verification code"
)
_GIVE = (
    r"confirmez|verifiez|saisissez|validez|communiquez|indiquez|renseignez|fournissez|entrez|"
    r"envoyez|transmettez|mettez a jour|confirm|verify|validate|enter|provide|submit|update|send (?:us|me)"
)
_HURRY = r"urgent\w*|confidentiel\w*|discretion|discret\w*|aujourd'hui meme|immediat\w*|urgently|today|confidential\w*"
_NEAR = r"[^.!?]{0,80}?"


def _together(value: str, other: str) -> str:
    return rf"\b(?:{value})\b{_NEAR}\b(?:{other})\b|\b(?:{other})\b{_NEAR}\b(?:{value})\b"


_CLOSED = (
    r"(?:comptes?|boite|messagerie|(?:votre|son) acces|accounts?|mailbox|your access)\b[^.!?]{0,40}?\b(?:suspendue?|bloquee?|"
    r"desactivee?|limitee?|restreinte?|fermee?|expire|expirera|suspended|blocked|locked|disabled|deactivated|closed|expires?|"
    r"limited(?! (?:time|edition|offer|series))|restricted)"
)
_ACT = (
    r"cliquez|connectez[ -]vous|verifiez|confirmez|reactive[rz]|validez|mettez a jour|click|log ?in|sign ?in|verify|confirm|"
    r"reactivate|update"
)
_CREDENTIALS = re.compile(rf"{_together(_SECRET, _GIVE)}|\b{_CLOSED}\b.{{0,100}}?\b(?:{_ACT})\b")
# a code given in the text is not asked for: one-time codes that sites send
_TOLD = re.compile(
    r"\b(?:codes?|passcode)\b[^.!?\d]{0,60}(?<!\d)\d{3}[ -]?\d{1,5}\b|(?<!\d)\d{4,8}\b[^.!?\d]{0,60}\b(?:code|passcode)\b"
)
_CODES = re.compile(r"\b(?:codes?|security code|verification code|passcode)\b")
_MONEY = re.compile(
    "|".join(
        (
            _together(r"virements?|wire transfers?|bank transfers?", _HURRY),
            _together(r"cartes?[ -]cadeaux?|gift cards?", r"achete[rz]|acheter|envoye[rz]|besoin|buy|purchase|send|need"),
            _together(r"bitcoins?|western union|moneygram|transcash|neosurf", r"paye[rz]|regle[rz]|envoye[rz]|pay|send"),
            _together(r"frais de (?:douane|dedouanement|reexpedition)|customs fees?", r"paye[rz]|regle[rz]|acquitte[rz]|pay"),
            r"\b(?:regle|paye)[rz] les frais sous\b",
            r"\b(?:nouve(?:au|l)|changement d[eu']) ?(?:rib|iban|coordonnees bancaires)\b",
            r"\bheritage non reclame\b|\bunclaimed (?:inheritance|funds)\b|\bnext of kin\b",
        )
    )
)


# cheap pre-filters: every text that the patterns match contains one of these
_OF_SECRETS = re.compile(
    "compte|boite|messagerie|acces|account|mailbox|de passe|identifiant|code|carte|bancaires|passw|login|credentials|card|bank"
)
_OF_MONEY = re.compile(
    "virement|transfer|cadeau|gift|bitcoin|western|moneygram|transcash|neosurf|frais|customs|rib|iban|bancaires|heritage|"
    "unclaimed|kin"
)


def asked_for(text: str) -> PhishingWord | None:
    """What the first 8,000 characters of a text ask for, or None. Linear time."""
    plain = _plain(text)
    if _TOLD.search(plain):
        plain = _CODES.sub("", plain)
    if _OF_SECRETS.search(plain) and _CREDENTIALS.search(plain):
        return PhishingWord.CREDENTIALS
    return PhishingWord.MONEY if _OF_MONEY.search(plain) and _MONEY.search(plain) else None


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text[:_READ]).replace("\u2019", "'").casefold()
    return " ".join(_ACCENTS.sub("", decomposed).split())
