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
    _follow_domain(job)
    _add(job, f"ne-pas-repondre@{answers.domain}", "--no-password")
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
    if _add(
        job, answers.administrator, "--name", answers.administrator_name, "--admin", "--password-stdin", typed=f"{password}\n"
    ):
        job.passwords[answers.administrator] = password


def _follow_domain(job: Job) -> None:
    """The first administrator goes with the domain; of all others, who are many, it is told how."""
    former, now = str(job.former.get("domain", "")), job.answers.domain
    before = str(job.former.get("administrator", ""))
    if former in ("", now):
        return
    job.restart()  # the mail server by its new name and certificate, which is asked for what is shared
    done = job.changes.tried(f"{CODE}/deploy/flask", "accounts", "rename", before, job.answers.administrator, folder=CODE)
    if done.returncode == 0:
        job.changes.tell(f"{before} is now {job.answers.administrator}, with the password of before")
    else:
        job.changes.note(f"{before} keeps this address: {(done.stderr or done.stdout).strip()[-300:]}")
    job.changes.note(
        f"{former} was the domain before: mail to it still arrives, and people keep their addresses there until each is given "
        f"a new one: {CODE}/deploy/flask accounts rename NAME@{former} NAME@{now}"
    )


def _add(job: Job, address: str, *options: str, typed: str | None = None) -> bool:
    """Whether it was not there."""
    done = job.changes.tried(f"{CODE}/deploy/flask", "accounts", "add", address, *options, typed=typed, folder=CODE)
    if done.returncode == 0:
        job.changes.tell(f"made the account {address}")
        return True
    if "already exists" in done.stderr:
        return False
    raise InstallError(f"The account {address} can't be made:\n{(done.stdout + done.stderr).strip()}")
