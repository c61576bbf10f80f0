"""DNS records of an installation: the installer tells Traboule what only it knows (the key of signatures, addresses, who issues
certificates), and Traboule, which also checks them, lists them all (`flask dns-records`, webmail/doctor/zone/wanted.py).
"""

from __future__ import annotations

from ipaddress import ip_address

from deploy.installer.job import Job
from deploy.installer.steps import spam_filter


def settings(job: Job) -> dict[str, str]:
    """Settings of Traboule that say what belongs in DNS."""
    found = {"server_addresses": ", ".join(one for one in job.facts.addresses if ip_address(one).is_global)}
    if spam_filter.has_key(job):
        found |= {"dkim_selector": job.answers.dkim_selector, "dkim_record": spam_filter.record(job)}
    if job.answers.certificate == "letsencrypt":
        found["certificate_authority"] = "letsencrypt.org"
    return {name: value for name, value in found.items() if value}


def zone_file(job: Job) -> str:
    """All records, as a text to paste."""
    first = f"; DNS records of {job.answers.domain}. Written by deploy/install: paste them where the domain is administered."
    lines = [line for line in job.flask("dns-records").splitlines() if line.strip()]
    return "\n".join([first, *lines, ""])
