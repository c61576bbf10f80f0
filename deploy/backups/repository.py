"""Repository: where backups are kept, encrypted, by restic: a folder, another machine by SFTP, or a bucket (S3)."""

from __future__ import annotations

import json
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path

from deploy.backups.places import SECRET
from deploy.installer.changes import Changes, InstallError

ENVIRONMENT = "/etc/traboule/secrets/backup.env"  # NAME=value, such as the keys of a bucket
_WRONG_PASSWORD = 12  # restic's exit status (0.17 and later)
KEEP = ("--keep-daily", "7", "--keep-weekly", "5", "--keep-monthly", "12")


@dataclass(frozen=True, slots=True)
class Snapshot:
    id: str
    time: str  # ISO, of the machine that made it
    host: str
    moment: str = ""  # the same with its zone


class Repository:
    """`address` as restic takes it. All methods raise InstallError with restic's own words."""

    def __init__(self, address: str, changes: Changes, password_file: str = SECRET) -> None:
        if not address.startswith(("/", "sftp:", "s3:", "rest:")):
            raise InstallError(
                f"{address!r} is no place of backups: a folder that begins with /, sftp:user@host:/folder, or s3:..."
            )
        self.address, self._changes, self._password_file = address, changes, password_file

    def ready(self) -> None:
        """Make it, where it is not there yet. Raises InstallError where it is, and has another password."""
        self._changes.secret(self._password_file, lambda: f"{secrets.token_urlsafe(24)}\n")
        status, _said = self._restic("cat", "config", check=False)
        if status == _WRONG_PASSWORD:
            raise InstallError(
                f"The password in {self._password_file} is not that of the backups in {self.address}. Put the copy of it there "
                "that you kept elsewhere; or, to begin new backups beside those, answer another place in `backup` "
                "(/etc/traboule/install.toml)."
            )
        if status != 0:
            self._restic("init", "-q")
            self._changes.tell(f"made the repository of backups {self.address}")

    def add(self, paths: list[str], left_out: list[str], tag: str) -> Snapshot:
        """A snapshot of these paths."""
        options = [word for pattern in left_out for word in ("--exclude", pattern)]
        _status, said = self._restic("backup", "--json", "-q", "--tag", tag, "--group-by", "host,tags", *options, *paths)
        summary = next((line for line in map(_json, said.splitlines()) if line.get("message_type") == "summary"), {})
        wanted = str(summary.get("snapshot_id", ""))[:8]
        return next((one for one in self.snapshots() if one.id == wanted), self.snapshots()[-1])

    def snapshots(self) -> list[Snapshot]:
        """The oldest first."""
        _status, said = self._restic("snapshots", "--json", "--no-lock")
        found = json.loads(said or "[]")
        return [Snapshot(str(one["short_id"]), str(one["time"])[:19], str(one["hostname"]), str(one["time"])) for one in found]

    def snapshot(self, wanted: str) -> Snapshot:
        """The one with this id, or the last. Raises InstallError where it is not there."""
        found = [one for one in self.snapshots() if not wanted or one.id == wanted]
        if not found:
            raise InstallError(f"there is no backup {wanted or 'yet'}: deploy/backup list")
        return found[-1]

    def forget(self) -> None:
        """Keep a week of days, five weeks, a year of months; what nobody needs any more is removed."""
        self._restic("forget", "-q", "--group-by", "host,tags", "--prune", *KEEP)

    def check(self, share: str) -> None:
        """Read a share of it, such as "3%", and compare it with its sums."""
        self._restic("check", "-q", f"--read-data-subset={share}")

    def restore(self, snapshot: str, target: str, *included: str, below: str = "") -> None:
        """Bring paths back: to where they were with the target "/"; `below`: what is in this folder alone, into the target.

        Each file is read again and compared with the sums of the backup.
        """
        options = [word for path in included for word in ("--include", path)]
        place = f"{snapshot}:{below}" if below else snapshot
        self._restic("restore", "-q", "--no-lock", "--verify", place, "--target", target, *options)

    def one_file(self, snapshot: str, path: str, into: Path) -> None:
        """The bytes of a file of a snapshot."""
        self._restic("dump", "-q", "--no-lock", "--target", str(into), snapshot, path)

    def _restic(self, *command: str, check: bool = True) -> tuple[int, str]:
        environment = {
            "RESTIC_REPOSITORY": self.address, "RESTIC_PASSWORD_FILE": self._password_file,
            "RESTIC_CACHE_DIR": "/var/cache/restic",
            **_own_environment(),
        }  # fmt: skip
        done = self._changes.tried("restic", *command, environment=environment)
        if check and done.returncode:
            raise InstallError(f"restic {command[0]} failed:\n{(done.stderr or done.stdout).strip()[-2000:]}")
        return done.returncode, done.stdout


def address(answers: Path = Path("/etc/traboule/install.toml")) -> str:
    """Where this server's backups are, "" for nowhere."""
    try:
        return str(tomllib.loads(answers.read_text()).get("backup", ""))
    except (OSError, tomllib.TOMLDecodeError):
        return ""


def _own_environment() -> dict[str, str]:
    try:
        lines = Path(ENVIRONMENT).read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _json(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
