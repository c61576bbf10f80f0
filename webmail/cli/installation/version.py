"""Command line of the version: `flask --app wsgi version` says which release this is, and what is new in it."""

from __future__ import annotations

import click

from webmail.config import version as release


@click.command("version")
@click.option("--news", is_flag=True, help="Also print what is new, and what to do when updating.")
def version(news: bool) -> None:
    """Print which release of Traboule this is."""
    click.echo(f"Traboule {release.told()}")
    if not news:
        return
    found = release.news()
    for heading, items in ((f"New in {found.number}", found.short), (release.UPDATING, found.updating)):
        if items:
            click.echo(f"\n{heading}")
        for one in items:
            click.echo(f"- {one}")
