"""Release: the code with its libraries, each version in a folder of its own; /opt/traboule leads to the one that serves.

So an update can be taken back by a link, and nothing is changed below what runs.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from deploy.installer.changes import InstallError
from deploy.installer.job import CODE, ETC, RELEASES, Job

SOURCE = "/opt/traboule-source"  # where a checkout goes that stood in the place of the link
ORIGIN = f"{ETC}/source"  # says which checkout that is, for updates
_DONE = ".installed"
_KEPT = 3  # releases, with the one that serves


def version_of(job: Job) -> str:
    """What the checkout is called: its tag, or the beginning of its commit; "+edited" where files differ from it."""
    if (told := job.source / "VERSION").is_file():
        found = told.read_text().strip()
    else:
        git = ("git", "-c", f"safe.directory={job.source}", "-C", str(job.source))
        tag = job.changes.tried(*git, "describe", "--tags", "--exact-match", "HEAD")
        found = tag.stdout.strip() if tag.returncode == 0 else job.changes.run(*git, "rev-parse", "--short=12", "HEAD").strip()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,60}", found):
        raise InstallError(f"{found!r} can't be the name of a folder: is {job.source} a checkout?")
    return found


def words(job: Job) -> str:
    return f"put Traboule {version_of(job)} into {RELEASES}, with its libraries, and lead {CODE} to it"


def take(job: Job) -> None:
    version = version_of(job)
    make(job, version)
    place = job.changes.path(CODE)
    if place.is_dir() and not place.is_symlink():
        aside = job.changes.path(SOURCE)
        if aside.exists():
            raise InstallError(f"{CODE} is a folder, and {SOURCE}, where it would be moved, is there too. Move one of them away.")
        place.rename(aside)
        if job.source == place:
            job.source = aside
        job.changes.tell(f"moved {CODE} to {SOURCE}: type `sudo {SOURCE}/deploy/install` from now on")
    if (job.source / ".git").exists():
        job.changes.file(ORIGIN, f"{job.source}\n")
    if job.changes.link(CODE, f"{RELEASES}/{version}"):
        job.restart_later("traboule-web", "traboule-bodies", "traboule-jobs", "traboule-milter")
    forget_old(job)


def make(job: Job, version: str) -> Path:
    """A release, whole or not there. Raises InstallError."""
    place = job.changes.path(f"{RELEASES}/{version}")
    if (place / _DONE).is_file():
        if job.on_postgresql and job.changes.tried(str(place / ".venv/bin/python"), "-c", "import psycopg").returncode:
            _install(job, place, "requirements-postgresql.txt")  # "postgresql" was answered later
        return place
    job.changes.folder(RELEASES)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o755)
    _copy(job, place)
    job.changes.run("python3", "-m", "venv", str(place / ".venv"))
    _install(job, place, "requirements.txt")
    if job.on_postgresql:
        _install(job, place, "requirements-postgresql.txt")
    for module in ("webmail.translations", "webmail.web.late_areas"):
        job.changes.run(str(place / ".venv/bin/python"), "-m", module, folder=str(place), environment={"PYTHONPATH": str(place)})
    job.changes.run(str(place / ".venv/bin/python"), "-m", "compileall", "-q", str(place / "webmail"), folder=str(place))
    (place / "VERSION").write_text(f"{version}\n")
    (place / _DONE).write_text("")
    job.changes.tell(f"installed Traboule {version} with its libraries into {place}")
    return place


def _install(job: Job, place: Path, libraries: str) -> None:
    """Those of a file, into the release's own Python."""
    pip = (str(place / ".venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    job.changes.run(*pip, "-r", str(place / libraries), folder=str(place))


def _copy(job: Job, place: Path) -> None:
    """The files of the checkout's commit, or of a package that has no Git."""
    source = job.source
    if (source / ".git").exists():
        git = f"git -c safe.directory={source} -C {source} archive HEAD | tar -x -C {place}"
        job.changes.run("bash", "-o", "pipefail", "-c", git)
    else:
        shutil.copytree(source, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".venv", "__pycache__", "instance"))
        shutil.copytree(source / "instance", place / "instance", dirs_exist_ok=True)
    job.changes.run("chown", "-R", "root:root", str(place))
    job.changes.run("chmod", "-R", "go=rX,u+rwX", str(place))


def forget_old(job: Job) -> None:
    """Remove all but the newest releases; never the one that serves."""
    folder = job.changes.path(RELEASES)
    serving = os.path.realpath(job.changes.path(CODE))
    others = [each for each in folder.iterdir() if each.is_dir() and os.path.realpath(each) != serving]
    for old in sorted(others, key=lambda each: each.stat().st_mtime)[: -(_KEPT - 1)]:
        shutil.rmtree(old)
        job.changes.tell(f"removed the old release {old.name}")
