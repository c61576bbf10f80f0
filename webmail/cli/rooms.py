"""Command line of rooms and things: `flask --app wsgi rooms list, add, delete`. The page /admin/rooms does the same and more."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from webmail.calendar.rooms import resources
from webmail.calendar.rooms.resources import AddressTakenError, RoomDescription, RoomNameTakenError, UnusableRoomError
from webmail.cli.audit import noted
from webmail.cli.values import account_of, printable
from webmail.models import AuditAct
from webmail.people import groups as people_groups
from webmail.web.current import settings

rooms = AppGroup("rooms", help="Rooms and things that people book with an event.")


@rooms.command("list")
def list_rooms() -> None:
    """List them: address, kind, seats, name, site."""
    found = resources.listed()
    for one in found:
        click.echo(f"{one.address}\t{one.kind}\t{one.capacity}\t{printable(one.name)}\t{printable(one.site)}".rstrip())
    if not found:
        click.echo("No rooms yet.")


@rooms.command("add")
@click.argument("name")
@click.option("--thing", is_flag=True, help="A thing, not a room.")
@click.option("--address", default="", help="By which events invite it, if not one made from the name.")
@click.option("--seats", type=click.IntRange(0, 100_000), default=0)
@click.option("--count", type=click.IntRange(1, 1000), default=1, help="How many there are that are alike.")
@click.option("--site", default="")
@click.option("--has", "equipment", multiple=True, help="What it has, such as a projector. May be repeated.")
@click.option("--group", "names", multiple=True, help="Only people of this group may book it. May be repeated.")
@click.option("--days-ahead", type=click.IntRange(0, 3650), default=0, help="How long before it can be booked at most.")
@click.option("--hours-notice", type=click.IntRange(0, 8760), default=0, help="How long before at least.")
@click.option("--longest", type=click.IntRange(0, 527_040), default=0, help="Minutes of a booking.")
@click.option("--approval", is_flag=True, help="An administrator has to agree, or --approver.")
@click.option("--approver", default="", help="Who has to agree: an account.")
def add_room(
    name: str, thing: bool, address: str, seats: int, count: int, site: str, equipment: tuple[str, ...], names: tuple[str, ...],
    days_ahead: int, hours_notice: int, longest: int, approval: bool, approver: str,
) -> None:  # fmt: skip
    """Add a room: `rooms add "Room 101" --seats 30 --has projector`."""
    domain = settings().domain.lower()
    if not domain and not address:
        raise click.ClickException("which address? Use --address, or set `domain` in the settings")
    described = RoomDescription(
        name.strip(), "thing" if thing else "room", address, seats, count, equipment, site.strip()[:200], _groups(names, domain),
        days_ahead, hours_notice, longest, approval or bool(approver), account_of(approver) if approver else None,
    )  # fmt: skip
    try:
        saved = resources.save(described, domain)
    except AddressTakenError as error:
        raise click.ClickException(f"{error} is in use: by an account or another room") from error
    except RoomNameTakenError as error:
        raise click.ClickException(f"another one is called {printable(str(error))} at this site") from error
    except UnusableRoomError as error:
        raise click.ClickException(f"this {error} can't be used") from error
    noted(AuditAct.ROOM_CHANGED, saved.address, change="made")
    click.echo(f"{printable(saved.name)}: events invite it as {saved.address}")


def _groups(names: tuple[str, ...], domain: str) -> tuple[str, ...]:
    try:
        return tuple(people_groups.find(domain, name).identifier for name in names)
    except people_groups.NoSuchGroupError as error:
        raise click.ClickException(f"there is no group {error}") from error


@rooms.command("delete")
@click.argument("address")
def delete_room(address: str) -> None:
    """Delete a room with its bookings. The events stay."""
    found = resources.by_address([address])
    for one in found.values():
        resources.delete(one)
        noted(AuditAct.ROOM_CHANGED, one.address, change="deleted")
        click.echo(f"deleted {printable(one.name)}")
    if not found:
        raise click.ClickException(f"no room has the address {address}")
