"""What fail2ban is told to look for, on lines that Dovecot 2.4 wrote. (By the program itself: `fail2ban-regex`, the scene `orders`.)"""

from __future__ import annotations

import re

import pytest

from deploy.installer import templates

_END = "lip=192.0.2.1, TLS, session=<NgIiQJthXsx/AAAB>"
_FAILED = "Login aborted: Connection closed (auth failed, 1 attempts in 0 secs) (auth_failed)"


def address(line: str) -> str | None:
    """The address that a line counts for."""
    [expression] = re.findall(r"^failregex = (.*)$", templates.filled("fail2ban-dovecot.conf"), re.M)
    for name, meaning in (
        ("%(__prefix_line)s", r"\S+ dovecot\[\d+\]: "), ("<F-USER>", "(?P<user>"), ("</F-USER>", ")"), ("<HOST>", r"(?P<host>[0-9a-f.:]+)"),
    ):  # fmt: skip
        expression = expression.replace(name, meaning)
    found = re.search(expression, f"mail dovecot[123]: {line}")
    return found["host"] if found else None


@pytest.mark.parametrize("program", ["imap", "submission", "managesieve"])
@pytest.mark.parametrize("host", ["198.51.100.2", "2001:db8::5"])
def test_a_wrong_password_counts_for_who_typed_it(program: str, host: str) -> None:
    assert address(f"{program}-login: {_FAILED}: user=<bob@lycee.example>, method=PLAIN, rip={host}, {_END}") == host


def test_several_on_one_connection_and_no_name_count() -> None:
    said = "imap-login: Login aborted: Disconnected (auth failed, 3 attempts in 9 secs) (auth_failed): user=<>, rip=198.51.100.2"
    assert address(f"{said}, {_END}") == "198.51.100.2"


@pytest.mark.parametrize(
    "line",
    [
        "imap-login: Logged in: user=<bob@lycee.example>, method=PLAIN, rip=198.51.100.2, mpid=1, " + _END,
        "imap-login: Login aborted: Connection closed (no auth attempts in 0 secs) (no_auth_attempts): user=<>, rip=198.51.100.2, "
        + _END,
        # a name that is made to look like the end of the line: nobody is shut out for another
        f"imap-login: {_FAILED}: user=<x>, rip=203.0.113.9, lip=1, session=<a>, method=PLAIN, rip=198.51.100.2, {_END}",
        f"imap(bob): {_FAILED}: user=<bob@lycee.example>, method=PLAIN, rip=198.51.100.2, {_END}",
    ],
)
def test_nothing_else_counts(line: str) -> None:
    assert address(line) is None
