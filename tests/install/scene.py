"""What all scenes of an installation have in common: a new machine, the installer typed in it, and what is found there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.installer.answers import complete
from deploy.installer.changes import Changes
from deploy.installer.facts import Facts
from deploy.installer.job import Job
from deploy.installer.steps import packages
from tests.install import machine
from tests.install.machine import Machine

PLACE = Path(os.environ.get("PLACE", "/var/tmp/traboule-install-test"))
HERE = Path(__file__).parent
DOMAIN, PASSWORD = "lycee.example", "un long mot de passe 42"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
ANSWERS = {
    "domain": DOMAIN, "name": "Lycée Ampère", "administrator": ALICE, "administrator_name": "Alice Martin", "certificate": "own",
}  # fmt: skip
REQUIREMENTS = ["requirements.txt", "requirements-postgresql.txt"]
FLASK = "/opt/traboule/deploy/flask"
_began = time.monotonic()
FAULTS: list[str] = []


def say(words: str) -> None:
    print(f"{time.monotonic() - _began:6.0f} s  {words}", flush=True)


def check(good: object, words: str) -> None:
    say(f"{'ok   ' if good else 'FAULT'}  {words}")
    if not good:
        FAULTS.append(words)


def all_packages() -> list[str]:
    """Whatever any answer may install, so that one store serves all."""
    found: dict[str, None] = {}
    for memory in (1_000_000_000, 4_000_000_000):
        for more in ({}, {"database": "postgresql", "antivirus": True}):
            facts = Facts(
                system="debian 13", is_root=True, memory=memory, disk=10**12, host_name="", addresses=(), taken={}, ssh_ports=(22,),
                has_systemd=True, clock_set=None, sends_mail_out=None,
            )  # fmt: skip
            job = Job(complete({**ANSWERS, **more}, None), facts, Changes(Path("/nowhere"), say), Path("/nowhere"))
            found |= dict.fromkeys(packages.wanted(job))
    return [*found, "openssh-server", "openssh-client", "certbot", "pebble"]  # the other machine of backups; a server of ACME


@contextmanager
def new_machine(name: str, archive: Path, *, memory: int = 0, checkout: bool = True) -> Iterator[Machine]:
    """A Debian with nothing but the checkout in /root/traboule. `memory`: bytes that it has, 0 for as much as there is."""
    machine.unpack(archive, PLACE / name, [f"mail.{DOMAIN}", f"webmail.{DOMAIN}"])
    with same_machine(name, memory=memory) as here:
        if checkout:
            here.run("apt-get", "install", "-q", "-y", "--no-install-recommends", "git")
            here.run("git", "clone", "-q", "/repository", "/root/traboule")
        yield here


@contextmanager
def same_machine(name: str, *, memory: int = 0) -> Iterator[Machine]:
    """That of an earlier scene, booted again."""
    folder = PLACE / name
    for script in ("visit.py", "filled.py"):
        (folder / "root" / script).write_bytes((HERE / script).read_bytes())
    with machine.booted(folder, PLACE / "boot.log", memory) as here:
        yield here


def write_answers(here: Machine, **more: object) -> None:
    lines = []
    for name, value in {**ANSWERS, **more}.items():
        written = str(value).lower() if isinstance(value, bool) else f'"{value}"'
        lines.append(f"{name} = {written}\n")
    here.run("tee", "/root/answers.toml", typed="".join(lines))


def spoken(here: Machine, *command: str, may_fail: bool = False, timeout: float = 1800) -> str:
    """What a command said, kept in the log."""
    began = time.monotonic()
    done = here.run(*command, check=False, timeout=timeout)
    with (PLACE / "installer.log").open("a") as log:
        log.write(f"$ {' '.join(command)}\n{done.stdout}\n{'=' * 100}\n")
    if done.returncode and not may_fail:
        raise SystemExit(f"{' '.join(command)} fails ({done.returncode}):\n{done.stdout[-6000:]}")
    say(f"       {' '.join(command)} ({time.monotonic() - began:.0f} s)")
    return done.stdout


def install(here: Machine, *options: str) -> str:
    return spoken(here, "/root/traboule/deploy/install", "--answers", "/root/answers.toml", "--yes", "--offline", *options)


def works(here: Machine, when: str, domain: str = DOMAIN) -> None:
    done = here.run("python3", "/root/visit.py", domain, f"bob@{domain}", PASSWORD, "60", "with-mail", check=False)
    check(done.returncode == 0, f"pages, IMAP, sending and mail from outside: {when} {done.stdout.strip()}")


def add_bob(here: Machine) -> None:
    here.run(FLASK, "accounts", "add", BOB, "--password-stdin", "--lasting", typed=f"{PASSWORD}\n")


def filled(here: Machine, action: str) -> str:
    """What bob has, as text that can be compared; made before with "fill"."""
    return here.run("python3", "/root/filled.py", action, DOMAIN, BOB, PASSWORD).stdout


def doctor(here: Machine) -> list[str]:
    """The problems that the doctor finds; where it does not end as it should, its last words."""
    done = here.run(FLASK, "doctor", check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith("problem")]
    return found if bool(found) == bool(done.returncode) else [*found, done.stdout[-1500:]]
