"""Quick entry: 120 phrases, said on Friday 27 November 2026 at ten in the morning, and what they mean."""

from __future__ import annotations

import random
import time
from datetime import datetime

import pytest

from webmail.calendar.quick_entry.quick_entry import LONGEST, Understood, read
from webmail.calendar.repeat import Repeat

NOW = datetime(2026, 11, 27, 10)  # a Friday
_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")


def told(found: Understood) -> str:
    """What was understood in one line: when | title | place | how it repeats | remarks."""
    start, end = found.start, found.end
    if not isinstance(start, datetime):
        when = f"{start}" if end == start else f"{start}..{end}"
    else:
        assert isinstance(end, datetime)
        when = f"{start:%Y-%m-%d %H:%M}-{end:%H:%M}" + (
            f" +{(end.date() - start.date()).days}" if end.date() > start.date() else ""
        )
    parts = [when, found.title, found.place, _repeat(found.repeat), ",".join(found.remarks)]
    return "|".join(parts).rstrip("|")


def _repeat(one: Repeat) -> str:
    if not one.kind:
        return ""
    days = "+".join(_DAYS[day] for day in one.days)
    return " ".join(filter(None, [
        one.kind, days, f"/{one.every}" if one.every > 1 else "", f"x{one.times}" if one.times else "",
        f"until {one.until}" if one.until else ""]))  # fmt: skip


