"""Demo command: `python -m deploy.demo run` starts the demo until Ctrl-C; `reset` removes all its mail and settings."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.demo import accounts, nginx, postfix
from deploy.demo.child import HOST, ServiceFailedError
from deploy.demo.dovecot import Ports
from deploy.demo.place import PlaceError
from deploy.demo.services import CHECKOUT, Services

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEFAULT_BASE = CHECKOUT / "instance" / "demo"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="start everything and keep it until Ctrl-C")
    run.set_defaults(command=_run)
    run.add_argument("--no-web", action="store_true", help="mail servers only")
    run.add_argument("--no-mail", action="store_true", help="leave mailboxes, address books and calendars empty")
    for name in Ports.__dataclass_fields__:
        run.add_argument(f"--{name}-port", type=int, help="default: a free port" if name != "web" else "default: $PORT or 8000")
    reset = commands.add_parser("reset", help="stop what runs and remove everything")
    reset.set_defaults(command=_reset)
    for command in (run, reset):
        command.add_argument("--base", type=Path, default=DEFAULT_BASE, help="folder of all files (default %(default)s)")
    given = parser.parse_args(arguments)
    try:
        return int(given.command(given))
    except (ServiceFailedError, PlaceError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. / Arrêté.")
        return 0


def _run(given: argparse.Namespace) -> int:
    for number in _ENDS:
        signal.signal(number, _interrupt)
    started = time.monotonic()
    ports = {name: value for name in Ports.__dataclass_fields__ if (value := getattr(given, f"{name}_port"))}
    ports.setdefault("web", _port_from_environment())
    front = nginx.program() is not None
    with Services(
        given.base, web=not given.no_web, ports=ports, postfix=not postfix.missing(), front=front, newcomers=True
    ) as services:
        if not given.no_mail:
            from deploy.demo import mailboxes, school

            mailboxes.fill(services)
            school.fill(services)
        _tell(services, time.monotonic() - started)
        services.watch()
    return 0


def _port_from_environment() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ServiceFailedError(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Stop, ignoring further signals: a second Ctrl-C must not interrupt the shutdown."""
    for each in _ENDS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _tell(services: Services, seconds: float) -> None:
    where = services.address if services.web else "(no web server)"
    print(f"\nTraboule: {where}    ready after {seconds:.1f} s / prêt en {seconds:.1f} s\n")
    for person in accounts.PEOPLE:
        print(f"  {person.address:24}{services.password:10}{person.name}")
    web = services.base / "web"
    instance = web.relative_to(CHECKOUT) if web.is_relative_to(CHECKOUT) else web
    ports = services.ports
    if services.postfix:
        smtp = f"{ports.smtp} TLS, {ports.submission} STARTTLS, {ports.relay} MX"
        print(f"\n  IMAP {HOST}:{ports.imap}   SMTP (Postfix) {HOST}: {smtp}")
    else:
        print(f"\n  IMAP {HOST}:{ports.imap}   SMTP {HOST}:{ports.smtp}   (no TLS / sans TLS)")
        print(f"  A small server of our own sends the mail ({postfix.missing()}). / Un petit serveur maison envoie le courrier.")
    if services.web and not services.front:
        print(
            "  nginx is not installed: one process serves pages and large files alike. / Sans nginx, un seul processus sert tout."
        )
    print("  Examine / Examiner :")
    print(f"    WEBMAIL_INSTANCE={shlex.quote(str(instance))} .venv/bin/flask --app wsgi doctor --as {accounts.ALICE.address}")
    print(f"  Files, logs, mail sent outside / Fichiers, journaux, courrier sortant : {services.base}")
    print("  Ctrl-C stops everything / arrête tout.\n", flush=True)


def _reset(given: argparse.Namespace) -> int:
    base: Path = given.base
    if not base.exists() and not base.is_symlink():
        print("Nothing to remove.")
        return 0
    real = base.resolve()
    _stop_running(real)
    if real.exists():
        shutil.rmtree(real)
    if base.is_symlink():
        base.unlink()
    print(f"Removed {real}")
    return 0


def _stop_running(base: Path) -> None:
    """Stop the demo that runs in `base`, by its main process, which stops the others in order."""
    report = base / "services.json"
    if not report.exists():
        return
    starter = int(json.loads(report.read_text())["pid"])
    end = time.monotonic() + 15
    if _is_demo(starter):
        os.kill(starter, signal.SIGTERM)
    while _is_demo(starter):
        if time.monotonic() > end:
            raise ServiceFailedError(f"The demo (process {starter}) does not stop. End it, then try again.")
        time.sleep(0.2)


def _is_demo(pid: int) -> bool:
    """Whether this process is a running demo, not another process with a reused pid."""
    try:
        return b"deploy.demo" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
