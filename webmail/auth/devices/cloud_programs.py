"""Cloud programs: who uses a mail program that keeps passwords on servers of its maker; each is told once, or the program is
refused. By their networks alone (`cloud_programs` in config.toml): what a program says of itself proves nothing. No Flask here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import peewee as pw

from webmail import audit
from webmail.config.cloud_programs import CloudProgram
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.models import AuditAct, CloudProgramUse, RefusedNetwork, User, now

EVERY = timedelta(hours=1)
_STEP = timedelta(minutes=10)  # `used` and `refused` are updated at most this often
_PIECE = 200


def program_at(network: str, settings: Settings) -> CloudProgram | None:
    """The program whose maker has this network, as sessions are kept with. No query."""
    return next((one for one in settings.cloud_programs if one.has(network)), None)


def note(user: User, network: str, settings: Settings, *, refused: bool = False) -> CloudProgram | None:
    """Remember that somebody's password was used from there, or was refused there; returns the program. No query where the
    network is nobody's; one to three else."""
    program = program_at(network, settings)
    if program is None:
        return None
    at, mine = now(), (CloudProgramUse.user == user) & (CloudProgramUse.program == program.name)
    row = CloudProgramUse.get_or_none(mine)
    column = CloudProgramUse.refused if refused else CloudProgramUse.used
    if row is not None:
        last = row.refused if refused else row.used
        if last is not None and last > at - _STEP:
            return program
        CloudProgramUse.update({column: at, CloudProgramUse.network: network[:64]}).where(mine).execute()
    else:
        values = {"user": user, "program": program.name, "network": network[:64], column.name: at}
        CloudProgramUse.insert(values).on_conflict_ignore().execute()
    if not refused and (row is None or row.used is None):
        audit.record(AuditAct.CLOUD_PROGRAM_USED, actor=user, target=program.name, network=network)
    return program


def for_user(user: User) -> list[CloudProgramUse]:
    """Those that somebody uses, or that were refused, the latest first. 1 SELECT."""
    found = list(CloudProgramUse.select().where(CloudProgramUse.user == user))
    return sorted(found, key=lambda row: max(filter(None, (row.used, row.refused, row.first))), reverse=True)


def tell_each(tell: Callable[[CloudProgramUse], object]) -> None:
    """Tell the people who use one and were not told. Whoever sets the mark tells them. 1 SELECT where there are none."""
    waiting = CloudProgramUse.told.is_null() & CloudProgramUse.used.is_null(False)
    for row in list(CloudProgramUse.select(CloudProgramUse, User).join(User).where(waiting).limit(_PIECE)):
        with db.atomic():
            mine = (CloudProgramUse.id == row.id) & CloudProgramUse.told.is_null()
            if CloudProgramUse.update(told=now()).where(mine).execute():
                tell(row)


def untold(_settings: Settings) -> list[pw.Query]:
    """The query that finds whether somebody is to be told."""
    return [CloudProgramUse.select().where(CloudProgramUse.told.is_null(), CloudProgramUse.used.is_null(False))]


def write_refused(settings: Settings) -> None:
    """Bring the table that Dovecot asks in line with the setting. 1 SELECT where it is."""
    wanted = {text: one.name for one in settings.cloud_programs if one.block for text in one.beginnings()}
    if {row.beginning: row.program for row in RefusedNetwork.select()} == wanted:
        return
    rows = [{"beginning": text, "program": name} for text, name in wanted.items()]
    with db.atomic():
        RefusedNetwork.delete().execute()
        for start in range(0, len(rows), _PIECE):
            RefusedNetwork.insert_many(rows[start : start + _PIECE]).execute()
