"""Demo mailboxes: scenes over two years, a busy last week, newsletters, a mailing list, junk, drafts and curiosities."""
# ruff: noqa: E501, S311 - lines are the letters' own words; the random numbers need not be secure

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from deploy.demo.letters import calendar
from deploy.demo.letters.curiosities import LIST, curiosities
from deploy.demo.letters.letter import Item, Letter, build, typeset
from deploy.demo.letters.newsletters import newsletters
from deploy.demo.letters.people import ADMIN, ALICE, BOB, CHARLIE, COLLEAGUES, PARENTS, Contact
from deploy.demo.letters.scenes import Posted, load, play

SEED = 1831
TWO_YEARS = timedelta(days=728)
WEEK = timedelta(days=7)


PROVEN_SINCE = timedelta(days=90)  # colleagues' older mail is from before the server wrote who had signed in


def boxes(now: datetime) -> dict[str, list[Item]]:
    """Address -> messages, oldest first. `now` must be timezone-aware; the same day gives the same mail."""
    return {owner.email: sorted(make(now), key=lambda item: item.when) for owner, make in _MAKERS.items()}


def alice(now: datetime) -> list[Item]:
    dice = random.Random(SEED)
    posted = _threads(ALICE, ("lycee", "familles", "dehors"), now, dice, share=1.0, recent=11)
    dates = [calendar.moment(dice, now - TWO_YEARS, now - WEEK) for _ in range(18)] + [
        now - timedelta(hours=h) for h in (8, 55, 130)
    ]
    posted += [Posted(letter, "INBOX") for letter in newsletters(ALICE, dates, dice)]
    posted += [Posted(letter, "INBOX") for letter in _mailing_list(now)]
    items = [_item(p, now, dice) for p in posted]
    items += [Item("Junk", build(letter), letter.when) for letter in _junk(ALICE, now)]
    items += [Item("Drafts", build(letter), letter.when, ("\\Draft", "\\Seen")) for letter in _drafts(now)]
    _file_away(items, now, dice)
    items += curiosities(now, dice)
    _mark(items, now, dice, unread=12)
    return items


def bob(now: datetime) -> list[Item]:
    dice = random.Random(SEED + 1)
    posted = _threads(BOB, ("lycee",), now, dice, share=0.22, recent=5) + _threads(BOB, ("bob",), now, dice, share=1.0, recent=1)
    posted += [Posted(letter, "INBOX") for letter in newsletters(BOB, [now - timedelta(days=d) for d in (4, 40)], dice)]
    items = [_item(p, now, dice) for p in posted] + [Item("Junk", build(letter), letter.when) for letter in _junk(BOB, now)[:2]]
    _mark(items, now, dice, unread=4)
    return items


def charlie(now: datetime) -> list[Item]:
    dice = random.Random(SEED + 2)
    items = [_item(p, now, dice) for p in _threads(CHARLIE, ("charlie",), now, dice, share=1.0, recent=1)]
    _mark(items, now, dice, unread=2)
    return items


def admin(now: datetime) -> list[Item]:
    dice = random.Random(SEED + 3)
    items = [_item(p, now, dice) for p in _threads(ADMIN, ("admin",), now, dice, share=1.0, recent=1)]
    _mark(items, now, dice, unread=2)
    return items


_MAKERS = {ALICE: alice, BOB: bob, CHARLIE: charlie, ADMIN: admin}


def _threads(
    owner: Contact, names: Sequence[str], now: datetime, dice: random.Random, *, share: float, recent: int
) -> list[Posted]:
    """Play each scene as often as it specifies (times `share`) over two years, and `recent` of them once more this week."""
    scenes = [scene for name in names for scene in load(name)]
    posted: list[Posted] = []
    for scene in scenes:
        for _ in range(max(1, round(scene["times"] * share))):
            posted += play(scene, owner, calendar.moment(dice, now - TWO_YEARS, now - WEEK), now, dice)
    for scene in dice.sample(scenes, min(recent, len(scenes))):
        start = now - timedelta(hours=1) - (WEEK - timedelta(hours=12)) * dice.random()
        posted += play(scene, owner, start.replace(hour=min(start.hour, 19), microsecond=0), now, dice)
    return posted


def _item(posted: Posted, now: datetime, dice: random.Random) -> Item:
    flags = []
    author = posted.letter.sender.email
    if posted.folder != "Sent" and author.endswith("@lycee.example") and now - posted.letter.when < PROVEN_SINCE:
        words = f"auth=pass (login) smtp.auth={author} smtp.mailfrom={author} header.from={author}"
        posted.letter.headers["Authentication-Results"] = f"lycee.example; {words}"
    if posted.folder == "Sent":
        flags.append("\\Seen")
    if posted.answered:
        flags.append("\\Answered")
    return Item(posted.folder, build(posted.letter), posted.letter.when, tuple(flags))


