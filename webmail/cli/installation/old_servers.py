"""Command line of what comes from other servers: `flask --app wsgi import roundcube FILE`."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from webmail.admin.imports import roundcube as old
from webmail.auth import account_management
from webmail.auth.sign_in.names import normalise
from webmail.cli.installation.old_files import import_files
from webmail.cli.installation.old_filters import import_filters
from webmail.cli.installation.old_mail import import_mail
from webmail.cli.values import address_of, printable
from webmail.errors import LimitReachedError
from webmail.web.current import settings


@click.group("import")
def import_from() -> None:
    """Bring over what people have on another server. Again and again: a later run brings the difference."""


import_from.add_command(import_mail)
import_from.add_command(import_filters)
import_from.add_command(import_files)


@import_from.command("roundcube")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--only", default="", help="One person alone, by their address.")
@with_appcontext
def from_roundcube(file: Path, only: str) -> None:
    """Contacts, identities and signatures out of a copy of Roundcube's SQLite database, for accounts that are here already."""
    wanted = address_of(only) if only else ""
    try:
        source = old.RoundcubeFile(file)
    except old.NoRoundcubeError as error:
        raise click.ClickException(f"{file} is no database of Roundcube's: {printable(str(error))}") from error
    absent = full = 0
    for number, name in source.people():
        address = normalise(name, settings().domain)
        if wanted and address != wanted:
            continue
        user = account_management.find(address, settings().domain) if address else None
        if user is None:
            absent += 1
            click.echo(f"{printable(name)}: there is no such account here")
            continue
        try:
            done = old.bring_over(source, number, user, settings())
        except LimitReachedError:
            full += 1
            click.echo(f"{user.address}: too many contacts")
            continue
        click.echo(
            f"{user.address}: contacts {done.contacts} new, {done.completed} completed; identities {done.identities}; "
            f"signatures {done.signatures}; {done.refused} identities refused"
        )
    source.close()
    if absent or full:
        raise click.ClickException(f"{absent} have no account here, {full} have too many contacts; type it again after that")
