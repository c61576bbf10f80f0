"""Birthdays: a calendar that only we write, from the birthdays of a person's contacts, in step with them.

A changed card changes the calendar in the same transaction. What was there before is filled in by a worker, piece by piece; both
lock the person's row of BirthdayCalendar, so that the later one knows the card of now.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import peewee as pw

from webmail import preferences
from webmail.calendar import objects
from webmail.calendar.search_words import words_of
from webmail.collections import store as collections
from webmail.config.settings import Settings
from webmail.contacts.card_changes import CardChange
from webmail.contacts.store import INDIVIDUAL
from webmail.database.connection import db
from webmail.mime.formats.calendars import birthday_event
from webmail.models import FOR_EVER, BirthdayCalendar, CalendarObject, Collection, Contact, User, now

DERIVED = "birthdays"
_NAMES = {"": "Birthdays", "fr": "Anniversaires"}  # by language: no request says it here
_COLOUR = "#cc4f9b"
_PIECE = 100  # contacts at a time
_CHUNK = 500
_AT_ONCE = 500  # people who are looked at for the first time in one sweep

Wanted = Mapping[str, tuple[str, str]]  # `uid` of a contact -> name and birthday, "" for none


def follow(changes: Sequence[CardChange]) -> None:
    """Bring the calendars of the contacts' owners in step, in the transaction that changes the cards."""
    by_owner: dict[int, dict[str, tuple[str, str]]] = {}
    for one in changes:
        day = birthday_event.birthday_of(one.after)
        if day or birthday_event.birthday_of(one.before):
            by_owner.setdefault(one.owner, {})[one.uid] = (one.name, day)
    for owner, wanted in sorted(by_owner.items()):
        if (state := _locked(owner)) is not None and state.wanted:
            _apply(state, wanted)


def _locked(owner: int) -> BirthdayCalendar | None:
    """What is known of this person (by `id`), locked for others until the transaction ends. None: not looked at yet."""
    if not BirthdayCalendar.update(upto=BirthdayCalendar.upto).where(BirthdayCalendar.user == owner).execute():
        return None
    return BirthdayCalendar.get(BirthdayCalendar.user == owner)


def _apply(state: BirthdayCalendar, wanted: Wanted) -> None:
    """Write the events of these contacts; those that are right already stay untouched."""
    if state.collection_id is None:
        if not any(day for _name, day in wanted.values()):
            return
        _make(state)
    assert state.collection_id is not None
    there = _there(state.collection_id, list(wanted))
    gone = [row for uid, row in there.items() if not wanted[uid][1]]
    events = {
        uid: birthday_event.event(f"birthday-{uid}", name, day, state.language) for uid, (name, day) in wanted.items() if day
    }
    etags = {uid: hashlib.sha256(text.encode()).hexdigest() for uid, text in events.items()}
    other = [uid for uid in events if uid not in there or there[uid].etag != etags[uid]]
    if gone:
        objects.take_out(state.collection_id, gone)
    if not other:
        return
    replaced = [there[uid] for uid in other if uid in there]
    size = collections.sizes(events[uid] for uid in other) - sum(row.size for row in replaced)
    seq = collections.changed(state.collection_id, count=len(other) - len(replaced), size=size)
    _delete([row.id for row in replaced])
    at = int(time.time())
    start, end = objects.indexed(at)
    rows, times = [], {}
    for uid in other:
        expanded = birthday_event.expansion(*wanted[uid], state.language, start, end)
        times[_href(uid)] = expanded.takings
        rows.append(
            {
                "collection": state.collection_id, "href": _href(uid), "uid": f"birthday-{uid}", "component": "VEVENT",
                "etag": etags[uid], "size": len(events[uid].encode()), "first": expanded.first, "last": expanded.last,
                "recurring": 1, "busy": 0, "indexed_from": start, "indexed_until": end, "seq": seq, "text": events[uid],
                "words": words_of(events[uid]), "modified": now(), "created": there[uid].created if uid in there else now(),
            }
        )  # fmt: skip
    for piece in range(0, len(rows), 50):
        CalendarObject.insert_many(rows[piece : piece + 50]).execute()
    hrefs = list(times)
    for piece in range(0, len(hrefs), _CHUNK):
        some: Any = CalendarObject.select(CalendarObject.id, CalendarObject.href).where(
            CalendarObject.collection == state.collection_id, CalendarObject.href.in_(hrefs[piece : piece + _CHUNK])
        )
        objects.add_takings(state.collection_id, [(number, one) for number, href in some.tuples() for one in times[href]])
    collections.there(state.collection_id, hrefs)


def _href(uid: str) -> str:
    return f"{uid}.ics"


def _there(calendar: int, uids: Sequence[str]) -> dict[str, CalendarObject]:
    """The events of these contacts, without their texts."""
    fields = (CalendarObject.id, CalendarObject.href, CalendarObject.etag, CalendarObject.size, CalendarObject.created)
    found: dict[str, CalendarObject] = {}
    for at in range(0, len(uids), _CHUNK):
        named = CalendarObject.href.in_([_href(uid) for uid in uids[at : at + _CHUNK]])
        rows = CalendarObject.select(*fields).where(CalendarObject.collection == calendar, named)
        found |= {row.href.removesuffix(".ics"): row for row in rows}
    return found


