"""DNS records of an installation, as lines of a zone file: what other servers, programs and authorities look for."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.installer.job import Job
from deploy.installer.steps import spam_filter

_CHUNK = 250  # characters of a text: DNS takes 255 at once


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """`name` ends in a dot; `why` is a sentence."""

    name: str
    kind: str
    value: str
    why: str


def zone_file(job: Job) -> str:
    """All records, each with what it is for, and what only the owner of the address can set."""
    lines = [f"; DNS records of {job.answers.domain}. Written by deploy/install: paste them where the domain is administered."]
    for record in records(job):
        lines += [f"; {record.why}", f"{record.name:<45} 3600 IN {record.kind:<6} {record.value}"]
    lines.append("; for telephones and mail programs, which find their servers by these")
    lines += [line for line in job.flask("dns-records").splitlines() if line.strip()]
    addresses = ", ".join(job.facts.addresses) or "the address of this machine"
    lines.append(f"; And whoever gave you {addresses} sets its reverse name (PTR) to {job.answers.mail_host}")
    return "\n".join([*lines, ""])


def records(job: Job) -> list[DnsRecord]:
    answers = job.answers
    domain, mail, webmail = f"{answers.domain}.", f"{answers.mail_host}.", f"{answers.webmail_host}."
    found = []
    for name in (webmail, mail, f"mta-sts.{domain}", f"autoconfig.{domain}", f"openpgpkey.{domain}"):
        for address in job.facts.addresses or ("192.0.2.1",):
            kind = "AAAA" if ":" in address else "A"
            found.append(DnsRecord(name, kind, address, f"{name.rstrip('.')} is this machine"))
    policy = f"{answers.dkim_selector}._domainkey.{domain}"
    found += [
        DnsRecord(domain, "MX", f"10 {mail}", "where mail goes"),
        DnsRecord(domain, "TXT", '"v=spf1 mx -all"', "who may send for the domain (SPF)"),
        DnsRecord(mail, "TXT", '"v=spf1 a -all"', "for what the server itself writes"),
        DnsRecord(policy, "TXT", _texts(spam_filter.record(job)), "the key of its signatures (DKIM)"),
        DnsRecord(
            f"_dmarc.{domain}",
            "TXT",
            f'"v=DMARC1; p=quarantine; rua=mailto:postmaster@{answers.domain}"',
            "what becomes of forged mail (DMARC)",
        ),
        DnsRecord(f"_mta-sts.{domain}", "TXT", '"v=STSv1; id=1"', "others send to it encrypted alone (MTA-STS)"),
        DnsRecord(
            f"_smtp._tls.{domain}",
            "TXT",
            f'"v=TLSRPTv1; rua=mailto:postmaster@{answers.domain}"',
            "and report where they can't (TLS-RPT)",
        ),
    ]
    if answers.certificate == "letsencrypt":
        found.append(DnsRecord(domain, "CAA", '0 issue "letsencrypt.org"', "who may make certificates for it"))
    return found


def _texts(value: str) -> str:
    return " ".join(f'"{value[start : start + _CHUNK]}"' for start in range(0, len(value), _CHUNK))
