"""Command line of the audit log: `flask --app wsgi audit` prints it, and `noted` writes what other commands change."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click
from flask.cli import with_appcontext

from webmail import audit as log
from webmail.cli.values import address_of, printable
from webmail.models import AuditAct, AuditEntry, PeopleGroup, User, now

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def noted(act: AuditAct, target: str, **details: Any) -> None:
    """Write to the audit log what the administrator did at the command line. Never raises."""
    log.record(act, target=target, by="command", **details)


def group_noted(change: str, group: PeopleGroup, people: Sequence[User] | None = None, **details: str) -> None:
    """Write that a group was made, renamed or deleted, or who was added to it or removed from it: one entry for each of them."""
    if people is None:
        noted(AuditAct.GROUP_CHANGED, group.name, change=change, **details)
    for user in people or ():
        noted(AuditAct.GROUP_CHANGED, user.address, change=change, group=group.name)


@click.command("audit")
@click.option("--act", type=click.Choice([str(act) for act in AuditAct]), help="Only entries of this kind.")
@click.option("--who", default="", help="Only what the person with this address did, or what was done to them.")
@click.option("--since", default="", help="Only the last 30m, 12h, 7d or 4w, for example.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, log.LARGEST_PAGE), help="Most lines to show.")
@with_appcontext
def audit(act: str | None, who: str, since: str, limit: int) -> None:
    """Show who did what, newest first: time (UTC), act, by whom, to whom or what, from where, details."""
    found, more = log.search(act=act or "", who=address_of(who) if who else "", since=_since(since), size=limit)
    for entry in found:
        click.echo(_line(entry))
    if more:
        click.echo(f"only the last {limit} are shown; see more with --limit", err=True)


def _since(text: str) -> datetime | None:
    if not text:
        return None
    match = re.fullmatch(r"([0-9]{1,4})([mhdw])", text.strip().lower())
    if not match:
        raise click.ClickException(f"{text!r} is not a period such as 30m, 12h, 7d or 4w")
    return now() - timedelta(**{_UNITS[match[2]]: int(match[1])})


def _line(entry: AuditEntry) -> str:
    details = log.details_of(entry)
    words = json.dumps(details, ensure_ascii=False) if details else ""  # quoted: the name of a folder can't pose as a detail
    columns = (f"{entry.at:%Y-%m-%dT%H:%M:%SZ}", entry.act, entry.actor_address, entry.target, entry.network, words)
    return "\t".join(printable(column) or "-" for column in columns)
