"""What the worker does for messages that are shown."""

from __future__ import annotations

from webmail.message import image_cache, meeting_replies
from webmail.tasks.periodic import AreaWork, Periodic, swept

WORK = AreaWork(
    periodic=(
        Periodic(
            "meeting replies",
            swept(meeting_replies.sweep),
            meeting_replies.EVERY,
            only_if=lambda settings: settings.token_key_file,
        ),
    ),
    clean_up=(image_cache.sweep,),
)
