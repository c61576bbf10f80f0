"""Website: nginx in front of the pages, with the names that programs ask by themselves."""

from __future__ import annotations

from deploy.installer import templates
from deploy.installer.job import CODE, Job
from deploy.installer.steps import certificates

FILE = "/etc/nginx/sites-enabled/traboule.conf"
LOCAL = "/etc/nginx/traboule.d"


def words(job: Job) -> str:
    return f"let nginx show the pages at https://{job.answers.webmail_host} (what you add goes into {LOCAL})"


def take(job: Job) -> None:
    changes = job.changes
    changes.folder(LOCAL)
    changes.remove("/etc/nginx/sites-enabled/default")
    written = changes.file(FILE, text(job, changes.path(f"{CODE}/deploy/nginx.conf").read_text()))
    changes.run("nginx", "-t")
    if written:
        job.restart_later("nginx")
    changes.enable("nginx")


def text(job: Job, template: str) -> str:
    answers = job.answers
    certificate, key = job.certificate
    written = template.replace("webmail.lycee.example", answers.webmail_host)
    written = written.replace(f"/etc/letsencrypt/live/{answers.webmail_host}/fullchain.pem", certificate)
    written = written.replace(f"/etc/letsencrypt/live/{answers.webmail_host}/privkey.pem", key)
    names = [answers.webmail_host, *(name for name in certificates.further_names(job) if not name.startswith("mta-sts."))]
    for usual, other in ((8000, 8001), (8002, 8003)):
        # the second port is a stand-in's, during an update (deploy/updates); both are always tried
        lines = f"server 127.0.0.1:{usual} max_fails=0;\n    server 127.0.0.1:{other} backup max_fails=0;"
        written = written.replace(f"server 127.0.0.1:{usual} fail_timeout=5s;", lines)
    written = written.replace(f"server_name {answers.webmail_host};", f"server_name {' '.join(names)};")
    written = written.replace(f"ssl_certificate_key {key};", f"ssl_certificate_key {key};\n    include {LOCAL}/*.conf;", 1)
    if f"mta-sts.{answers.domain}" in certificates.further_names(job):
        written += templates.filled(
            "mta-sts.conf", domain=answers.domain, certificate=certificate, key=key, mail=answers.mail_host
        )
    return f"# Written by deploy/install from deploy/nginx.conf: what you add goes into {LOCAL}.\n{written}"
