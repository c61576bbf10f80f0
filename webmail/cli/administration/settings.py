"""Command line of settings that pages change: `flask --app wsgi settings list, set, reset, history`."""

from __future__ import annotations

import json
from typing import Any, cast

import click
from flask import current_app
from flask.cli import AppGroup

from webmail.admin.establishment import setting_changes
from webmail.admin.establishment.setting_changes import WhoseSettings
from webmail.cli.audit import noted
from webmail.cli.values import printable
from webmail.config.checks import ConfigError
from webmail.establishments import establishments, setting_values
from webmail.establishments.live_settings import LiveSettings
from webmail.establishments.page_settings import ALL, PageSetting, ValueKind
from webmail.models import AuditAct

settings = AppGroup("settings", help="Settings that pages change. What config.toml sets wins over them.")
_of = click.option("--establishment", default="", help="Of this establishment, where several share the installation.")
_JSON = (ValueKind.TEXTS, ValueKind.LINKS, ValueKind.LANGUAGES)


@settings.command("list")
@_of
def list_settings(establishment: str) -> None:
    """List what is set: name, value as JSON, and whether config.toml wins."""
    found = setting_values.current(_whose(establishment).number)
    for name, value in sorted(found.items()):
        wins = "\tset in config.toml, which wins" if _live().is_written(name) else ""
        click.echo(f"{name}\t{printable(json.dumps(value, ensure_ascii=False))}{wins}")
    if not found:
        click.echo("Nothing is set by pages.")


@settings.command("set")
@click.argument("name")
@click.argument("value")
@_of
def set_value(name: str, value: str, establishment: str) -> None:
    """Set one: `settings set trust_days 7`. Texts in both languages: '{"fr": "...", "en": "..."}'."""
    setting = _setting(name, establishment)
    _change(setting, _typed(setting, value), establishment)


@settings.command("reset")
@click.argument("name")
@_of
def reset_value(name: str, establishment: str) -> None:
    """Let config.toml or the default say it again."""
    _change(_setting(name, establishment), None, establishment)


@settings.command("history")
@click.argument("name")
@_of
def show_history(name: str, establishment: str) -> None:
    """Show what a setting has been, the newest first: time (UTC), who, value."""
    setting = _setting(name, establishment)
    for row in setting_values.history(_whose(establishment).number, [setting.name], setting_values.KEPT):
        click.echo(f"{row.at:%Y-%m-%d %H:%M}\t{printable(row.by)}\t{printable(row.value or '-')}")


def _change(setting: PageSetting, value: Any, establishment: str) -> None:
    whose, live = _whose(establishment), _live()
    together = setting_values.current(whose.number) | {setting.name: value}
    try:
        if value is not None:
            setting_values.check(setting, value)
        if trouble := live.trouble(together):
            raise ConfigError(trouble)
        changes = setting_changes.make(whose, {setting.name: value}, "command", live, _audit)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{setting.name} is {json.dumps(value, ensure_ascii=False)}" if changes else f"{setting.name} was that already")
    if live.is_written(setting.name):
        click.echo("config.toml sets it too, and wins")


def _typed(setting: PageSetting, text: str) -> Any:
    try:
        if setting.kind is ValueKind.NUMBER:
            return int(text)
        if setting.kind is ValueKind.YES:
            return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
        return json.loads(text) if setting.kind in _JSON else text
    except (KeyError, ValueError) as error:
        raise click.ClickException(f"{setting.name} can't be {text[:80]!r}") from error


def _setting(name: str, establishment: str) -> PageSetting:
    found = ALL.get(name)
    if found is None or (establishment and not found.own):
        raise click.ClickException(f"pages don't change {printable(name)!r}; they change {', '.join(sorted(ALL))}")
    return found


def _whose(name: str) -> WhoseSettings:
    if not name:
        return WhoseSettings()
    found = next((one for one in establishments.listed() if one.name == name), None)
    if found is None:
        raise click.ClickException(f"there is no establishment {printable(name)!r}")
    return WhoseSettings(found)


def _audit(name: str, **details: str | None) -> None:
    noted(AuditAct.SETTING_CHANGED, name, **details)


def _live() -> LiveSettings:
    return cast(LiveSettings, current_app.extensions["live_settings"])
