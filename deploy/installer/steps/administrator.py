"""Administrator: the first account, and the address that the establishment itself writes from."""

from __future__ import annotations

import secrets

from deploy.installer.changes import InstallError
from deploy.installer.job import CODE, Job

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


def words(job: Job) -> str:
    return f"make the account {job.answers.administrator}, an administrator, with a password for the first sign-in"


def take(job: Job) -> None:
    answers = job.answers
    _add(job, f"ne-pas-repondre@{answers.domain}", "--no-password")
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
    if _add(
        job, answers.administrator, "--name", answers.administrator_name, "--admin", "--password-stdin", typed=f"{password}\n"
    ):
        job.passwords[answers.administrator] = password


def _add(job: Job, address: str, *options: str, typed: str | None = None) -> bool:
    """Whether it was not there."""
    done = job.changes.tried(f"{CODE}/deploy/flask", "accounts", "add", address, *options, typed=typed, folder=CODE)
    if done.returncode == 0:
        job.changes.tell(f"made the account {address}")
        return True
    if "already exists" in done.stderr:
        return False
    raise InstallError(f"The account {address} can't be made:\n{(done.stdout + done.stderr).strip()}")
