"""Command line of files: `flask --app wsgi storage move --to s3` copies what is on disk to the bucket, `--to disk` back."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from webmail.cli.values import printable
from webmail.errors import MailError
from webmail.storage import moving
from webmail.storage.moving import MovedFiles
from webmail.web.current import settings

_EVERY = 100  # files, after which a line tells how far it is


@click.group("storage")
def storage() -> None:
    """Where files are kept."""


@storage.command("move")
@click.option("--to", "where", type=click.Choice(["s3", "disk"]), required=True, help="Where all files are to be afterwards.")
@click.option("--delete", is_flag=True, help="Delete each where it was, once `storage` in config.toml leads elsewhere.")
@with_appcontext
def move(where: str, delete: bool) -> None:
    """Copy all files to the bucket, or back to disk. Only what is missing there: it can be stopped and run again."""
    bucket = settings().s3
    if bucket is None:
        raise click.ClickException("there is no bucket: write the table [s3] in config.toml")
    if delete and settings().storage != where:
        raise click.ClickException(f'--delete is for after the move: set storage = "{where}" first, and start the services anew')
    for area in moving.AREAS:
        try:
            moved = moving.move(area, settings(), bucket, back=where == "disk", delete=delete, tell=_tell)
        except MailError as error:
            raise click.ClickException(f"{area} stopped: {printable(str(error))}. Run it again") from error
        click.echo(_moved_text(moved))
    if settings().storage == where:
        click.echo(f'storage = "{where}" is set already: all is done')
    else:
        click.echo(f'now stop the services, run this once more, set storage = "{where}", and start them')


def _tell(moved: MovedFiles) -> None:
    if (moved.copied + moved.there) % _EVERY == 0:
        click.echo(f"  {_moved_text(moved)} so far")


def _moved_text(moved: MovedFiles) -> str:
    gone = f", {moved.deleted} deleted where they were" if moved.deleted else ""
    return f"{moved.area}: {moved.copied} files copied ({moved.size / 1024**2:.1f} MB), {moved.there} were there{gone}"
