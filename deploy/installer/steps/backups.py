"""Backups: every night by restic, a sample brought back every week."""

from __future__ import annotations

from deploy.backups.repository import Repository
from deploy.installer.job import CODE, Job

_TIMERS = ("traboule-backup.timer", "traboule-verify.timer", "traboule-restore.timer", "traboule-restore.path")
_FILES = ("traboule-backup.service", "traboule-verify.service", "traboule-restore.service", *_TIMERS)


def words(job: Job) -> str:
    return f"back up everything each night into {job.answers.backup}" if job.answers.backup else "make no backups, as answered"


def take(job: Job) -> None:
    changes = job.changes
    if not job.answers.backup:
        return
    Repository(job.answers.backup, changes).ready()
    written = [changes.file(f"/etc/systemd/system/{name}", changes.path(f"{CODE}/deploy/{name}").read_text()) for name in _FILES]
    if any(written):
        changes.run("systemctl", "daemon-reload")
    changes.enable(*_TIMERS)
