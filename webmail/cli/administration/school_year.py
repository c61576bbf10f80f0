"""Command line of the school year: `flask --app wsgi accounts school-year`, as the page: shown first, then left to the worker."""

from __future__ import annotations

from datetime import date
from typing import BinaryIO

import click
from flask.cli import with_appcontext

from webmail.admin.imports import cell_values, import_task, people_columns, people_plan, school_year
from webmail.admin.imports.import_task import ImportUnderWayError
from webmail.admin.imports.people_plan import ImportOptions, LineOutcome, PeoplePlanner
from webmail.admin.imports.school_year import LEAVES, STAYS, SchoolYear
from webmail.cli.administration.people_files import table_in
from webmail.cli.values import account_of, printable
from webmail.establishments import scope as scopes
from webmail.mime.headers.encoded_words import sort_key
from webmail.people import groups, memberships
from webmail.tasks import store
from webmail.web.current import settings


@click.command("school-year")
@click.option("--as", "address", required=True, help="The administrator who does it, prints the passwords and can undo it.")
@click.option("--domain", default="", help="Whose groups; else that of the administrator.")
@click.option("--move", "moves", multiple=True, help='What a class does: "6e A=5e A"; "3e A=-": it leaves, "Chess=": it stays.')
@click.option("--not-moved", multiple=True, help="A group whose people stay in their class.")
@click.option("--last-day", default="", help="Of those who leave, such as 2027-08-31; without it they are disabled at once.")
@click.option("--file", type=click.File("rb"), help="A CSV file of new people.")
@click.option("--whole", is_flag=True, help="The file has everybody: who is in a class and not in it leaves.")
@click.option("--no-passwords", is_flag=True, help="Make none for new people.")
@click.option("--apply", "really", is_flag=True, help="Start the task; else only what it would do is printed.")
@with_appcontext
def begin_school_year(
    address: str, domain: str, moves: tuple[str, ...], not_moved: tuple[str, ...], last_day: str, file: BinaryIO | None,
    whole: bool, no_passwords: bool, really: bool,
) -> None:  # fmt: skip
    """Show what a new school year would do, class by class and person by person; with --apply, have the worker do it.

    Classes whose name says a level move up as the page guesses, unless --move says otherwise.
    """
    administrator = account_of(address)
    scope = scopes.for_user(administrator)
    domain = domain.strip().lower() or administrator.domain
    if scope is None or not scope.has_domain(domain):
        raise click.ClickException(f"{administrator.address} does not administer {domain}")
    wanted = _moves(domain, moves)
    for name, target in wanted.items():
        if target != STAYS:
            click.echo(f"{printable(name)}\t{'leaves' if target == LEAVES else printable(target)}")
    table = table_in(file) if file is not None else None
    options = ImportOptions(
        domain=domain, ends=_last_day(last_day), passwords=not no_passwords, days_valid=people_plan.DAYS_VALID
    )
    unit = people_columns.unit_of(table) if table else ""
    planner = PeoplePlanner(options, scope, settings(), importer=administrator, unit=unit)
    lines = people_columns.lines(table) if table else []
    planned = school_year.plan(SchoolYear(domain, wanted, not_moved, is_whole=whole and table is not None), lines, planner)
    for one in planned:
        if one.outcome != LineOutcome.SAME:
            why = "; ".join(f"{reason} {detail}".strip() for reason, detail in one.reasons)
            groups_of = " ".join([f"+{name}" for name in one.join] + [f"-{name}" for name in one.leave])
            click.echo("\t".join((one.outcome, printable(one.address), printable(groups_of or why))).rstrip())
    counts = people_plan.counts(planned)
    click.echo(", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) or "nothing to do")
    if not really or not any(counts[one] for one in (LineOutcome.CREATED, LineOutcome.CHANGED, LineOutcome.DISABLED)):
        return
    about = {"name": "command", "passwords": options.passwords, "days_valid": options.days_valid}
    try:
        import_task.start(administrator, import_task.SCHOOL_YEAR, planned, about, settings(), form=store.new_id())
    except ImportUnderWayError as error:
        raise click.ClickException(f"{error.task.user.address} is importing people at the moment") from error
    click.echo(f"started; {administrator.address} sees how far it is on /tasks, and can undo it there")


def _moves(domain: str, typed: tuple[str, ...]) -> dict[str, str]:
    """What each group does, guessed, with what was typed over it."""
    names = {sort_key(group.name): group.name for group, _size in groups.listed(domain)}
    wanted = school_year.guessed(names.values())
    for one in typed:
        name, equals, target = one.partition("=")
        target = " ".join(target.split())
        if not equals or sort_key(name) not in names:
            raise click.ClickException(f"{printable(one)}: name a group of {domain}, =, and what it does")
        if target not in (STAYS, LEAVES) and not memberships.usable(target):
            raise click.ClickException(f"{printable(target)} can't be the name of a group")
        wanted[names[sort_key(name)]] = target
    return wanted


def _last_day(typed: str) -> str:
    day = cell_values.day(typed) if typed else None
    if typed and (day is None or day <= date.today()):
        raise click.ClickException(f"{typed!r} is not a day to come, such as 2027-08-31")
    return day.isoformat() if day else ""