FRENCH = {
    "conseil de classe jeudi 17h-19h salle 12": "2026-12-03 17:00-19:00|conseil de classe|salle 12",
    "demain midi déjeuner avec Paul": "2026-11-28 12:00-13:00|déjeuner avec Paul",
    "du 3 au 7 mars stage": "2027-03-03..2027-03-07|stage|||next-year",
    "anniversaire le 14 juillet": "2027-07-14|anniversaire||yearly|next-year",
    "réunion tous les lundis à 8h30 jusqu'au 30 juin": "2026-11-30 08:30-09:30|réunion||weekly mo until 2027-06-30",
    "réunion parents-profs mardi 8 décembre de 18h à 20h30 au gymnase": "2026-12-08 18:00-20:30|réunion parents-profs|gymnase",
    "Dentiste lundi 14h": "2026-11-30 14:00-15:00|Dentiste",
    "Dentiste vendredi 14h": "2026-11-27 14:00-15:00|Dentiste",
    "Dentiste vendredi 9h": "2026-12-04 09:00-10:00|Dentiste|||next-week",
    "Dentiste vendredi prochain 14h": "2026-12-04 14:00-15:00|Dentiste",
    "Sortie au musée le 12 janvier": "2027-01-12|Sortie au musée|musée||next-year",
    "vacances du 19 décembre au 3 janvier": "2026-12-19..2027-01-03|vacances",
    "examen blanc 15/12 8h-12h": "2026-12-15 08:00-12:00|examen blanc",
    "examen blanc 15/12/2026 8h-12h": "2026-12-15 08:00-12:00|examen blanc",
    "2026-12-24 réveillon à 20h": "2026-12-24 20:00-21:00|réveillon",
    "appeler Mme Durand à 16h15": "2026-11-27 16:15-17:15|appeler Mme Durand",
    "appeler Mme Durand à 9h": "2026-11-28 09:00-10:00|appeler Mme Durand|||tomorrow",
    "point d'équipe demain matin": "2026-11-28 09:00-10:00|point d'équipe",
    "piscine mercredi après-midi": "2026-12-02 14:00-15:00|piscine",
    "cinéma samedi soir": "2026-11-28 19:00-20:00|cinéma",
    "cinéma ce soir à 21h": "2026-11-27 21:00-22:00|cinéma",
    "réunion dans 3 jours à 10h": "2026-11-30 10:00-11:00|réunion",
    "contrôle dans deux semaines": "2026-12-11|contrôle",
    "rentrée la semaine prochaine": "2026-11-30|rentrée",
    "après-demain 10h30 visite médicale": "2026-11-29 10:30-11:30|visite médicale",
    "aujourd'hui 18h chorale": "2026-11-27 18:00-19:00|chorale",
    "chorale tous les mardis de 18h à 19h30": "2026-12-01 18:00-19:30|chorale||weekly tu",
    "permanence tous les mardis et jeudis 17h": "2026-12-01 17:00-18:00|permanence||weekly tu+th",
    "permanence chaque mercredi 13h-14h salle B204": "2026-12-02 13:00-14:00|permanence|salle B204|weekly we",
    "soutien un lundi sur deux à 17h": "2026-11-30 17:00-18:00|soutien||weekly mo /2",
    "café tous les jours à 10h": "2026-11-28 10:00-11:00|café||daily",
    "accueil tous les jours ouvrés 7h45": "2026-11-30 07:45-08:45|accueil||weekdays",
    "bilan tous les mois le 5 à 9h": "2026-12-05 09:00-10:00|bilan||monthly",
    "conseil d'administration le premier jeudi de chaque mois 18h": "2026-12-03 18:00-19:00|conseil d'administration||monthly-day",
    "bilan chaque dernier vendredi du mois à 16h": "2026-11-27 16:00-17:00|bilan||monthly-last",
    "fête de l'école tous les ans le 20 juin": "2027-06-20|fête de l'école||yearly|next-year",
    "yoga toutes les deux semaines mardi 19h": "2026-12-01 19:00-20:00|yoga||weekly /2",
    "latin tous les jeudis 8h 10 fois": "2026-12-03 08:00-09:00|latin||weekly th x10",
    "latin tous les jeudis à 8h jusqu'en juin": "2026-12-03 08:00-09:00|latin||weekly th until 2027-06-30",
    "latin tous les jeudis à 8h jusqu'à fin mars": "2026-12-03 08:00-09:00|latin||weekly th until 2027-03-31",
    "entretien pendant 45 min lundi 10h": "2026-11-30 10:00-10:45|entretien",
    "entretien lundi à 10 heures pendant 1h30": "2026-11-30 10:00-11:30|entretien",
    "oral lundi 10h pendant une demi-heure": "2026-11-30 10:00-10:30|oral",
    "voyage à Rome du 12 au 16 avril 2027": "2027-04-12..2027-04-16|voyage à Rome|Rome",
    "voyage du 28 février au 3 mars": "2027-02-28..2027-03-03|voyage|||next-year",
    "formation du lundi 30 novembre au mercredi 2 décembre": "2026-11-30..2026-12-02|formation",
    "formation lundi de 9 h à 17 h": "2026-11-30 09:00-17:00|formation",
    "formation lundi 9-17h": "2026-11-30 09:00-17:00|formation",
    "veille de nuit samedi 22h-6h": "2026-11-28 22:00-06:00 +1|veille de nuit",
    "dîner chez Paul samedi 20h": "2026-11-28 20:00-21:00|dîner|Paul",
    "rendez-vous à Lyon mardi 9h": "2026-12-01 09:00-10:00|rendez-vous|Lyon",
    "Salle 104 : réunion de rentrée lundi à 8h": "2026-11-30 08:00-09:00|réunion de rentrée|Salle 104",
    "réunion le 1er décembre à midi": "2026-12-01 12:00-13:00|réunion",
    "journée portes ouvertes samedi 5 décembre toute la journée": "2026-12-05|journée portes ouvertes",
    "conférence le 3 décembre à 18h30 @ Mairie du 5e": "2026-12-03 18:30-19:30|conférence|Mairie du 5e",
    "rendre les notes le 14": "2026-12-14|rendre les notes",
    "stage dans 2 semaines pendant 3 jours": "2026-12-11..2026-12-13|stage",
    "Réunion CVL": "2026-11-27|Réunion CVL|||no-date",
    "bal le 30 février": "2026-11-27|bal le 30 février|||no-date",
    "fête nationale 14 juillet 2020": "2020-07-14|fête nationale|||past",
}

