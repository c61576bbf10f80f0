"""Work of this area: what the worker does for it."""

from __future__ import annotations

from webmail.takeout import check_task, import_task
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(kinds=(check_task.KIND, import_task.KIND))
