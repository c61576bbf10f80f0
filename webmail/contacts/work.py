"""What the worker does for contacts."""

from __future__ import annotations

from webmail.contacts import device_cards
from webmail.contacts.imports import import_check, import_task
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(kinds=(import_check.KIND, import_task.KIND, import_task.UNDO_KIND), expire=(device_cards.adopt_strays,))
