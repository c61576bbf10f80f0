"""Late commands: those of `flask --app wsgi`, imported when one is asked for. A web server asks for none."""

from __future__ import annotations

import os

import click
from flask import Flask
from flask.cli import AppGroup


class LateCommands(AppGroup):
    def __init__(self, app: Flask) -> None:
        super().__init__(app.name)
        self._registered = False

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._register()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._register()
        return super().list_commands(ctx)

    def _register(self) -> None:
        if not self._registered:
            from webmail.cli.main import register

            self._registered = True
            register(self)


def only_looks(arguments: list[str]) -> bool:
    """Whether this process was started for a command that must find what is missing, and not make it."""
    return len(arguments) > 1 and "doctor" in arguments[1:] and os.environ.get("FLASK_RUN_FROM_CLI") == "true"
