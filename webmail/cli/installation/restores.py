"""Command line of bringing back: what `deploy/backups`, which as root reads backups, asks of the database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import with_appcontext

from webmail import system_mail
from webmail.errors import BadAddressError, LimitReachedError, UnsafeValueError
from webmail.models import RestoreRequest, User
from webmail.restores import items, requests, restore_texts
from webmail.restores.items import KeptCollection, NothingThereError
from webmail.web.current import settings
from webmail.web.formatting import written_in

_LARGEST = 400_000_000  # characters of all that a calendar or book has; more than any limit of theirs


@click.group("restores")
def restores() -> None:
    """What people asked to have back from a backup; for the unit that carries it out."""


@restores.command("nights")
@with_appcontext
def note_nights() -> None:
    """Read which backups there are from standard input: a line of JSON, [[id, time], ...]."""
    click.echo(requests.note_nights((str(snapshot), _moment(at)) for snapshot, at in _typed()))


@restores.command("next")
@click.option("--first", is_flag=True, help="Give up what was broken off: nothing is being carried out now.")
@with_appcontext
def begin_next(first: bool) -> None:
    """Print the next request as JSON, which is at work from here on; nothing where none waits."""
    if first:
        for row in requests.give_up_begun():
            _tell(row)
    begun = requests.begin_next()
    if begun is not None:
        person = begun.user
        told = {
            "id": begun.id, "snapshot": begun.snapshot, "kind": begun.kind, "what": begun.what, "place": begun.place,
            "address": person.address, "user": person.id, "created": person.created.isoformat(),
        }  # fmt: skip
        click.echo(json.dumps(told))


@restores.command("take")
@click.argument("number", type=int)
@with_appcontext
def take_items(number: int) -> None:
    """Put calendars or books into new ones beside those that are there: standard input has one in each line, as JSON."""
    row = _working(number)
    person = row.user
    try:
        kept = [KeptCollection.from_json(json.loads(line)) for line in sys.stdin.read(_LARGEST).splitlines() if line.strip()]
    except (ValueError, KeyError, TypeError) as error:
        _tell(requests.end(row, problem="broken"))
        raise click.ClickException(f"this is no calendar or book: {error}") from error
    done, problem = items.PutBack(), ""
    with written_in(system_mail.in_language_of(person, settings())):
        words = restore_texts.all_words(row.kind)
        try:
            done = items.put_back(person, kept, lambda title: restore_texts.place_words(title or words, row.night), settings())
        except LimitReachedError:
            problem = "no-room"
        except NothingThereError:
            problem = "not-there"
    place = done.names[0] if len(done.names) == 1 else row.place
    _tell(requests.end(row, number=done.number, left_out=done.left_out, target=place, problem=problem))
    click.echo(problem or f"{done.number} in {len(done.names)}, {done.left_out} left out")


@restores.command("done")
@click.argument("number", type=int)
@click.option("--count", type=int, default=0, help="How many messages came back.")
@click.option("--folder", default="", help="The folder they are in.")
@with_appcontext
def note_done(number: int, count: int, folder: str) -> None:
    """A request was carried out."""
    row = _working(number)
    _tell(requests.end(row, number=count, target=folder))


@restores.command("failed")
@click.argument("number", type=int)
@click.argument("problem", type=click.Choice(["no-room", "not-there", "night-gone", "stopped", "broken"]))
@with_appcontext
def note_failed(number: int, problem: str) -> None:
    """A request can't be carried out."""
    row = _working(number)
    _tell(requests.end(row, problem=problem))


def _working(number: int) -> RestoreRequest:
    row = requests.working(number)
    if row is None:
        raise click.ClickException(f"request {number} is not at work")
    return row


def _typed() -> Iterable[Any]:
    try:
        found = json.loads(sys.stdin.read(1_000_000))
    except ValueError as error:
        raise click.ClickException(f"standard input is no JSON: {error}") from error
    if not isinstance(found, list) or not all(isinstance(one, list) and len(one) == 2 for one in found):
        raise click.ClickException("standard input is no list of pairs")
    return found


def _moment(text: Any) -> datetime:
    """UTC, as tables have it, of a time with its zone."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise click.ClickException(f"{text!r} is no time") from error
    return at.astimezone(UTC).replace(tzinfo=None, microsecond=0)


def _tell(row: RestoreRequest | None) -> None:
    """How it ended, by email where the establishment writes any; the page tells it in any case."""
    if row is None or not settings().system_address:
        return
    person: User = row.user
    language = system_mail.in_language_of(person, settings())
    with written_in(language):
        subject, body = restore_texts.letter(row, settings().name)
    try:
        system_mail.send(person.address, "restored", subject, body, language, str(row.id))
    except (BadAddressError, UnsafeValueError):
        return  # an address that no mail can be sent to
