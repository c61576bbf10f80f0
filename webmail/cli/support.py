"""Command line of support: `flask --app wsgi support list, show, close`."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from webmail.accounts import support as requests
from webmail.cli.audit import noted
from webmail.cli.values import printable
from webmail.models import AuditAct, SupportRequest

support = AppGroup("support", help="What people ask on the page Help.")


@support.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those that are closed, the newest first.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000), help="Most lines to show.")
def list_requests(everything: bool, limit: int) -> None:
    """List open requests, the oldest first: reference, time (UTC), kind, account as it was typed, where to reach them."""
    found = requests.open_requests(closed=everything, most=limit)
    for row in found:
        who = f"{printable(row.username)}{'' if row.user_id else ' (not signed in)'}"
        state = "\tclosed" if row.closed else ""
        click.echo(f"{row.reference}\t{row.created:%Y-%m-%d %H:%M}\t{row.kind}\t{who}\t{printable(row.contact)}{state}")
    if not found:
        click.echo("No requests." if everything else "No open requests.")


@support.command("show")
@click.argument("reference")
def show_request(reference: str) -> None:
    """Show all of a request, by its reference."""
    row = _request(reference)
    signed_in = "signed in" if row.user_id else "not signed in: make sure of who they are"
    lines = [
        ("reference", row.reference), ("time (UTC)", f"{row.created:%Y-%m-%d %H:%M}"), ("kind", row.kind),
        ("account", f"{row.username} ({signed_in})"), ("reach them", row.contact or "-"), ("browser", row.browser or "-"),
        ("network", row.network or "-"), ("closed", f"{row.closed:%Y-%m-%d %H:%M}" if row.closed else "no"),
    ]  # fmt: skip
    for name, value in lines:
        click.echo(f"{name:11} {printable(value)}")
    for line in row.text.splitlines():
        click.echo(f"> {printable(line)}")


@support.command("close")
@click.argument("reference")
def close_request(reference: str) -> None:
    """Mark a request as done."""
    row = _request(reference)
    if not requests.close(row):
        click.echo(f"{row.reference} was closed already")
        return
    noted(AuditAct.SUPPORT_CLOSED, row.reference)
    click.echo(f"{row.reference} is closed")


def _request(reference: str) -> SupportRequest:
    row = requests.find(reference)
    if row is None:
        raise click.ClickException(f"there is no request {printable(reference)}; `support list --all` shows all")
    return row
