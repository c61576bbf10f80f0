"""Demo scenes: turns the scenes of `scenes/*.toml` into threads of messages.

A scene: `who` writes (a role in people.py) to `to` ("moi" only, "equipe", "tous"), stored in `folder`, about `times` times
over two years. `text` is the first message, from `who`, or with `by = "moi"` from the mailbox's owner. Each [[scene.letter]]
replies to the one before, `after` hours later, `by` "moi", "lui", "autre" (a colleague) or "autre_leeds". In subject and text,
[a|b|c] picks one, {name} is replaced by a value of `_words`. `files` lists attachments as kind:name.
"""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.demo.letters import calendar, files
from deploy.demo.letters.letter import Letter, as_html, typeset
from deploy.demo.letters.people import ALICE, COLLEAGUES, LEEDS, PARENT_LIST, PUPIL_LIST, ROLES, Contact

FOLDER = Path(__file__).with_name("scenes")
EVERYBODY = (Contact("Enseignants Ampère", "enseignants@lycee-ampere.example"),)


@dataclass(frozen=True, slots=True)
class Posted:
    """A letter and the folder where the mailbox's owner keeps it."""

    letter: Letter
    folder: str
    answered: bool = False  # by the owner, later in the thread


def load(name: str) -> list[dict[str, Any]]:
    """The scenes of one file."""
    scenes: list[dict[str, Any]] = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["scene"]
    return scenes


def play(scene: dict[str, Any], owner: Contact, start: datetime, now: datetime, dice: random.Random) -> list[Posted]:
    """One thread that begins at `start`; messages after `now` are left out."""
    other = dice.choice([contact for contact in ROLES[scene["who"]] if contact != owner])
    words = _words(owner, other, start, dice)
    folder = str(scene.get("folder", "INBOX")).format(annee_civile=now.year)
    subject = _fill(scene["subject"], words, dice, scene)
    lines = [{"by": scene.get("by", "lui"), "after": 0, "text": scene["text"]}, *scene.get("letter", [])]
    letters: list[Letter] = []
    when = start
    for line in lines:
        when += timedelta(hours=line["after"] * dice.uniform(0.4, 1.6), minutes=dice.randrange(1, 50))
        when = _awake(when, dice)
        if when > now:
            break
        writer = _writer(line["by"], owner, other, dice)
        body = _fill(line["text"], words, dice, scene).strip()
        letters.append(_letter(scene, writer, owner, other, subject, body, when, letters, dice))
    mine = [letter.sender == owner for letter in letters]
    return [
        Posted(letter, "Sent" if mine[i] else folder, answered=not mine[i] and i + 1 < len(mine) and mine[i + 1])
        for i, letter in enumerate(letters)
    ]


def _letter(
    scene: dict[str, Any],
    writer: Contact,
    owner: Contact,
    other: Contact,
    subject: str,
    body: str,
    when: datetime,
    before: list[Letter],
    dice: random.Random,
) -> Letter:
    opening = not before
    if writer.signature and (opening or dice.random() < 0.4):
        body += f"\n{writer.name}\n{writer.signature}"
    elif writer.person and f"\n{writer.first}" not in body:
        body += f"\n{writer.name if writer in PARENT_LIST else writer.first}"
    english = scene.get("lang") == "en"
    if not english:
        body = typeset(body)
    if before and dice.random() < 0.75:
        body += "\n\n" + _quote(before[-1], english)
    to, cc = _recipients(scene, writer, owner, other, before, dice)
    attached = tuple(files.make(kind, dice) for kind in scene.get("files", [])) if opening and dice.random() < 0.75 else ()
    return Letter(
        sender=writer,
        to=to,
        cc=cc,
        subject=(subject if opening else f"Re: {subject}") if english else typeset(subject if opening else f"Re: {subject}"),
        text=body + "\n",
        html=as_html(body) if writer.signature and dice.random() < 0.4 else "",
        when=when,
        files=attached,
        references=tuple(letter.id for letter in before),
    )


