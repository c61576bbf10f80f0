"""What the worker does for drives."""

from __future__ import annotations

from webmail.drives import saving
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(kinds=(saving.UNDO_KIND,))
