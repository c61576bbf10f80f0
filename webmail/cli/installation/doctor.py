"""The command `doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import contextlib
import sys
from itertools import chain

import click
import peewee as pw
from flask.cli import with_appcontext
from flask_babel import force_locale

from webmail.cli.administration.passwords import ask_password, at_a_terminal
from webmail.cli.values import account_of, address_of, printable
from webmail.database.connection import DATABASE_AWAY, db
from webmail.doctor import checks as examination
from webmail.doctor import fixes, result, rounds
from webmail.doctor.mail_servers import forgery, round_trip, test_message
from webmail.doctor.zone import blocklists
from webmail.web.current import settings


@click.command()
@click.option("--as", "address", default="", help="Also sign in as this person: with a token if there is a key, else a password.")
@click.option("--mail", "recipient", default="", help="Also send this address test messages on each way, and a forged one.")
@click.option("--blocklists", "asks_lists", is_flag=True, help="Also ask blocklists about the addresses of this server.")
@click.option(
    "--watch",
    is_flag=True,
    help="Mail administrators what broke or is well again since the last time, as the worker does each hour.",
)
@click.option("--fix", "mend", is_flag=True, help="Mend what is safe to mend, after asking for each.")
@click.option("--yes", is_flag=True, help="With --fix: without asking.")
@with_appcontext
def doctor(address: str, recipient: str, asks_lists: bool, watch: bool, mend: bool, yes: bool) -> None:
    """Check the mail servers, the database and this machine, and say what to fix."""
    if mend:
        _mend(yes)
    password = None
    recipient = address_of(recipient) if recipient else ""
    if address:
        address = address_of(address)
        if settings().sign_in == "accounts":
            with contextlib.suppress(*DATABASE_AWAY):  # which is told below, after the servers
                account_of(address)
        if not settings().token_key_file:
            password = ask_password(f"Mail password of {address}")
    found = 0
    by_mail = [way.examine(recipient, settings()) for way in (test_message, round_trip, forgery)]
    of_lists = blocklists.examine(settings()) if asks_lists else ()
    results = []
    with force_locale("en"):
        for check in chain(examination.examine(settings(), address, password), *by_mail, of_lists):
            click.echo(f"{check.state:8} {check.name:22} {printable(str(check.words))}")
            found += check.state == result.PROBLEM
            results.append(check)
    if watch:
        _tell(results)
    if found:
        click.echo(f"{found} problem{'s' if found > 1 else ''}")
        sys.exit(1)


def _mend(without_asking: bool) -> None:
    """Each fix that there is, if it is wanted. What can't be done is told, and the others are."""
    todo = list(fixes.found(settings()))
    if not todo:
        click.echo("there is nothing that can be mended from here")
    for fix in todo:
        if without_asking or (at_a_terminal() and click.confirm(f"{fix.words}?")):
            try:
                fix.do()
            except (OSError, pw.DatabaseError) as error:
                click.echo(f"not done: {fix.words}: {printable(result.plain(error))}")
            else:
                click.echo(f"done: {fix.words}")
        else:
            click.echo(f"left: {fix.words}")


def _tell(results: list[result.CheckResult]) -> None:
    """Mail of what changed leaves by the worker; without one, when it runs again."""
    with db.connection_context():
        sent = rounds.note_and_tell(results, settings())
    if not settings().check_mail:
        click.echo("nobody is told by mail: check_mail is off")
        return
    click.echo(f"told by mail: {len(sent)} message{'' if len(sent) == 1 else 's'}" if sent else "nothing new to tell")
