"""Command line of moving: `flask --app wsgi move sqlite-to-postgresql ADDRESS` and `move postgresql-to-sqlite FILE`."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from webmail.cli.values import printable
from webmail.database.connection import Postgresql, db
from webmail.database.moving import MoveError
from webmail.database.moving import move as move_rows
from webmail.tasks import heartbeat


@click.group("move")
def move() -> None:
    """Move the database to another program."""


@move.command("sqlite-to-postgresql")
@click.argument("address")
@with_appcontext
def to_postgresql(address: str) -> None:
    """Copy everything from the SQLite file into a new database of PostgreSQL, such as postgresql:///traboule?host=/run/postgresql

    All or nothing, counted and compared; the file stays as it is. Stop the services first."""
    if isinstance(db.obj, Postgresql):
        raise click.ClickException("the database is in PostgreSQL already")
    _move(address)


@move.command("postgresql-to-sqlite")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def to_sqlite(file: Path) -> None:
    """Copy everything from PostgreSQL into a new SQLite FILE.

    All or nothing, counted and compared; PostgreSQL's stays as it is. Stop the services first."""
    if not isinstance(db.obj, Postgresql):
        raise click.ClickException("the database is a file of SQLite already")
    if not file.absolute().parent.is_dir():
        raise click.ClickException(f"there is no folder {file.absolute().parent}")
    _move(f"sqlite:///{file.absolute()}")


def _move(target: str) -> None:
    if heartbeat.is_alive(heartbeat.last_seen()):
        raise click.ClickException(
            "a worker is at work, and what it writes would be left behind: stop the services first "
            "(one that was killed counts as alive for 75 seconds)"
        )
    try:
        found = move_rows(target, lambda words: click.echo(f"  {words}"))
    except MoveError as error:
        raise click.ClickException(f"nothing was moved: {printable(str(error))}") from error
    rows = sum(table.rows for table in found.values())
    click.echo(f"{len(found)} tables, {rows} rows: the same on both sides, counted and compared")
    click.echo(f'now set database_url = "{target}" in config.toml, for the mail servers too, and start the services')
