"""Doctor, Postfix on this machine: whether it can read the database and what deploy/postfix.sh wrote, and its milter answers."""

from __future__ import annotations

import os
import pwd
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from webmail.config.checks import is_loopback
from webmail.config.settings import Settings
from webmail.database.connection import sqlite_file
from webmail.doctor.mail_servers import milter
from webmail.doctor.result import OK, PROBLEM, CheckResult
from webmail.doctor.result import lazy_gettext as _l

FOLDER = Path("/etc/postfix")
USER = "postfix"
_NAME = "Postfix"
_MAPS = {  # file -> what fails without it
    "traboule-people.cf": _l("port 25 takes messages for nobody"),
    "traboule-senders.cf": _l("ports 465 and 587 do not answer, since nobody may send as anybody"),
}


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Nothing where no Postfix of deploy/postfix.sh is on this machine."""
    if not is_set_up():
        return
    found = [*_maps(), *_database(settings)]
    if words := milter_trouble():
        found.append(words)
    for words in found:
        yield CheckResult(_NAME, PROBLEM, words)
    if not found:
        yield CheckResult(_NAME, OK, _l("can read who there is, and who may send under which address."))


def is_set_up() -> bool:
    return any((FOLDER / name).exists() for name in _MAPS)


def is_here(settings: Settings) -> bool:
    """Whether the SMTP server that Traboule sends by is on this machine, as far as that can be known."""
    return is_loopback(settings.smtp_host) or is_set_up()


def milter_trouble() -> str:
    """What is wrong if Postfix on this machine asks our milter and that does not answer; "" else."""
    try:
        main = (FOLDER / "main.cf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    if not (place := re.search(r"^traboule_milter\s*=\s*\{\s*inet:([\w.-]+):(\d+)", main, re.MULTILINE)):
        return ""
    if milter.answers((place[1], int(place[2]))):
        return ""
    return _l(
        "asks a milter at %(place)s about each message, and none answers there, so that no port takes mail (451). "
        "Start it: `systemctl restart traboule-milter`; `journalctl -u traboule-milter` says why it ended.",
        place=f"{place[1]}:{place[2]}",
    )


def _maps() -> Iterator[str]:
    for name, fails in _MAPS.items():
        file = FOLDER / name
        if not file.exists():
            yield _l("%(file)s is missing: %(fails)s. Run `sh deploy/postfix.sh DOMAIN` again.", file=file, fails=fails)
        elif not _may_read(file):
            command = f"chgrp {USER} {file} && chmod 640 {file} && systemctl restart postfix"
            yield _l("can’t read %(file)s: %(fails)s. As root, `%(command)s`.", file=file, fails=fails, command=command)


def _database(settings: Settings) -> Iterator[str]:
    """Its user must be in the group of an SQLite database, or it knows nobody."""
    file = Path(sqlite_file(settings.database_url) or "/")
    if file.is_file() and not _may_read(file):
        command = f"usermod -a -G {file.group()} {USER} && systemctl restart postfix"
        yield _l(
            "can’t read the database %(file)s: it knows no recipients and no senders. As root, `%(command)s`.",
            file=file, command=command,
        )  # fmt: skip


def _may_read(file: Path) -> bool:
    """Whether Postfix's user may; true where there is none."""
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return True
    about = file.stat()
    if about.st_uid == user.pw_uid:
        return bool(about.st_mode & stat.S_IRUSR)
    if about.st_gid in os.getgrouplist(USER, user.pw_gid):
        return bool(about.st_mode & stat.S_IRGRP)
    return bool(about.st_mode & stat.S_IROTH)
