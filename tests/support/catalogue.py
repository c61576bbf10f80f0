"""The French catalogue: `python -m tests.support.catalogue` checks that it is complete, and that neither it nor the help says what
`wording.py` refuses; `--update` brings in new strings.

Strings are English in the code. What is compiled from the catalogue is not kept: `webmail/translations/__init__.py` builds it.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from tests.support import wording
from webmail import translations

ROOT = Path(__file__).resolve().parents[2]
PO = ROOT / "webmail" / "translations" / "fr" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
METHODS = [("webmail/**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}


def extracted() -> Catalog:
    """All strings of the code and the templates."""
    catalog = Catalog(project="Traboule", charset="utf-8")
    for folder in ("webmail", "templates"):
        found = extract_from_dir(
            str(ROOT / folder), [(p.removeprefix(f"{folder}/"), m) for p, m in METHODS],
            {p.removeprefix(f"{folder}/"): o for p, o in OPTIONS.items()}, KEYWORDS,
        )  # fmt: skip
        for name, line, message, comments, context in found:
            catalog.add(message, None, [(f"{folder}/{name}", line)], auto_comments=comments, context=context)
    return catalog


def french() -> Catalog:
    return read_po(io.BytesIO(PO.read_bytes()), locale="fr") if PO.exists() else Catalog(locale="fr", project="Traboule")


def problems() -> list[str]:
    """What is missing, left over, untranslated or doubtful; a placeholder lost in translation."""
    code, catalog = extracted(), french()
    found = []
    for message in code:
        if not message.id:
            continue
        kept = catalog.get(message.id, message.context)
        where = "{}:{}".format(*message.locations[0])
        if kept is None:
            found.append(f"missing: {message.id!r} ({where})")
            continue
        texts = kept.string if isinstance(kept.string, tuple) else (kept.string,)
        if not all(texts) or kept.fuzzy:
            found.append(f"untranslated: {message.id!r} ({where})")
        wanted = set(re.findall(r"%\(\w+\)s|%\(\w+\)d", str(message.id)))
        for text in filter(None, texts):
            if re.search(r"« | »| [:;!?](?=\s|$)", text):
                found.append(f"an ordinary space where French has a non-breaking one: {text!r}")
            extra = set(re.findall(r"%\(\w+\)s|%\(\w+\)d", text)) ^ wanted
            if extra and not (isinstance(kept.id, tuple) and extra <= {"%(num)d"}):
                found.append(f"placeholders differ: {message.id!r}: {', '.join(sorted(extra))}")
    ids = {message.id for message in code if message.id}
    found += [f"no longer used: {message.id!r}" for message in catalog if message.id and message.id not in ids]
    return [*found, *unidiomatic(code, "en"), *unidiomatic(catalog, "fr"), *wording.in_help()]


def unidiomatic(catalog: Catalog, language: str) -> list[str]:
    """What the texts of a catalogue should not say: English is the code's, French the translations."""
    found = []
    for message in filter(lambda message: message.id, catalog):  # the first is the head
        texts = message.id if language == "en" else message.string
        for text in texts if isinstance(texts, tuple | list) else (texts,):
            found += [f"{words} ({text!r})" for words in wording.refused(text, language)]
    return found


def update() -> None:
    catalog = french()
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    PO.parent.mkdir(parents=True, exist_ok=True)
    for message in catalog:
        message.locations = [(name, None) for name, _ in message.locations]  # line numbers change with every edit
    with PO.open("wb") as out:
        write_po(out, catalog, width=110, omit_header=False, include_previous=False)
    translations.build()


if __name__ == "__main__":
    if "--update" in sys.argv:
        update()
    found = problems()
    print("\n".join(found) or "the French catalogue is complete")
    sys.exit(bool(found))
