"""Doctor, directory: whether people can sign in by LDAP, one step after the other, so that the one that fails is named."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.auth.providers import directory
from webmail.config.settings import Settings, ca_trouble
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, told, why
from webmail.doctor.result import lazy_gettext as _l
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
        yield CheckResult("Directory", PROBLEM, _l("was not asked: %(why)s.", why=told(trouble)))
        return
    talk = DirectoryTalk(there, ca_file)
    try:
        talk.reach()
        talk.sign_in()
        yield CheckResult("Directory", OK, _answers(settings))
        if not talk.has_base():
            yield CheckResult("Directory base", PROBLEM, _no_base(settings))
            return
        yield CheckResult("Directory base", OK, f"{there.base}.")
        talk.find(_NOBODY, f"{_NOBODY}@{settings.domain}")
        yield CheckResult("Directory search", OK, _l("with the filter %(filter)s.", filter=there.filter))
        yield _identifiers(list(zip(range(1), talk.everybody(), strict=False)))
    except ServerAwayError as error:
        yield CheckResult("Directory", PROBLEM, _away(why(error)))
    finally:
        talk.close()


def _away(reason: str) -> str:
    return _l(
        "%(why)s. Check [ldap]: url, ca_file, bind_dn, bind_password, base and filter. Meanwhile only people with a password of "
        "ours get in.",
        why=reason,
    )


def _identifiers(first: list[tuple[int, str]]) -> CheckResult:
    name = "Directory people"
    if not first:
        return CheckResult(name, PROBLEM, _l("nobody is found there: check base, filter and active_filter."))
    if first[0][1].startswith("dn:"):
        words = _l(
            "are known by their DN alone, as neither entryUUID nor objectGUID can be read: a person who is renamed there becomes "
            "somebody else here. Let bind_dn read one of the two."
        )
        return CheckResult(name, WARNING, words)
    return CheckResult(name, OK, _l("are found, and known by a number that never changes."))


def _answers(settings: Settings) -> str:
    there = settings.ldap
    assert there is not None
    about = {"url": there.url, "who": _who(settings)}
    if not there.is_here or there.url.startswith("ldaps:") or (there.starttls and there.ca_file):
        return _l("%(url)s answers, its certificate is trusted, to %(who)s.", **about)
    return _l("%(url)s answers, without TLS, on this machine only, to %(who)s.", **about)


def _no_base(settings: Settings) -> str:
    assert settings.ldap is not None
    return _l(
        "%(base)s is not there, or %(who)s may not see it: correct base in [ldap], or let that account read it.",
        base=settings.ldap.base, who=_who(settings),
    )  # fmt: skip


def _who(settings: Settings) -> str:
    assert settings.ldap is not None
    return settings.ldap.bind_dn or _l("nobody in particular (anonymous)")
