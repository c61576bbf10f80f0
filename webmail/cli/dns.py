"""Command line of DNS: `flask --app wsgi dns-records` prints what belongs there, and with `--check` what of it is there."""

from __future__ import annotations

import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_babel import force_locale

from webmail.admin.watching import dns_notes, dns_texts
from webmail.auth.devices.servers import domains
from webmail.cli.values import printable
from webmail.doctor.zone import comparing
from webmail.doctor.zone.wanted import mail_host, zone_file
from webmail.web.current import settings


@click.command("dns-records")
@click.option("--check", is_flag=True, help="Compare them with what DNS answers; 1 if something is wrong.")
@with_appcontext
def dns(check: bool) -> None:
    """Print the DNS records of each domain, as lines of a zone file; with --check, whether they are there."""
    if not (domains(settings()) and mail_host(settings())):
        raise click.ClickException("no server is known by a name that is good outside: set domain, and mail_server or [devices]")
    if check:
        sys.exit(_check())
    for line in zone_file(settings(), dav="dav" in current_app.extensions):
        click.echo(line)


def _check() -> int:
    found = comparing.look(settings())
    if not found:
        click.echo("your domains are names that nobody can have, so DNS knows nothing of them")
    with force_locale("en"):
        for one in found:
            click.echo(f"{one.state:8} {one.kind:6} {one.name:45} {printable(dns_texts.said(one))}")
            if one.state != dns_notes.OK and one.line and one.kind != "PTR":
                click.echo(f"{'':15} {one.line}")
    return 1 if any(one.state in dns_notes.WRONG for one in found) else 0
