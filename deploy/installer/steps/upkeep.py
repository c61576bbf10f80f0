"""Upkeep: Debian's security updates by themselves, and a journal that does not fill the disk."""

from __future__ import annotations

from deploy.installer.job import Job

_UPGRADES = """// Written by deploy/install.
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
"""
_JOURNAL = """# Written by deploy/install.
[Journal]
SystemMaxUse=500M
MaxRetentionSec=3month
"""


def words(job: Job) -> str:
    upgrades = "let security updates install themselves, " if job.answers.upgrades else ""
    return f"{upgrades}keep at most 500 MB of logs, for three months"


def take(job: Job) -> None:
    changes = job.changes
    if job.answers.upgrades:
        changes.file("/etc/apt/apt.conf.d/20auto-upgrades", _UPGRADES)
        changes.enable("unattended-upgrades")
    if changes.file("/etc/systemd/journald.conf.d/traboule.conf", _JOURNAL):
        changes.restart("systemd-journald")