def _file_away(items: list[Item], now: datetime, dice: random.Random) -> None:
    """Move a third of last year's mail to the archive, and some messages of the last month to the trash."""
    last_year = now.year - 1
    for item in items:
        if item.mailbox != "INBOX" or now - item.when < timedelta(days=70):
            continue
        if item.when.year == last_year and dice.random() < 0.33:
            item.mailbox = f"Archive/{last_year}"
    old = [item for item in items if item.mailbox == "INBOX" and timedelta(days=3) < now - item.when < timedelta(days=29)]
    for item in dice.sample(old, min(6, len(old) // 4)):
        item.mailbox = "Trash"


def _mark(items: list[Item], now: datetime, dice: random.Random, *, unread: int) -> None:
    """Mark all but the newest few as read, and flag some messages."""
    newest = sorted(
        (i for i in items if i.mailbox not in ("Sent", "Drafts", "Trash") and "\\Answered" not in i.flags), key=lambda i: i.when
    )
    fresh = [item for item in newest if item.mailbox != "Junk" and now - item.when < WEEK]
    left = fresh[-unread - 4 :]
    unseen = dice.sample(left, min(unread, len(left)))
    for item in items:
        if not any(item is other for other in unseen) and item.mailbox != "Junk":
            item.flags = (*dict.fromkeys((*item.flags, "\\Seen")),)
        if item.mailbox == "Junk":
            item.flags = (*item.flags, "$Junk")
    received = [item for item in newest if item.mailbox != "Junk"]
    for item in dice.sample(received, len(received) // 40) + dice.sample(fresh, min(3, len(fresh))):
        item.flags = (*dict.fromkeys((*item.flags, "\\Flagged")),)
    for item in dice.sample(received, len(received) // 60):
        item.flags = (*item.flags, "$Forwarded")


def _mailing_list(now: datetime) -> list[Letter]:
    """A thread of five on a list, with the headers of RFC 2369 and RFC 2919."""
    words = [
        (1, 0, "Bonjour à toutes et à tous,\n\nComment introduisez-vous la fonction exponentielle : par l'équation différentielle ou par les suites géométriques ? J'aimerais changer cette année."),
        (2, 5, "Par les suites, sans hésiter : les élèves voient ce que « croissance exponentielle » veut dire avant d'écrire une formule."),
        (8, 8, "Et moi par la radioactivité, avec la collègue de physique. Les deux chapitres tombent la même semaine, c'est une chance."),
        (3, 27, "D'accord avec les suites. Attention simplement au passage de n à x, il mérite une heure entière."),
        (1, 31, "Merci pour vos réponses ! J'essaie les suites avec la radioactivité en ouverture et je vous raconte."),
    ]  # fmt: skip
    head = {
        "List-Id": "Professeurs de mathematiques <maths-profs.listes.example>",
        "List-Post": f"<mailto:{LIST.email}>",
        "List-Unsubscribe": "<mailto:maths-profs-quitter@listes.example>, <https://listes.example/quitter/maths-profs>",
        "List-Help": "<mailto:maths-profs-aide@listes.example?subject=help>",
        "List-Archive": "<https://listes.example/archives/maths-profs>",
        "Precedence": "list",
    }
    thread: list[Letter] = []
    for number, hours, text in words:
        subject = "[maths-profs] Introduire l'exponentielle"
        thread.append(
            Letter(
                sender=COLLEAGUES[number],
                to=(LIST,),
                subject=typeset(subject if not thread else f"Re: {subject}"),
                text=typeset(f"{text}\n\n{COLLEAGUES[number].name}") + "\n_______________\nhttps://listes.example/maths-profs\n",
                when=(now - timedelta(days=5) + timedelta(hours=hours)).replace(microsecond=0),
                references=tuple(letter.id for letter in thread),
                headers=head,
            )
        )
    return thread


def _junk(owner: Contact, now: datetime) -> list[Letter]:
    words = [
        ("Docteur Minceur", "promo@regime-eclair.example", "Perdez 12 kilos sans effort avant l'été", "La formule que les diététiciens détestent. Cliquez : http://regime-eclair.example/go"),
        ("Me Albert Koné", "cabinet.kone@succession-express.example", "Héritage non réclamé : 4 500 000 EUR", "Cher bénéficiaire,\n\nUn client décédé sans héritier portait votre nom. Répondez-moi en toute discrétion."),
        ("Casino Grand Soir", "bonus@grand-soir.example", "200 tours gratuits vous attendent !!!", "Inscrivez-vous ce soir et doublez votre mise. http://grand-soir.example/bonus"),
        ("Service colis", "suivi@colis-douane.example", "Votre colis est bloqué en douane : 1,99 EUR", "Réglez les frais sous 12 heures : http://colis-douane.example/payer"),
        ("SEO Champion", "hello@seo-champion.example", "Your website is losing customers", "Hi,\n\nI was just on your website and found 37 errors. Shall I send a quote?"),
    ]  # fmt: skip
    return [
        Letter(
            Contact(name, email),
            (owner,),
            typeset(subject),
            typeset(text) + "\n",
            (now - timedelta(days=1 + 4 * n, hours=n)).replace(microsecond=0),
        )
        for n, (name, email, subject, text) in enumerate(words)
    ]


def _drafts(now: datetime) -> list[Letter]:
    camille, school = (
        Contact("Camille Leroy", f"camille.leroy@{PARENTS}"),
        Contact("Philippe Dumas", "proviseur-adjoint.ampere@ac-rhone.example"),
    )
    return [
        Letter(ALICE, (camille,), "Noël", typeset("Coucou,\n\nPour Noël, je pensais que nous pourrions\n"), (now - timedelta(days=2)).replace(microsecond=0)),
        Letter(
            ALICE,
            (school,),
            "Vœux pour l'année prochaine",
            typeset("Bonjour Philippe,\n\nVoici mes vœux de service :\n\n1. une classe de terminale, spécialité mathématiques ;\n2. \n"),
            (now - timedelta(hours=30)).replace(microsecond=0),
        ),
    ]  # fmt: skip
