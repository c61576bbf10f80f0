"""What the worker does for accounts."""

from __future__ import annotations

from webmail.accounts import data_export, support
from webmail.desk import cases
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(kinds=(data_export.KIND,), expire=(support.expire, cases.expire))
