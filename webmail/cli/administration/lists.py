"""Command line of the lists to act on: `flask --app wsgi lists show forwards`, `lists act forwards 12 13`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from webmail.admin.watching.lists import LISTS
from webmail.admin.watching.lists import SIZE as PAGE
from webmail.cli.audit import noted
from webmail.cli.values import printable
from webmail.establishments.scope import EVERYTHING
from webmail.filters.forwarding.forward_texts import forwarding_turned_off
from webmail.web.current import settings

lists = AppGroup("lists", help="Doors to the outside and what stays unused: forwarded mail, published calendars, app passwords.")
_which = click.argument("name", type=click.Choice(list(LISTS)))


@lists.command("show")
@_which
def show_list(name: str) -> None:
    """List all entries: number, address, what it is, when it was last used (UTC)."""
    after = 0
    while rows := LISTS[name].rows(EVERYTHING, after, settings())[:PAGE]:
        for row in rows:
            at = f"{row.at:%Y-%m-%d %H:%M}" if row.at else "-"
            click.echo("\t".join((str(row.number), row.address, printable(row.text) or "-", at)))
        after = rows[-1].number


@lists.command("act")
@_which
@click.argument("numbers", type=int, nargs=-1, required=True)
def act_on_list(name: str, numbers: tuple[int, ...]) -> None:
    """End these entries, by the numbers of `lists show`; those without a recovery address are asked for one. No undo here.

    People whose forwarding ends are told by mail.
    """
    failed = []
    for at in range(0, len(numbers), PAGE):
        act = LISTS[name].act(EVERYTHING, set(numbers[at : at + PAGE]), settings())
        for address, text in act.done:
            noted(LISTS[name].audit, address, name=text or None)
            click.echo(f"{address}\t{printable(text)}".rstrip())
        for user, before in act.stopped:
            forwarding_turned_off(user, before)
        failed += act.failed
    if failed:
        raise click.ClickException(f"the mail server did not take it for {', '.join(failed[:20])}")
