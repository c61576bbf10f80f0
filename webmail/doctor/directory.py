"""Doctor, directory: whether people can sign in by LDAP, one step after the other, so that the one that fails is named."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.auth.providers import directory
from webmail.config.settings import Settings, ca_trouble
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, plain
from webmail.errors import ServerAwayError

_NOBODY = "traboule-doctor"  # a name that is looked for, and that nobody has


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Reach it, sign in, look at the base and search once; nothing where `[ldap]` is not set."""
    there = settings.ldap
    if there is None:
        return
    from webmail.auth.providers.ldap import DirectoryTalk

    ca_file = directory.ca_file(settings)
    if ca_file and (trouble := ca_trouble(ca_file)):
        yield CheckResult("Directory", PROBLEM, f"was not asked: {trouble}.")
        return
    talk = DirectoryTalk(there, ca_file)
    try:
        talk.reach()
        talk.sign_in()
        yield CheckResult("Directory", OK, f"{there.url} answers{_how(settings)}.")
        if not talk.has_base():
            yield CheckResult("Directory base", PROBLEM, f"{there.base} is not there, or {_who(settings)} may not see it.")
            return
        yield CheckResult("Directory base", OK, f"{there.base}.")
        talk.find(_NOBODY, f"{_NOBODY}@{settings.domain}")
        yield CheckResult("Directory search", OK, f"with the filter {there.filter}.")
        yield _identifiers(list(zip(range(1), talk.everybody(), strict=False)))
    except ServerAwayError as error:
        yield CheckResult("Directory", PROBLEM, f"{plain(error)}. {_ADVICE}")
    finally:
        talk.close()


_ADVICE = (
    "Check [ldap]: url, ca_file, bind_dn, bind_password, base and filter. Meanwhile only people with a password of ours get in."
)


def _identifiers(first: list[tuple[int, str]]) -> CheckResult:
    name = "Directory people"
    if not first:
        return CheckResult(name, PROBLEM, "nobody is found there: check base, filter and active_filter.")
    if first[0][1].startswith("dn:"):
        words = (
            "are known by their DN alone, as neither entryUUID nor objectGUID can be read: who is renamed is somebody else then."
        )
        return CheckResult(name, WARNING, words)
    return CheckResult(name, OK, "are found, and known by a number that never changes.")


def _how(settings: Settings) -> str:
    there = settings.ldap
    assert there is not None
    secure = not there.is_here or there.url.startswith("ldaps:") or (there.starttls and there.ca_file)
    return f"{', its certificate is trusted' if secure else ', without TLS, on this machine only'}, to {_who(settings)}"


def _who(settings: Settings) -> str:
    assert settings.ldap is not None
    return settings.ldap.bind_dn or "nobody in particular (anonymous)"
