"""Command line of the ways to sign in: `flask --app wsgi accounts disconnect ADDRESS PROVIDER`."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from webmail.auth.providers import accounts as provider_accounts
from webmail.auth.sessions.endings import end_everything
from webmail.cli.audit import noted
from webmail.cli.values import account_of
from webmail.models import AuditAct
from webmail.web.current import settings


@click.command("disconnect")
@click.argument("address")
@click.argument("provider")
@with_appcontext
def disconnect_account(address: str, provider: str) -> None:
    """Forget who an account is at a provider (oidc:NAME, cas, proxy), and end its sessions."""
    user = account_of(address)
    links = {link.provider: link.shown for link in provider_accounts.links_of(user)}
    if not provider_accounts.unlink(user, provider):
        connected = ", ".join(links) or "none"
        raise click.ClickException(f"{user.address} is not connected to {provider}; connected: {connected}")
    end_everything(user, settings())
    noted(AuditAct.PROVIDER_UNLINKED, user.address)
    click.echo(f"{user.address} is no longer {links[provider] or 'known'} at {provider}; their sessions are ended")
