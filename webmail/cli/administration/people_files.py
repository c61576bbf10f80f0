"""Command line of files of people: `flask --app wsgi accounts import FILE --as ADMINISTRATOR`, `accounts export`."""

from __future__ import annotations

from typing import BinaryIO

import click
from flask.cli import with_appcontext

from webmail.admin.imports import import_task, people_columns, people_export, people_plan
from webmail.admin.imports.import_task import ImportUnderWayError
from webmail.admin.imports.people_columns import NotPeopleFileError, PeopleTable
from webmail.admin.imports.people_plan import ImportOptions, LineOutcome, PeoplePlanner
from webmail.cli.values import account_of, printable
from webmail.establishments import scope as scopes
from webmail.tasks import store
from webmail.web.current import settings

_HEADS = ("address", "name", "groups", "quota", "role", "end", "language", "state")


def table_in(file: BinaryIO) -> PeopleTable:
    """What a CSV file of people holds."""
    content = file.read(people_columns.LARGEST + 1)
    if len(content) > people_columns.LARGEST:
        raise click.ClickException("the file is too large")
    try:
        table = people_columns.read(content)
    except NotPeopleFileError as error:
        raise click.ClickException(f"this is no CSV file of people: {error}") from error
    if not table.columns.are_enough:
        raise click.ClickException("no column with addresses or names is recognised")
    return table


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--as", "address", required=True, help="The administrator who imports them, prints the passwords and can undo it.")
@click.option("--apply", "really", is_flag=True, help="Start the task; else only what it would do is printed.")
@click.option("--no-passwords", is_flag=True, help="Make none.")
@with_appcontext
def import_people(file: BinaryIO, address: str, really: bool, no_passwords: bool) -> None:
    """Show what a CSV file of people would do, line by line; with --apply, have the worker do it, as on /admin/people/import."""
    administrator = account_of(address)
    scope = scopes.for_user(administrator)
    if scope is None:
        raise click.ClickException(f"{administrator.address} is no administrator")
    table = table_in(file)
    options = ImportOptions(domain=administrator.domain, passwords=not no_passwords)
    unit = people_columns.unit_of(table)
    planned = PeoplePlanner(options, scope, settings(), importer=administrator, unit=unit).plan(people_columns.lines(table))
    for one in planned:
        why = "; ".join(f"{reason} {detail}".strip() for reason, detail in one.reasons)
        click.echo(f"{one.line}\t{one.outcome}\t{printable(one.address)}\t{printable(why)}".rstrip())
    counts = people_plan.counts(planned)
    click.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count))
    if not really or not (counts[LineOutcome.CREATED] or counts[LineOutcome.CHANGED]):
        return
    about = {"name": "command", "passwords": options.passwords, "days_valid": options.days_valid}
    try:
        import_task.start(administrator, import_task.IMPORT, planned, about, settings(), form=store.new_id())
    except ImportUnderWayError as error:
        raise click.ClickException(f"{error.task.user.address} is importing people at the moment") from error
    click.echo(f"started; {administrator.address} sees how far it is on /tasks, and prints the passwords on /admin/people/sheets")


@click.command("export")
@click.option("--as", "address", default="", help="Of whom this administrator administers; without it, everybody.")
@with_appcontext
def export_people(address: str) -> None:
    """Write everybody as CSV, as /admin/people/export.csv: address, name, groups, quota, role, end, language, state."""
    scope = scopes.for_user(account_of(address)) if address else scopes.EVERYTHING
    if scope is None:
        raise click.ClickException(f"{address} is no administrator")
    for piece in people_export.written(scope.condition(), _HEADS, settings()):
        click.echo(piece.decode(), nl=False)
