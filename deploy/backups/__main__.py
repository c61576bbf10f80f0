"""Command line of backups: `sudo deploy/backup now|verify|list|person|asked`, `sudo deploy/restore`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from deploy.backups import asked, nightly, person, repository, restoring
from deploy.backups.places import SECRET
from deploy.backups.repository import Repository
from deploy.installer import __main__ as installer
from deploy.installer.changes import Changes, InstallError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="deploy/backup", description="Backups of this server.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("now", help="make one")
    commands.add_parser("verify", help="bring a sample of the last one back, and compare it")
    commands.add_parser("list", help="those that are kept")
    commands.add_parser("asked", help="carry out what people asked for on a page")
    one = commands.add_parser("person", help="bring one person's mail back, beside what they have now")
    one.add_argument("address")
    one.add_argument("--folder", default="", help="one folder alone, such as Sent")
    one.add_argument("--snapshot", default="", help="which one, of `deploy/backup list` (without it: the last)")
    back = commands.add_parser("restore", help="bring a whole server back onto an empty machine")
    back.add_argument("--repository", help="where it is: a folder, sftp:..., s3:... (without it: that of this server)")
    back.add_argument("--password-file", default=SECRET, help="a file with the password of the repository")
    back.add_argument("--snapshot", default="latest", help="which one, of `deploy/backup list`")
    back.add_argument("--over", action="store_true", help="replace what this machine has")
    given = parser.parse_args(arguments)
    if os.geteuid():
        print("Only root can: mail, keys and settings belong to several users.", file=sys.stderr)
        return 2
    changes = Changes(Path("/"), lambda words: print(words, flush=True))
    try:
        return _obeyed(given, changes)
    except InstallError as error:
        print(f"\nStopped: {error}", file=sys.stderr)
        return 1


def _obeyed(given: argparse.Namespace, changes: Changes) -> int:
    if given.command == "restore":
        changes.install_packages(["restic"])
        kept = Repository(given.repository or repository.address(), changes, given.password_file)
        install = lambda: installer.main(["--yes", "--offline"])  # noqa: E731 - of the answers that came back
        same = restoring.restore(kept, changes, given.snapshot, install, lambda words: print(words, flush=True), given.over)
        print("Everything is there." if same else "Not everything is there: see above.")
        return 0 if same else 1
    where = repository.address()
    if not where:
        raise InstallError("this server has no backups: answer `backup` in /etc/traboule/install.toml, then sudo deploy/install")
    kept = Repository(where, changes)
    on_postgresql = 'database = "postgresql"' in Path("/etc/traboule/install.toml").read_text()
    if given.command == "now":
        made = nightly.make(kept, changes, on_postgresql)
        print(f"{made.time}  {made.id}  {where}")
    elif given.command == "person":
        snapshot = kept.snapshot(given.snapshot)
        folder, count = person.restore_mail(kept, changes, given.address, given.folder, snapshot)
        print(f"{snapshot.time}: {count} messages in the folder “{folder}”")
    elif given.command == "asked":
        print(f"{asked.carry_out(kept, changes)} requests")
    elif given.command == "verify":
        print(nightly.verify(kept, on_postgresql))
    else:
        for one in kept.snapshots():
            print(f"{one.time}  {one.id}  {one.host}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
