"""What the worker does for messages that are shown."""

from __future__ import annotations

from webmail.message import image_cache
from webmail.tasks.periodic import AreaWork

WORK = AreaWork(clean_up=(image_cache.sweep,))
