"""What the worker does for the people whom somebody writes to."""

from __future__ import annotations

from webmail.people.suggestions import mail_scan
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(kinds=(mail_scan.KIND,))
