"""Words and phrases that a native would not say on a screen, each with a better one; `tests.support.catalogue` refuses them.

A pattern holds for whole words, whatever their case unless it says otherwise. What is between backticks in help is typed, not said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

HELP = Path(__file__).resolve().parents[2] / "webmail" / "help" / "pages"

_ENGLISH = (
    (r"anew", "again"),
    (r"whoever", "anyone who, or the person who"),
    (r"stands", "is, or appears"),
    (r"(?:is|are|was|were) not taken", "refused"),
    (r"be parted", "be split"),
    (r"go(?:es)? on (?:where|here|with)", "continue, or resume"),
    (r"take (?:that|this) back", "undo this, or withdraw"),
    (r"connection broke", "the connection was lost"),
    (r"bro(?:ke|ken) off|breaks off", "interrupted"),
    (r"at once", "immediately, or at the same time"),
    (r"on its way (?:to|there|back)", "sent to"),
    (r"altogether|(?:[KMGT]B|%\(\w+\)s) together", "in total"),
    (r"go together", "match"),
    (r"e-mails?", "email"),
    (r"mails", "emails, or messages"),
    (r"a mail(?! (?:account|address|app|client|filter|folder|program|server))", "a message, or an email"),
    (r"by mail", "by email"),
    (r"mailed", "emailed, or sent"),
    (r"you need no", "you don’t need"),
    (r"what (?:becomes?|became) of", "what happens to"),
    (r"as whom|with whom you", "who"),
    (r"put(?:ting)? away", "file, or move"),
    (r"without your word", "without your permission"),
    (r"send on as it is", "redirect"),
    (r"no such address there", "this address does not exist"),
    (r"(?<=\s)&(?=\s)", "and"),
    (r"(?<=\w)'(?=\w)|(?<=s)'(?=\s)", "’"),
    (r"colors?|favorites?|organiz\w+|recogniz\w+|synchroniz\w+|canceled", "British spelling"),
)
_FRENCH = (
    (r"(?-i:(?<!-)mails?)", "e-mail, or message"),
    (r"(?<!› )courriels?", "e-mail"),
    (r"(?:adresses?|Adresses?) électroniques?", "adresse e-mail"),
    (r"QR codes?", "code QR"),
    (r"(?<!est un )(?<!contient un )(?<!souvent des )programmes?", "logiciel"),
    (r"anti-spam", "antispam"),
    (r"\d{1,2}:\d\d|\d{1,2}h(?:\d\d)?", "16 h 30"),
    (r"relanc(?:er|é|ée|és|ées)", "envoyer un rappel"),
    (r"transferts? automatiques?", "réexpédition"),
    (r"renvoyer tel quel", "rediriger"),
    (r"masquer à côté", "masquer dans la barre latérale"),
    (r"quiconque", "toute personne qui"),
    (r"part(?:ent)? vers", "envoyé à"),
    (r"seule deuxième étape", "seul moyen de validation"),
    (r"davantage du nom", "précisez le nom"),
    (r"pour l’autre côté", "pour l’autre serveur"),
    (r"non compris", "ignoré"),
    (r"visez", "scannez"),
    (r"les mots du serveur", "réponse exacte du serveur"),
    (r"(?<=\w)'(?=\w)", "’"),
)
_TABLES = {
    language: tuple((re.compile(rf"(?<!\w)(?:{pattern})(?!\w)" if not pattern.startswith("(?<=") else pattern, re.IGNORECASE), better) for pattern, better in table)
    for language, table in (("en", _ENGLISH), ("fr", _FRENCH))
}  # fmt: skip
# what is refused only where it is the whole text: a heading, a button, the name of a field
_WHOLE = {
    "en": {"Answer": "Reply", "Place": "Location", "Error": "what happened", "Invalid": "what is wrong", "Failed": "what failed"},
    "fr": {"Envois": "fichiers volumineux, or nombre d’envois", "Erreur": "ce qui s’est passé"},
}


def refused(text: str, language: str) -> list[str]:
    """What this text should not say, with what it should: "whoever: say anyone who"."""
    found = [f"{match[0]}: say {better}" for pattern, better in _TABLES[language] if (match := pattern.search(text))]
    whole = _WHOLE[language].get(text.strip())
    return [*found, f"{text.strip()}: say {whole}"] if whole else found


def in_help() -> Iterator[str]:
    """What the pages of help should not say, by page and line."""
    for page in sorted(HELP.glob("*/*.md")):
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            if not line.startswith("words:"):  # what one may search for, in any words
                spoken = re.sub(r"`[^`]*`", "", line).lstrip("# ")
                yield from (f"{page.parent.name}/{page.name}:{number}: {words}" for words in refused(spoken, page.parent.name))


def better(language: str) -> set[str]:
    """All that is proposed in a language."""
    return {words for _, words in _TABLES[language]} | set(_WHOLE[language].values())
