"""What the worker does for accounts."""

from __future__ import annotations

from webmail.accounts import own_data, support
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(kinds=(own_data.KIND,), expire=(support.expire,))
