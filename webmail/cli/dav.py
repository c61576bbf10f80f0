"""Command line of calendars and contacts: `flask --app wsgi dav trash, restore`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from webmail.cli.values import account_of, printable
from webmail.collections import trash
from webmail.dav.deletion import restore as restoring
from webmail.web.current import settings

dav = AppGroup("dav", help="Calendars and contacts of phones and programs: what they deleted.")


@dav.command("trash")
@click.argument("address")
def list_trash(address: str) -> None:
    """List what devices deleted in the last 30 days: `dav trash alice`."""
    for item in trash.for_user(account_of(address)):
        words = printable(item.title or item.uid)
        click.echo(f"{item.id}  {item.at:%Y-%m-%d %H:%M}  {printable(item.collection_name)}  {words}  {item.by}")


@dav.command("restore")
@click.argument("address")
@click.argument("numbers", nargs=-1, type=int)
def restore(address: str, numbers: tuple[int, ...]) -> None:
    """Bring back all of it, or what has these numbers: `dav restore alice 12 13`."""
    done = restoring.restore(account_of(address), numbers, settings())
    click.echo(
        f"{done.back} brought back" + (f", {done.left} not: they are there again, or there is no room" if done.left else "")
    )