ENGLISH = {
    "every Tuesday 9am until June": "2026-12-01 09:00-10:00|||weekly tu until 2027-06-30",
    "lunch tomorrow 12:30 for 45 min at Café X": "2026-11-28 12:30-13:15|lunch|Café X",
    "staff meeting Thursday 5-7pm room 12": "2026-12-03 17:00-19:00|staff meeting|room 12",
    "dentist on Monday at 3": "2026-11-30 15:00-16:00|dentist",
    "dentist on Monday at 10": "2026-11-30 10:00-11:00|dentist",
    "dentist Friday 2pm": "2026-11-27 14:00-15:00|dentist",
    "dentist Friday 9am": "2026-12-04 09:00-10:00|dentist|||next-week",
    "call Paul at 4:15pm": "2026-11-27 16:15-17:15|call Paul",
    "call Paul at 9am": "2026-11-28 09:00-10:00|call Paul|||tomorrow",
    "team update every weekday at 9am": "2026-11-30 09:00-10:00|team update||weekdays",
    "choir every Monday and Thursday 6pm-7:30pm": "2026-11-30 18:00-19:30|choir||weekly mo+th",
    "choir on Tuesdays at 6pm": "2026-12-01 18:00-19:00|choir||weekly tu",
    "tutoring every other Wednesday 2pm": "2026-12-02 14:00-15:00|tutoring||weekly we /2",
    "payroll every month on the 28th": "2026-11-28|payroll||monthly",
    "board meeting on the first Monday of every month at 6pm": "2026-12-07 18:00-19:00|board meeting||monthly-day",
    "review every last Friday of the month 4pm": "2026-11-27 16:00-17:00|review||monthly-last",
    "Anna's birthday 3 March": "2027-03-03|Anna's birthday||yearly|next-year",
    "birthday party 3 March 2pm": "2027-03-03 14:00-15:00|birthday party|||next-year",
    "holiday from 20 December to 3 January": "2026-12-20..2027-01-03|holiday",
    "holiday Dec 20 - Jan 3": "2026-12-20..2027-01-03|holiday",
    "trip to Rome April 12-16": "2027-04-12..2027-04-16|trip to Rome|Rome||next-year",
    "work placement 3-7 March": "2027-03-03..2027-03-07|work placement|||next-year",
    "exam 15/12 8am-12pm": "2026-12-15 08:00-12:00|exam",
    "exam on 15/12/2026 from 8 to 12": "2026-12-15 08:00-12:00|exam",
    "exam 2026-12-15 14:00-16:00": "2026-12-15 14:00-16:00|exam",
    "July 14th fireworks 10pm": "2027-07-14 22:00-23:00|fireworks|||next-year",
    "fireworks on the 14th of July": "2027-07-14|fireworks|||next-year",
    "fireworks July 14, 2027": "2027-07-14|fireworks",
    "conference in 3 weeks": "2026-12-18|conference",
    "follow up in two days at 11am": "2026-11-29 11:00-12:00|follow up",
    "planning next week": "2026-11-30|planning",
    "planning next Thursday 10am": "2026-12-03 10:00-11:00|planning",
    "planning this Thursday 10am": "2026-12-03 10:00-11:00|planning",
    "swimming tomorrow morning": "2026-11-28 09:00-10:00|swimming",
    "film on Saturday evening": "2026-11-28 19:00-20:00|film",
    "film this evening at 8pm": "2026-11-27 20:00-21:00|film",
    "coffee with Anna today noon": "2026-11-27 12:00-13:00|coffee with Anna",
    "party Saturday 8pm-2am": "2026-11-28 20:00-02:00 +1|party",
    "interview Monday 11-1pm": "2026-11-30 11:00-13:00|interview",
    "interview Monday 9am to 5": "2026-11-30 09:00-17:00|interview",
    "interview between 2 and 4 pm on Monday": "2026-11-30 14:00-16:00|interview",
    "interview Monday 10am for half an hour": "2026-11-30 10:00-10:30|interview",
    "interview Monday 10am for 2 hours": "2026-11-30 10:00-12:00|interview",
    "workshop for 3 days from 7 December": "2026-12-07..2026-12-09|workshop",
    "open day Saturday 5 December all day": "2026-12-05|open day",
    "Latin every Thursday 8am 10 times": "2026-12-03 08:00-09:00|Latin||weekly th x10",
    "Latin every Thursday 8am for 6 weeks": "2026-12-03 08:00-09:00|Latin||weekly th until 2027-01-07",
    "Latin every Thursday 8am until 30 June 2027": "2026-12-03 08:00-09:00|Latin||weekly th until 2027-06-30",
    "stand-up daily 9:15am": "2026-11-28 09:15-10:15|stand-up||daily",
    "bins every 2 weeks on Monday": "2026-11-30|bins||weekly /2",
    "insurance every year on 1 February": "2027-02-01|insurance||yearly|next-year",
    "meeting in the staff room Monday 9am": "2026-11-30 09:00-10:00|meeting|staff room",
    "meeting at the library on 3 December 9:30am": "2026-12-03 09:30-10:30|meeting|library",
    "meeting in Lyon with Bob Monday 9am": "2026-11-30 09:00-10:00|meeting with Bob|Lyon",
    "meeting @ Town hall Monday 17:00": "2026-11-30 17:00-18:00|meeting|Town hall",
    "the day after tomorrow 10.30am doctor": "2026-11-29 10:30-11:30|doctor",
    "parents' evening Tuesday 8 December 6pm to 8:30pm": "2026-12-08 18:00-20:30|parents' evening",
    "Read chapter 3": "2026-11-27|Read chapter 3|||no-date",
    "ball on 31 April": "2026-11-27|ball on 31 April|||no-date",
    "old fair 14 July 2020": "2020-07-14|old fair|||past",
}


