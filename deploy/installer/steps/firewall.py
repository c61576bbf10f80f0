"""Firewall: nftables lets in what this server is for, and SSH where it listens; fail2ban shuts out who guesses passwords."""

from __future__ import annotations

from deploy.installer import templates
from deploy.installer.facts import PORTS
from deploy.installer.job import Job

_FILE = "/etc/nftables.d/traboule.nft"
_MAIN = "/etc/nftables.conf"
_INCLUDE = 'include "/etc/nftables.d/*.nft"\n'


def words(job: Job) -> str:
    if not job.answers.firewall:
        return "leave the firewall alone, as answered"
    return f"open ports {', '.join(map(str, ports(job)))} and close all others, and shut out who guesses passwords (fail2ban)"


def ports(job: Job) -> list[int]:
    return sorted({*PORTS, *job.facts.ssh_ports})


def take(job: Job) -> None:
    if not job.answers.firewall:
        return
    changes = job.changes
    rules = templates.filled("traboule.nft", ports=", ".join(map(str, ports(job))))
    written = changes.file(_FILE, rules)
    main = changes.path(_MAIN)
    text = main.read_text() if main.is_file() else "#!/usr/sbin/nft -f\nflush ruleset\n"
    if _INCLUDE not in text:
        # Debian's own file lets everything in, by chains of policy accept: ours decides beside it
        main.write_text(text.rstrip("\n") + "\n" + _INCLUDE)
        changes.tell(f"{_MAIN} includes {_FILE}")
        written = True
    changes.run("nft", "-c", "-f", str(main))
    changes.enable("nftables")
    if written:
        changes.run("nft", "-f", str(changes.path(_FILE)))
    jails = templates.filled("fail2ban.conf", ssh=",".join(map(str, job.facts.ssh_ports)))
    filters = templates.filled("fail2ban-dovecot.conf")
    new = changes.file("/etc/fail2ban/filter.d/traboule-dovecot.conf", filters)
    if changes.file("/etc/fail2ban/jail.d/traboule.conf", jails) or new:
        job.restart_later("fail2ban")
    changes.enable("fail2ban")
