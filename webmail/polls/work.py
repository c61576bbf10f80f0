"""What the worker does for polls."""

from __future__ import annotations

from webmail.polls import forgetting
from webmail.tasks.periodic import AreaWork, Periodic, swept

WORK = AreaWork(
    periodic=(Periodic("polls", swept(lambda _settings: forgetting.sweep()), pending=lambda _settings: [forgetting.due()]),),
    expire=(forgetting.forget_removed,),
)
