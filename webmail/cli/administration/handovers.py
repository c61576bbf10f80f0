"""Command line of handovers: `flask --app wsgi handovers list, end`. Nothing is given by command: it needs two people."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from webmail.cli.values import account_of, printable
from webmail.handover import steps
from webmail.models import MailboxHandover
from webmail.people import handovers as records
from webmail.web.current import settings

handovers = AppGroup("handovers", help="Mailboxes that somebody else looks after.")


@handovers.command("list")
@click.argument("address", required=False)
def list_handovers(address: str | None) -> None:
    """List them, the newest first: number, state, kind, mailbox, who has it, until when (UTC). Of one person, or of everybody."""
    user = account_of(address) if address else None
    found = records.open_of(user) if user else records.open_ones()
    for one in found:
        until = f"{one.until:%Y-%m-%d %H:%M}" if one.until else "-"
        row = (one.id, one.state, one.kind, one.owner.address, one.person.address, until)
        click.echo("\t".join(printable(str(each)) for each in row))
    if not found:
        click.echo("No handovers.")


@handovers.command("end")
@click.argument("number", type=int)
def end_handover(number: int) -> None:
    """End one at once: nothing of the mailbox can be opened, nobody writes from its address. Both are told by mail."""
    found: MailboxHandover | None = records.find(number) if 0 < number < 2**31 else None
    if found is None:
        raise click.ClickException(f"there is no handover {number}; `handovers list` shows all")
    if not steps.end_by_command(found, settings()):
        raise click.ClickException(f"handover {number} is over already")
    waits = "; the mail server takes it back within a minute of being reached" if found.problem else ""
    click.echo(f"{found.person.address} no longer has the mailbox of {found.owner.address}{waits}")
