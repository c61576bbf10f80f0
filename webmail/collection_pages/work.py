"""What the worker does for the pages of calendars and address books."""

from __future__ import annotations

from webmail.collection_pages import group_upkeep, restore_task
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(kinds=(restore_task.KIND,), expire=(group_upkeep.sweep,))
