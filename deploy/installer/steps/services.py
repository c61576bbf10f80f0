"""Services of Traboule: the database is brought up to date, then pages, bodies, worker and milter start."""

from __future__ import annotations

from deploy.installer.job import CODE, Job
from deploy.installer.steps import database

UNITS = ("traboule-web", "traboule-bodies", "traboule-jobs", "traboule-milter")
_FILES = (
    *(f"{unit}.service" for unit in UNITS), "traboule-homes.service", "traboule-homes.timer",
)  # fmt: skip


def words(_job: Job) -> str:
    return f"bring the database up to date, and start {', '.join(UNITS)}"


def take(job: Job) -> None:
    changes = job.changes
    said = job.flask("migrate").strip()
    if said and "nothing to do" not in said.lower():
        changes.tell(f"database: {said.splitlines()[-1]}")
    database.allow_reading(job)
    written = [changes.file(f"/etc/systemd/system/{name}", changes.path(f"{CODE}/deploy/{name}").read_text()) for name in _FILES]
    if any(written):
        changes.run("systemctl", "daemon-reload")
        job.restart_later(*UNITS)
    changes.enable(*UNITS, "traboule-homes.timer")
