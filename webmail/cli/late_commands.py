"""Late commands: those of `flask --app wsgi`, imported when one is asked for. A web server asks for none."""

from __future__ import annotations

import os

import click
from flask import Flask
from flask.cli import AppGroup

_WORKER = "jobs"


class LateCommands(AppGroup):
    def __init__(self, app: Flask) -> None:
        super().__init__(app.name)
        self._registered = False

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == _WORKER:
            from webmail.jobs import command  # alone: a worker keeps what it imports

            return command
        self._register()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._register()
        return sorted([*super().list_commands(ctx), _WORKER])

    def _register(self) -> None:
        if not self._registered:
            from webmail.cli.main import register

            self._registered = True
            register(self)


def start_of(arguments: list[str]) -> str:
    """What this process is to begin with (webmail/web/late_areas.py): a command shows no pages, but for a developer's server."""
    if only_looks(arguments):
        return "all"  # it makes no table either
    return "command" if _is_command() and "run" not in arguments[1:] else "server"


def only_looks(arguments: list[str]) -> bool:
    """Whether this process was started for a command that must find what is missing, and not make it."""
    return len(arguments) > 1 and "doctor" in arguments[1:] and _is_command()


def _is_command() -> bool:
    return os.environ.get("FLASK_RUN_FROM_CLI") == "true"
