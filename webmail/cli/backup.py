"""Command line: `flask --app wsgi backup FILE`, and noting that there is one, for the doctor."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from webmail.database.backup import NoBackupError, copy_to
from webmail.doctor import backup as doctor_backup
from webmail.tasks import heartbeat


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--made-elsewhere", is_flag=True, help="Copy nothing: note that another program, such as pg_dump, has just made one."
)
@with_appcontext
def backup(file: Path | None, made_elsewhere: bool) -> None:
    """Back up the database to FILE while Traboule runs. An older FILE is replaced only once the new copy is complete."""
    if (file is None) is not made_elsewhere:
        raise click.UsageError("Name a FILE, or say --made-elsewhere.")
    if file is not None:
        try:
            click.echo(f"{file}: {copy_to(file)} bytes, checked")
        except NoBackupError as error:
            raise click.ClickException(str(error)) from error
    heartbeat.note(doctor_backup.NOTE)
