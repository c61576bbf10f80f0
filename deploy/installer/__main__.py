"""Command line of the installer: `sudo deploy/install`, as docs/install.md tells it."""

from __future__ import annotations

import argparse
import fcntl
import sys
from datetime import datetime
from pathlib import Path

from deploy.installer import answers as answers_file
from deploy.installer import dns_records, facts, preflight
from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import CODE, ETC, Job
from deploy.installer.steps import STEPS

ROOT = Path("/")
LOG = "/var/log/traboule-install.log"
_DONE = "/var/lib/traboule-install/answers.toml"  # those that everything on the machine is set by
_LOCK = "/run/lock/traboule-install"
_OUTSIDE = "aspmx.l.google.com"  # any server that takes mail, to see whether port 25 is open outward


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="deploy/install", description="Install Traboule with its mail server on this machine.")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="answers to all questions (docs/install.md)")
    parser.add_argument("--yes", action="store_true", help="begin without asking whether to")
    parser.add_argument("--plan", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--only", choices=[step.name for step in STEPS], metavar="STEP", help="take one step: %(choices)s")
    parser.add_argument("--offline", action="store_true", help="don't try whether other mail servers can be reached")
    given = parser.parse_args(arguments)
    log = _Log()
    try:
        with _Alone():
            return _install(given, log)
    except InstallError as error:
        log.say(f"\nStopped: {error}\nOnce this is mended, type the same command again: it goes on from there.")
        return 1
    except KeyboardInterrupt:
        log.say("\nStopped. Type the same command again to go on.")
        return 130


def _install(given: argparse.Namespace, log: _Log) -> int:
    changes = Changes(ROOT, log.say)
    kept = changes.path(answers_file.FILE)
    if given.answers and not given.answers.is_file():
        raise InstallError(f"{given.answers} is not there.")
    ask = _ask if sys.stdin.isatty() else None
    before = answers_file.read(changes.path(_DONE))
    wanted = {**answers_file.read(kept), **(answers_file.read(given.answers) if given.answers else {})}
    answers = answers_file.complete(answers_file.with_former(wanted, before), ask)
    known = facts.look(ROOT, outward="" if given.offline else _OUTSIDE)
    job = Job(answers, known, changes, Path(__file__).resolve().parents[2], former=dict(before))
    _check(job, log)
    steps = [step for step in STEPS if given.only in (None, step.name)]
    log.say(f"\nThis is what deploy/install does for {answers.name} ({answers.domain}):")
    for step in steps:
        log.say(f"  - {step.words(job)}")
    if given.plan:
        return 0
    if not (given.yes or not sys.stdin.isatty() or _ask("Begin? yes or no", "yes").lower() in ("y", "yes", "o", "oui")):
        log.say("Nothing was done.")
        return 0
    for number, step in enumerate(steps, 1):
        log.say(f"\n[{number}/{len(steps)}] {step.name}")
        before = len(changes.made)
        step.take(job)
        if len(changes.made) == before:
            log.say("  as it should be")
    job.restart()
    changes.file(answers_file.FILE, answers_file.as_text(answers), mode=0o600)
    if not given.only:
        changes.path(_DONE).write_text(answers_file.as_text(answers))
    _end(job, log)
    return 0


def _check(job: Job, log: _Log) -> None:
    """Say what is wrong; end where nothing can be done. Raises InstallError."""
    found = preflight.findings(job.answers, job.facts, job.changes.has_package, job.changes.is_ours(answers_file.FILE))
    for each in found:
        log.say(f"{'problem' if each.stops else 'note   '}  {each.words}")
    if any(each.stops for each in found):
        raise InstallError("the problems above come first. Nothing was changed.")


def _end(job: Job, log: _Log) -> None:
    """What to do now: DNS, the first sign-in; then what the doctor says."""
    zone = f"{ETC}/dns-zone.txt"
    job.changes.file(zone, dns_records.zone_file(job))
    changes = len(job.changes.made)
    log.say(f"\n{'Nothing had to be changed.' if not changes else f'{changes} changes, told above and in {LOG}.'}")
    log.say(f"DNS records, ready to paste: {zone}")
    for address, password in job.passwords.items():
        # on the terminal alone: not in the log
        print(
            f"\nSign in at https://{job.answers.webmail_host} as {address}\nPassword for the first sign-in: {password}",
            flush=True,
        )
    said = job.changes.tried(f"{CODE}/deploy/flask", "doctor", folder=CODE)
    log.say(f"\nThe doctor says:\n{(said.stdout + said.stderr).strip()}")


def _ask(words: str, usual: str) -> str:
    typed = input(f"{words}{f' [{usual}]' if usual else ''}: ").strip()
    return typed or usual


class _Log:
    """What is said, on the terminal and in a file with the time."""

    def say(self, words: str) -> None:
        print(words, flush=True)
        try:
            with open(LOG, "a", encoding="utf-8") as file:
                file.writelines(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {line}\n" for line in words.splitlines() if line)
        except OSError:
            return  # nobody but root may write it, and others are told that they must be root


class _Alone:
    """Two installers at once would undo each other's work. Raises InstallError."""

    def __enter__(self) -> None:
        try:
            self._file = open(_LOCK, "w")  # held until the end
        except OSError as error:
            raise InstallError("Only root can install a server: sudo deploy/install") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InstallError("deploy/install runs already. Wait until it has ended.") from error

    def __exit__(self, *_error: object) -> None:
        self._file.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
