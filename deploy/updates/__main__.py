"""Command line of updates: `sudo deploy/update`, `sudo deploy/update --back`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from deploy.backups import nightly, repository
from deploy.backups.repository import Repository
from deploy.installer import answers as answers_file
from deploy.installer import facts
from deploy.installer.changes import Changes, InstallError
from deploy.installer.job import RELEASES, Job
from deploy.installer.steps import database, release
from deploy.updates import switching
from deploy.updates.sources import Source


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="deploy/update", description="Update Traboule; nobody is refused meanwhile.")
    parser.add_argument("--to", metavar="VERSION", help="a tag or commit (without it: the newest release)")
    parser.add_argument("--unsigned", action="store_true", help="install what nobody signed")
    parser.add_argument("--back", action="store_true", help="let the release before serve again; data stays as it is")
    parser.add_argument("--no-backup", action="store_true", help="make no backup before")
    parser.add_argument("--offline", action="store_true", help="don't ask for new releases: those of the checkout will do")
    given = parser.parse_args(arguments)
    if os.geteuid():
        print("Only root can update: sudo deploy/update", file=sys.stderr)
        return 2
    changes = Changes(Path("/"), lambda words: print(words, flush=True))
    try:
        if given.back:
            return _back(changes)
        return _update(given, changes)
    except InstallError as error:
        print(f"\nStopped: {error}", file=sys.stderr)
        return 1


def _update(given: argparse.Namespace, changes: Changes) -> int:
    job = _job(changes)
    source = Source(job.source, changes)
    if not (job.source / ".git").exists():
        raise InstallError(
            f"{job.source} is no checkout. A package is updated by installing the newer one, then: sudo deploy/install"
        )
    if not given.offline:
        source.fetch()
    wanted = given.to or source.newest()
    if not given.unsigned:
        source.verify(wanted)
    with source.files_of(wanted) as files:
        job.source = files
        version = release.version_of(job)
        before = switching.serving(changes)
        if version == before:
            print(f"{version} serves already.")
            return 0
        print(f"From {before} to {version}")
        release.make(job, version)
    if not given.no_backup and repository.address():
        made = nightly.make(Repository(repository.address(), changes), changes, job.on_postgresql)
        print(f"  backup {made.id} of {made.time}")
    # the release that serves runs on what is added: migrations never take away
    said = changes.run(f"{RELEASES}/{version}/deploy/flask", "migrate", folder=f"{RELEASES}/{version}")
    print("\n".join(f"  {line}" for line in said.splitlines()))
    database.allow_reading(job)
    switching.switch(changes, version)
    _settle(changes, version)
    print(f"\n{version} serves. To go back: sudo /opt/traboule/deploy/update --back\n\n{source.notes(before, wanted)}")
    return 0


def _settle(changes: Changes, version: str) -> None:
    """The new release's own settings of Dovecot, Postfix, nginx and units."""
    done = changes.tried(f"{RELEASES}/{version}/deploy/install", "--yes", "--offline")
    print("\n".join(f"  {line}" for line in done.stdout.splitlines()))
    if done.returncode:
        raise InstallError(f"{version} serves, but its settings are not all in place: sudo /opt/traboule/deploy/install")


def _back(changes: Changes) -> int:
    serving = switching.serving(changes)
    others = [each for each in changes.path(RELEASES).iterdir() if (each / ".installed").is_file() and each.name != serving]
    if not others:
        raise InstallError("there is no other release here to go back to.")
    before = max(others, key=lambda each: each.stat().st_mtime).name
    switching.switch(changes, before)
    print(f"{before} serves again, on the data as it is; {serving} stays beside it.")
    return 0


def _job(changes: Changes) -> Job:
    given = answers_file.read(changes.path(answers_file.FILE))
    if not given:
        raise InstallError("this server was not made by deploy/install: type that first.")
    source = Path(release.SOURCE) if Path(release.SOURCE).is_dir() else Path(__file__).resolve().parents[2]
    if (told := changes.path(f"{release.ORIGIN}")).is_file():
        source = Path(told.read_text().strip())
    return Job(answers_file.complete(given, None), facts.look(), changes, source)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
