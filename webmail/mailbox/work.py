"""What the worker does for mailboxes."""

from __future__ import annotations

from webmail.mailbox import detach_task, export_task, import_task, import_undo, move_in, room_task, snooze
from webmail.tasks.periodic import AreaWork, Periodic, swept

WORK = AreaWork(
    kinds=(import_task.KIND, move_in.KIND, import_undo.KIND, export_task.KIND, room_task.KIND, detach_task.KIND),
    periodic=(Periodic("wake", swept(snooze.sweep)),),
)
