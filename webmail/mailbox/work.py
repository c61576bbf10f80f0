"""What the worker does for mailboxes."""

from __future__ import annotations

from webmail.mailbox import detach_task, export_task
from webmail.mailbox.imports import import_task, import_undo, move_in
from webmail.mailbox.quota import space_task
from webmail.mailbox.snooze import snooze
from webmail.tasks.periodic import AreaWork, Periodic, swept

WORK = AreaWork(
    kinds=(import_task.KIND, move_in.KIND, import_undo.KIND, export_task.KIND, space_task.KIND, detach_task.KIND),
    periodic=(Periodic("wake", swept(snooze.sweep), pending=snooze.pending),),
)
