"""Again: a transaction that PostgreSQL ended for another one's sake is begun once more, by whoever began it.

The order in which rows are locked (docs/decisions/tasks.md) lets this happen seldom, not never: what is deleted along with
something else is locked in an order of its own.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import peewee as pw

from webmail.database.connection import db
from webmail.database.trouble import DatabaseTrouble, trouble_of

log = logging.getLogger(__name__)

_PAUSES = (0.02, 0.1)  # seconds, before the second try and the third, which is the last
P = ParamSpec("P")
T = TypeVar("T")


def begun_again(work: Callable[P, T]) -> Callable[P, T]:
    """For a function whose effects are one transaction: it does nothing outside of the database, and changes no argument.

    Where it was called within a transaction, that one has ended too: only who began it can begin again. A lock that somebody
    waited for in vain for seconds is no such case.
    """

    @wraps(work)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        for pause in _PAUSES:
            try:
                return work(*args, **kwargs)
            except pw.OperationalError as error:
                if db.in_transaction() or trouble_of(error) is not DatabaseTrouble.CROSSED:
                    raise
                log.warning("%s.%s is done again: %s", work.__module__, work.__qualname__, str(error).partition("\n")[0])
                time.sleep(random.uniform(0.5, 1.5) * pause)  # noqa: S311 - nothing secret
        return work(*args, **kwargs)

    return wrapped
