"""Passwords asked for on the command line: typed twice at a terminal, or a line of standard input."""

from __future__ import annotations

import sys

import click

from webmail.auth.passwords import hashing

SHORTEST_PASSWORD = 8  # characters


def typed_password(from_stdin: bool) -> str:
    """A password read from standard input or prompted for twice, that can be one."""
    password = _piped() if from_stdin else ask_password("Password", once_more=True)
    if len(password) < SHORTEST_PASSWORD:
        raise click.ClickException(f"a password needs at least {SHORTEST_PASSWORD} characters")
    if not hashing.usable(password):
        raise click.ClickException(f"a password has 1 to {hashing.LONGEST} characters, on one line")
    return password


def ask_password(question: str, once_more: bool = False) -> str:
    """Prompt for a password without echo; without a terminal, read the next line of standard input."""
    if not at_a_terminal():
        return _piped()
    return str(click.prompt(question, hide_input=True, confirmation_prompt="Repeat password" if once_more else False))


def at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _piped() -> str:
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError as error:
        raise click.ClickException("the password on standard input is not UTF-8") from error
    if not line.rstrip("\r\n"):
        raise click.ClickException("no password was given on standard input")
    return line.rstrip("\r\n")
