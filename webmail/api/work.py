"""What the worker does for scripts."""

from __future__ import annotations

from webmail.api import request_keys
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(expire=(request_keys.expire,))
