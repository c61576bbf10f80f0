"""What the worker does for the people whom somebody writes to."""

from __future__ import annotations

from webmail.people.suggestions import learning
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(kinds=(learning.KIND,))