@pytest.mark.parametrize(
    ("text", "language", "title", "place"),
    [
        ("Sortie scolaire au théâtre lundi 14h", "fr", "Sortie scolaire au théâtre", "théâtre"),
        ("visite de la classe à Lyon avec Paul demain", "fr", "visite de la classe à Lyon avec Paul", "Lyon"),
        ("Sortie @ Louvre lundi", "fr", "Sortie", "Louvre"),
        ("sortie lieu : Louvre", "fr", "sortie", "Louvre"),
        ("sortie salle 12 lundi", "fr", "sortie", "salle 12"),
        ("réunion au musée lundi", "fr", "réunion", "musée"),
        ("Trip to the museum on Monday", "en", "Trip to the museum", "museum"),
        ("visit in Lyon on Monday", "en", "visit in Lyon", "Lyon"),
        ("talk to Anna on Monday", "en", "talk to Anna", ""),
        ("lunch at Flo on Monday", "en", "lunch", "Flo"),
    ],
)
def test_a_place_stays_in_the_title_of_going_there(text, language, title, place):
    found = read(text, NOW, language)
    assert (found.title, found.place) == (title, place)


def test_there_are_enough():
    assert len(FRENCH) == len(ENGLISH) == 60


@pytest.mark.parametrize(("words", "means"), FRENCH.items())
def test_french(words, means):
    assert told(read(words, NOW, "fr")) == means


@pytest.mark.parametrize(("words", "means"), ENGLISH.items())
def test_english(words, means):
    assert told(read(words, NOW, "en")) == means


def test_the_letter_of_a_class_stays_in_the_title():
    assert told(read("Cours 1re A lundi 9h-11h", NOW, "fr")) == "2026-11-30 09:00-11:00|Cours 1re A"
    assert told(read("Cours 1re A 9h lundi", NOW, "fr")).endswith("|Cours 1re A")
    assert told(read("Cours 1re à 9h lundi", NOW, "fr")).endswith("|Cours 1re")


@pytest.mark.parametrize("words", [*list(FRENCH)[:12], *list(ENGLISH)[:4]])
def test_the_other_language_is_understood_too(words):
    assert read(words, NOW, "fr").start == read(words, NOW, "en").start


@pytest.mark.parametrize("words", ["", " ", "\0", "-" * 5000, "99h99", "le 99/99/9999", "31/12/9999 23h30", "du 31 au 30 mars", "every 999 days", "٣٠ يونيو",
                                   "tous les " * 90, "1" * 300, "à" * 300, "jusqu'au " * 40, "at At At At", "29 février 2027 25:61"])  # fmt: skip
def test_anything_is_read_without_a_fault_and_at_once(words):
    begun = time.process_time()
    found = read(words, NOW, "fr")
    assert time.process_time() - begun < 0.5 and len(found.title) <= LONGEST and found.end >= found.start


def test_words_in_any_order_never_fail():
    chance = random.Random(19)
    words = [word for phrase in (*FRENCH, *ENGLISH) for word in phrase.split()]
    for _try in range(150):
        found = read(" ".join(chance.choices(words, k=chance.randint(1, 12))), NOW, chance.choice(["fr", "en"]))
        assert found.end >= found.start
