"""Certificates: by Let's Encrypt, by an authority of this machine, or files that somebody else renews."""

from __future__ import annotations

import re
from pathlib import Path

from deploy.installer import facts
from deploy.installer.changes import InstallError
from deploy.installer.job import ETC, Job

_HOOK = "/etc/letsencrypt/renewal-hooks/deploy/traboule"
_HOOK_TEXT = """#!/bin/sh
# A new certificate reaches all that show it. Written by deploy/install.
systemctl reload nginx dovecot postfix
"""
_AUTHORITY = f"{ETC}/certificates/authority"
_DAYS = 397  # the most that programs take of a server
_RENEWED = 60 * 86_400  # seconds before its end
_MORE = ("mta-sts", "autoconfig", "openpgpkey")  # names below the domain that some programs ask


def words(job: Job) -> str:
    return {
        "letsencrypt": "ask Let's Encrypt for a certificate, which renews itself",
        "own": f"make an authority of this machine and a certificate ({_AUTHORITY}.pem is what devices are to trust)",
        "files": f"use the certificate {job.certificate[0]}",
    }[job.answers.certificate]


def further_names(job: Job) -> list[str]:
    """Further names that the certificate is for: all with an own authority, else those that have an address."""
    names = [f"{name}.{job.answers.domain}" for name in _MORE]
    return names if job.answers.certificate == "own" else [name for name in names if facts.resolves_to(name)]


def take(job: Job) -> None:
    if job.answers.certificate == "letsencrypt":
        _lets_encrypt(job)
    elif job.answers.certificate == "own":
        _own(job)
    for file in job.certificate:
        if not job.changes.path(file).is_file():
            raise InstallError(f"{file} is not there.")


def _lets_encrypt(job: Job) -> None:
    job.changes.file(_HOOK, _HOOK_TEXT, mode=0o755)
    job.changes.folder("/var/www/html")
    names = [*job.names, *further_names(job)]
    # a key that stays: what DNS says of it (TLSA) is right after a renewal too
    before = _serial(job, job.certificate[0])
    job.changes.run(
        "certbot", "certonly", "--webroot", "-w", "/var/www/html", "--non-interactive", "--agree-tos", "--keep-until-expiring",
        "--expand", "--reuse-key", "--cert-name", job.answers.webmail_host, "-m", job.answers.administrator,
        *(part for name in names for part in ("-d", name)),
    )  # fmt: skip
    if _serial(job, job.certificate[0]) != before:
        job.changes.tell(f"had a certificate made for {', '.join(names)}")
        job.restart_later("nginx", "dovecot", "postfix")


def _own(job: Job) -> None:
    """As an establishment's own authority does, for networks without the internet: its key stays here."""
    changes, folder = job.changes, f"{ETC}/certificates"
    changes.folder(folder, "root", 0o755)
    authority, key = changes.path(f"{_AUTHORITY}.pem"), changes.path(f"{_AUTHORITY}.key")
    names = [*job.names, *further_names(job)]
    if authority.is_file() and not _may_sign(job, authority, names):
        changes.tell(f"the authority of this machine was not for these names; it is kept in {changes.put_aside(str(authority))}")
        authority.unlink()
    if not authority.is_file():
        permitted = ",".join(f"permitted;DNS:{name}" for name in _tops(job, names))
        changes.run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
            "-utf8", "-subj", "/CN=" + re.sub(r"([/+=])", r"\\\1", job.answers.name),
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-addext", f"nameConstraints=critical,{permitted},permitted;email:{job.answers.domain}",
            "-keyout", str(key), "-out", str(authority),
        )  # fmt: skip
        key.chmod(0o600)
        authority.chmod(0o644)
        changes.tell(f"made an authority of this machine: {authority}")
    trusted = changes.path("/usr/local/share/ca-certificates/traboule.crt")
    if not trusted.is_file() or trusted.read_bytes() != authority.read_bytes():
        trusted.write_bytes(authority.read_bytes())
        changes.run("update-ca-certificates")
        changes.tell("this machine itself trusts it")
    certificate, server_key = (changes.path(name) for name in job.certificate)
    if (
        certificate.is_file()
        and _signed_by(job, certificate, authority)
        and _lasts(job, certificate)
        and all(_is_for(job, certificate, name) for name in names)
    ):
        return
    new, new_key = (Path(f"{place}.new") for place in (certificate, server_key))
    changes.run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(_DAYS),
        "-subj", f"/CN={names[0]}", "-addext", f"subjectAltName={','.join(f'DNS:{name}' for name in names)}",
        "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth",
        "-CA", str(authority), "-CAkey", str(key), "-keyout", str(new_key), "-out", str(new),
    )  # fmt: skip
    new_key.chmod(0o600)
    new.write_bytes(new.read_bytes() + authority.read_bytes())
    new_key.replace(server_key)
    new.replace(certificate)
    changes.tell(f"made a certificate for {', '.join(names)}, which is good for {_DAYS} days")
    job.restart_later("nginx", "dovecot", "postfix")


def _tops(job: Job, names: list[str]) -> list[str]:
    """The domain, and names that are not below it."""
    domain = job.answers.domain
    return [domain, *dict.fromkeys(name for name in names if name != domain and not name.endswith(f".{domain}"))]


def _may_sign(job: Job, authority: Path, names: list[str]) -> bool:
    """Whether an authority is for all these names, and their domain."""
    said = job.changes.tried("openssl", "x509", "-noout", "-ext", "nameConstraints", "-in", str(authority)).stdout
    permitted = re.findall(r"DNS:(\S+)", said)
    return all(any(name == top or name.endswith(f".{top}") for top in permitted) for name in (job.answers.domain, *names))


def _signed_by(job: Job, certificate: Path, authority: Path) -> bool:
    return job.changes.tried("openssl", "verify", "-partial_chain", "-trusted", str(authority), str(certificate)).returncode == 0


def _lasts(job: Job, certificate: Path) -> bool:
    return job.changes.tried("openssl", "x509", "-noout", "-in", str(certificate), "-checkend", str(_RENEWED)).returncode == 0


def _is_for(job: Job, certificate: Path, name: str) -> bool:
    said = job.changes.tried("openssl", "x509", "-noout", "-in", str(certificate), "-checkhost", name).stdout
    return "does match" in said


def _serial(job: Job, name: str) -> str:
    place = job.changes.path(name)
    return job.changes.tried("openssl", "x509", "-noout", "-serial", "-in", str(place)).stdout if place.is_file() else ""
