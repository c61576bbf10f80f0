"""Backups: every night by restic, a sample brought back every week."""

from __future__ import annotations

from deploy.backups.repository import Repository
from deploy.installer.job import CODE, Job

_TIMERS = ("traboule-backup.timer", "traboule-verify.timer", "traboule-restore.timer", "traboule-restore.path")
_SERVICES = ("traboule-backup.service", "traboule-verify.service", "traboule-restore.service")
_FILES = (*_SERVICES, *_TIMERS)


def words(job: Job) -> str:
    return f"back up everything each night into {job.answers.backup}" if job.answers.backup else "make no backups, as answered"


def take(job: Job) -> None:
    changes = job.changes
    if not job.answers.backup:
        return
    Repository(job.answers.backup, changes).ready()
    written = [changes.file(f"/etc/systemd/system/{name}", changes.path(f"{CODE}/deploy/{name}").read_text()) for name in _FILES]
    for service in _SERVICES:
        written.append(changes.file(f"/etc/systemd/system/{service}.d/place.conf", reach(job.answers.backup, service)))
    if any(written):
        changes.run("systemctl", "daemon-reload")
    changes.enable(*_TIMERS)


def reach(place: str, service: str) -> str:
    """What a unit may reach beside what its own file names: where backups are, and no more (systemd.exec(5))."""
    lines = ["# Written by deploy/install, of the answer `backup`.", "[Service]"]
    if not place.startswith("/"):
        # by the network, with root's key of SSH
        lines += ["PrivateNetwork=no", "IPAddressAllow=any", "ProtectHome=read-only"]
    else:
        if place.startswith(("/home/", "/root/", "/run/user/")):
            lines.append("ProtectHome=read-only")
        if service != "traboule-restore.service":  # which only reads it
            escaped = place.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
            lines.append(f'ReadWritePaths="-{escaped}"')
    return "\n".join(lines) + "\n"
