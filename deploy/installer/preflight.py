"""Preflight: what stands in the way of an installation, found before anything is changed, each with what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deploy.installer import facts
from deploy.installer.answers import Answers
from deploy.installer.facts import Facts

GIGABYTE = 1_000_000_000
FILTER_MEMORY = 1_900_000_000  # bytes, from which a machine said to have 2 GB has a spam filter
_SMALLEST = 900_000_000  # bytes of memory
_DISK = 4 * GIGABYTE
_SERVERS = ("dovecot-core", "postfix", "nginx-common", "exim4-base", "apache2", "rspamd", "opendkim")


@dataclass(frozen=True, slots=True)
class Finding:
    """`stops`: nothing can be done before this is mended."""

    words: str
    stops: bool = False


def findings(answers: Answers, known: Facts, has_package: Callable[[str], bool], is_ours: bool) -> list[Finding]:
    """What is wrong or worth knowing, what stops first. `is_ours`: the installer was here before."""
    found = [*_machine(known, is_ours), *_ports(known), *_names(answers, known)]
    if not is_ours:
        found += _others(has_package)
    return sorted(found, key=lambda each: not each.stops)


def has_spam_filter(answers: Answers, known: Facts) -> bool:
    """Whether rspamd is installed: by the answer, or by the memory."""
    return answers.spam == "rspamd" or (answers.spam == "auto" and known.memory >= FILTER_MEMORY)


def _machine(known: Facts, is_ours: bool) -> list[Finding]:
    found = []
    if not known.is_root:
        found.append(Finding("Only root can install a server: sudo deploy/install", stops=True))
    if known.system != "debian 13":
        found.append(Finding(f"This is {known.system or 'an unknown system'}; the installer is made for Debian 13.", stops=True))
    if not known.has_systemd:
        found.append(Finding("This machine was not started by systemd, which starts and watches the services.", stops=True))
    if known.memory < _SMALLEST:
        found.append(Finding(f"{known.memory // 1_000_000} MB of memory are too few: 1 GB is the least.", stops=True))
    if known.disk < _DISK:
        words = f"{known.disk // 1_000_000} MB are free below /var: 4 GB are the least, without mail."
        found.append(Finding(words, stops=not is_ours))  # a server that has filled up can still be mended
    if known.clock_set is False:
        found.append(Finding("The network does not set the clock: codes and signatures fail with a wrong one. See timedatectl."))
    if known.sends_mail_out is False:
        found.append(
            Finding("Port 25 of other servers is not reached: ask whoever gives you the line to open it, or no mail leaves.")
        )
    return found


def _ports(known: Facts) -> list[Finding]:
    return [
        Finding(f"{program} listens on port {port}, which is for {facts.PORTS[port]}: stop it, then type this again.", stops=True)
        for port, program in sorted(known.taken.items())
    ]


def _names(answers: Answers, known: Facts) -> list[Finding]:
    """Names must lead here where a certificate is to be had; else they are told."""
    found = []
    for name in (answers.webmail_host, answers.mail_host):
        leads = facts.resolves_to(name)
        if not leads:
            words = f"{name} has no address in DNS yet"
            found.append(
                Finding(
                    f"{words}: Let's Encrypt can't reach it, so make its A record first.", answers.certificate == "letsencrypt"
                )
            )
        elif known.addresses and not set(leads) & set(known.addresses):
            found.append(
                Finding(f"{name} leads to {', '.join(leads)}, not to {', '.join(known.addresses)}: right behind a router alone.")
            )
    for address in known.addresses[:2]:
        if (reverse := facts.name_of(address)) != answers.mail_host:
            found.append(
                Finding(f"{address} is called {reverse or 'nothing'} in DNS, not {answers.mail_host}: mail may be refused (PTR).")
            )
    return found


def _others(has_package: Callable[[str], bool]) -> list[Finding]:
    there = [name for name in _SERVERS if has_package(name)]
    found = [
        Finding(f"{name} is in the way: apt-get purge {name}, then type this again.", stops=True)
        for name in there
        if name in ("exim4-base", "apache2")
    ]
    kept = [name for name in there if name not in ("exim4-base", "apache2")]
    if kept:
        found.append(
            Finding(f"{', '.join(kept)}: there already. A copy of their settings is kept in /var/lib/traboule-install/kept.")
        )
    return found