def _recipients(
    scene: dict[str, Any], writer: Contact, owner: Contact, other: Contact, before: list[Letter], dice: random.Random
) -> tuple[tuple[Contact, ...], tuple[Contact, ...]]:
    if before:
        last = before[-1]
        others = tuple(c for c in (last.sender, *last.to) if c not in (writer, *EVERYBODY))
        return (others[:1] or (other,)), tuple(c for c in (*others[1:], *last.cc) if c != writer)
    if writer == owner:
        return (other,), ()
    if scene.get("to") == "tous":
        return EVERYBODY, ()
    if scene.get("to") == "equipe":
        team = [contact for contact in COLLEAGUES if contact not in (owner, other)]
        return (owner, *dice.sample(team, 3)), ()
    return (owner,), (dice.choice(ROLES["adjoint"]),) if dice.random() < 0.05 and writer.signature else ()


def _writer(by: str, owner: Contact, other: Contact, dice: random.Random) -> Contact:
    if by == "autre":
        return dice.choice([contact for contact in COLLEAGUES if contact not in (owner, other)])
    if by == "autre_leeds":
        return dice.choice([contact for contact in LEEDS if contact != other])
    return owner if by == "moi" else other


def _quote(letter: Letter, english: bool) -> str:
    words = letter.text.split("\n\nLe ", 1)[0].split("\n\nOn ", 1)[0].strip()
    quoted = "\n".join(f"> {line}".rstrip() for line in words.splitlines())
    if english:
        return f"On {calendar.in_english(letter.when)} at {letter.when:%H:%M}, {letter.sender.name} wrote:\n{quoted}"
    return typeset(f"Le {calendar.in_french(letter.when)} à {letter.when:%H:%M}, {letter.sender.name} a écrit :\n") + quoted


def _words(owner: Contact, other: Contact, start: datetime, dice: random.Random) -> dict[str, str]:
    """The values for {name} in a scene, constant within a thread."""
    pupil = next((p for p in PUPIL_LIST if p.name == other.child), None) or dice.choice(PUPIL_LIST)
    topic = dice.choice(
        ("les suites", "les dérivées", "les probabilités conditionnelles", "les vecteurs", "la fonction exponentielle")
    )
    mathematics = owner == ALICE
    return {
        "moi_prenom": owner.first,
        "lui_prenom": other.first,
        "lui_nom": other.name,
        "eleve": pupil.name,
        "eleve_prenom": pupil.first,
        "classe": pupil.classe,
        "niveau": {"2": "secondes", "1": "premières", "T": "terminales"}[pupil.classe[0]],
        "matiere": "mathématiques" if mathematics else "histoire",
        "de_matiere": "de mathématiques" if mathematics else "d'histoire",
        "chapitre": topic if mathematics else dice.choice(("la Révolution", "les villes mondiales", "la Grande Guerre")),
        "chapitre_de": dice.choice(("du nombre d'or", "de la cryptographie", "des fractales", "de l'infini")),
        "salle": dice.choice(("B12", "A204", "C07", "B31", "112", "D3")),
        "jour": calendar.in_french(calendar.school_day(start, dice.randrange(2, 7))),
        "jour2": calendar.in_french(calendar.school_day(start, dice.randrange(9, 24))),
        "jour_en": calendar.in_english(calendar.school_day(start, dice.randrange(12, 30))),
        "month_en": calendar.MONTHS_EN[(start.month + 2) % 12],
        "heure": dice.choice(("8 h 15", "10 h 20", "12 h 30", "16 h 30", "17 h 15", "18 h")),
        "trimestre": calendar.term(start),
        "annee": calendar.school_year(start),
        "numero": str(dice.randrange(10_000, 99_999)),
        "montant": f"{dice.randrange(12, 180)},{dice.randrange(10, 99)}",
        "note": f"{dice.randrange(8, 18)},{dice.randrange(1, 9)}",
        "page": str(dice.randrange(11, 70)),
        "page2": str(dice.randrange(71, 240)),
        "sortie": dice.choice(("musée des sciences", "planétarium", "fort de la Croix", "jardin botanique", "maison des canuts")),
    }


def _fill(text: str, words: dict[str, str], dice: random.Random, scene: dict[str, Any]) -> str:
    chosen = re.sub(r"\[([^\[\]]*\|[^\[\]]*)\]", lambda match: dice.choice(match[1].split("|")), text)
    return chosen.format_map(words)


def _awake(when: datetime, dice: random.Random) -> datetime:
    """Postpone times between 23:00 and 06:00 to the next morning."""
    if 6 <= when.hour < 23:
        return when
    morning = when if when.hour < 6 else when + timedelta(days=1)
    return morning.replace(hour=dice.randrange(7, 9), minute=dice.randrange(60))
