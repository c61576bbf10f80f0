"""Command line of calendars and contacts in bulk: `import files FOLDER`, of what another server exported for each person."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from webmail.admin.imports import old_files
from webmail.admin.imports.old_files import FilesReport, OldFileError
from webmail.auth import account_management
from webmail.auth.sign_in.names import normalise
from webmail.cli.values import address_of, printable
from webmail.web.current import settings


@click.command("files")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", default="", help="One person alone, by their address.")
@click.option(
    "--replace", is_flag=True, help="Also events that are here in other words: as long as the old server is the one in use."
)
@with_appcontext
def import_files(folder: Path, only: str, replace: bool) -> None:
    """Import calendars (.ics) and contacts (.vcf, .csv, .ldif) of many people.

    FOLDER has a folder for each, called by their address. An .ics file goes into the calendar of its name, `calendar.ics` into
    the first one. Type it again at any time: it brings what is new, and nothing twice.
    """
    wanted = address_of(only) if only else ""
    people = wrong = 0
    try:
        for name, files in old_files.people_in(folder):
            address = normalise(name, settings().domain)
            if wanted and address != wanted:
                continue
            people += 1
            user = account_management.find(address, settings().domain) if address else None
            if user is None:
                click.echo(f"{printable(name)}: there is no such account here")
                wrong += 1
                continue
            report = old_files.bring_over(files, user, settings(), replace=replace)
            _tell(user.address, len(files), report)
            wrong += bool(report.troubles or report.left_out)
    except OldFileError as error:
        raise click.ClickException(f"{folder}: {printable(str(error))}") from error
    if not people:
        raise click.ClickException(
            f"{folder} has no folder of {address_of(only)}" if only else f"{folder} has no folder of anybody"
        )
    if wrong:
        raise click.ClickException(f"the files of {wrong} of {people} did not come whole; type it again after that")


def _tell(address: str, files: int, report: FilesReport) -> None:
    click.echo(
        f"{address}: {files} files; events: {report.events} imported, {report.kept} other ones here, which stay; "
        f"contacts: {report.contacts} new, {report.completed} completed; {report.present} there already, "
        f"{report.left_out} left out"
    )
    for name, words in report.troubles:
        click.echo(f"  {printable(name)}: {words}")
