"""Command line of DNS: `flask --app wsgi dns-records` prints what lets phones and programs find the servers by themselves."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from webmail.auth.devices import dns_records
from webmail.web.current import settings


@click.command("dns-records")
@with_appcontext
def dns() -> None:
    """Print the DNS records for each domain, as lines of a zone file."""
    lines = dns_records.records(settings(), dav="dav" in current_app.extensions)
    if not lines:
        raise click.ClickException("no server is known by a name that is good outside: set domain, and mail_server or [devices]")
    for line in lines:
        click.echo(line)