def _delete(ids: Sequence[int]) -> None:
    for at in range(0, len(ids), _CHUNK):
        CalendarObject.delete().where(CalendarObject.id.in_(ids[at : at + _CHUNK])).execute()


def _make(state: BirthdayCalendar) -> None:
    props = {collections.NAME: _name(state.language), "ICAL:calendar-color": _COLOUR}
    row = collections.derived(state.user_id, DERIVED, collections.CALENDAR, "VEVENT", json.dumps(props), DERIVED)
    state.collection = row
    BirthdayCalendar.update(collection=row).where(BirthdayCalendar.id == state.id).execute()


def _name(language: str) -> str:
    return _NAMES.get(language, _NAMES[""])


# --- what was there before, and what a person chooses ----------------------------------------------------------------


def choose(user: User, wanted: bool, language: str) -> None:
    """Have the calendar, which a worker fills, or have none any more."""
    with db.atomic():
        state = _begun(user, language)
        if not wanted and state.collection_id is not None:
            collections.delete(state.collection_id, derived=DERIVED)
        values: dict[str, Any] = {"wanted": int(wanted), "upto": 0} | ({} if wanted else {"collection": None})
        BirthdayCalendar.update(**values).where(BirthdayCalendar.id == state.id).execute()


def _begun(user: User, language: str) -> BirthdayCalendar:
    """The person's row, locked. It is made with all their books locked: whoever changes a card meanwhile knows of it, or has
    changed the card already."""
    if (state := _locked(user.id)) is not None:
        return state
    books: Any = Collection.select(Collection.id).where(Collection.user == user, Collection.kind == collections.BOOK).tuples()
    collections.lock([number for (number,) in books])
    values = {"language": language, "wanted": int(preferences.for_user(user).birthdays)}
    return BirthdayCalendar.get_or_create(user=user, defaults=values)[0]


def sweep(settings: Settings) -> int:
    """Look at people whose contacts nobody looked at for birthdays yet, go on with what is not whole, and say it in another
    language where somebody chose one. Short transactions; returns how many events were looked at."""
    for user in list(_new_people().order_by(User.id).limit(_AT_ONCE)):
        with db.atomic():
            _begun(user, user.language or settings.language)
    _speak_anew(settings)
    return sum(fill(owner) for (owner,) in list(_unfinished().tuples()))


def pending(settings: Settings) -> list[pw.Query]:
    """What `sweep` looks at."""
    return [_new_people(), _speak_otherwise(settings), _unfinished()]


def _new_people() -> Any:
    met = BirthdayCalendar.select().where(BirthdayCalendar.user == User.id)
    return User.select().where(User.active == 1, ~pw.fn.EXISTS(met))


def _unfinished() -> Any:
    return BirthdayCalendar.select(BirthdayCalendar.user).where(BirthdayCalendar.upto < FOR_EVER, BirthdayCalendar.wanted == 1)


def _speak_otherwise(settings: Settings) -> Any:
    speaks = pw.Case(None, [(User.language == "", settings.language)], User.language)
    return BirthdayCalendar.select(BirthdayCalendar.user, User.language).join(User).where(BirthdayCalendar.language != speaks)


def fill(owner: int) -> int:
    """Put the birthdays of all contacts of this person (by `id`) in their calendar; returns how many."""
    count, going = 0, True
    while going:
        with db.atomic():
            state = _locked(owner)
            if state is None or not state.wanted or state.upto >= FOR_EVER:
                return count
            rows = list(
                Contact.select(Contact.id, Contact.uid, Contact.name, Contact.vcard)
                .where(Contact.user == owner, Contact.id > state.upto, Contact.kind == INDIVIDUAL, Contact.vcard.contains("BDAY"))
                .order_by(Contact.id)
                .limit(_PIECE)
            )
            wanted = {row.uid: (row.name, birthday_event.birthday_of(row.vcard)) for row in rows}
            _apply(state, wanted)
            going = len(rows) == _PIECE
            upto = rows[-1].id if going else FOR_EVER
            BirthdayCalendar.update(upto=upto).where(BirthdayCalendar.id == state.id).execute()
            count += sum(bool(day) for _name, day in wanted.values())
    return count


def _speak_anew(settings: Settings) -> None:
    """Have the words written anew of those who have chosen another language since."""
    for owner, language in list(_speak_otherwise(settings).tuples()):
        with db.atomic():
            state = _locked(owner)
            if state is None:
                continue
            if state.collection_id is not None:
                _rename(state.collection_id, state.language, language)
            values = {"language": language, "upto": 0}
            BirthdayCalendar.update(**values).where(BirthdayCalendar.id == state.id).execute()


def _rename(calendar: int, before: str, language: str) -> None:
    row = Collection.get_by_id(calendar)
    props = json.loads(row.props)
    if props.get(collections.NAME) == _name(before):
        props[collections.NAME] = _name(language)
        collections.set_props(calendar, props, modified=now())
