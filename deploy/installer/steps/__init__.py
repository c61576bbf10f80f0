"""Steps of an installation, in their order. Each is a function of a `Job`, and changes only what is not yet as it should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deploy.installer.job import Job
from deploy.installer.steps import (
    administrator,
    backups,
    certificates,
    database,
    dovecot,
    firewall,
    packages,
    postfix,
    release,
    services,
    settings_file,
    spam_filter,
    upkeep,
    website,
)


@dataclass(frozen=True, slots=True)
class Step:
    """`name`: as it is called for `--only`; `words`: what it will do, for this job."""

    name: str
    words: Callable[[Job], str]
    take: Callable[[Job], None]


STEPS = tuple(
    Step(name, module.words, module.take)
    for name, module in (
        ("packages", packages),
        ("release", release),
        ("certificates", certificates),
        ("database", database),
        ("dovecot", dovecot),
        ("settings", settings_file),
        ("services", services),
        ("website", website),
        ("postfix", postfix),
        ("spam-filter", spam_filter),
        ("firewall", firewall),
        ("upkeep", upkeep),
        ("administrator", administrator),
        ("backups", backups),
    )
)
