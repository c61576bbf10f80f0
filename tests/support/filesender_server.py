"""FileSender from a checkout beside Traboule: PHP's own server and PostgreSQL, on loopback, signed in by its `fake` provider.

FILESENDER_CHECKOUT names the checkout (https://github.com/filesender/filesender). It is copied, nothing is written into it. Needs
Debian's php-cli, php-pgsql, php-xml, php-mbstring, php-intl and PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from deploy.demo.child import HOST, free_ports, start
from tests.support import postgresql

PAGE = "/index.php?s=upload"
_PARTS = (
    "classes",
    "config",
    "config-templates",
    "includes",
    "language",
    "lib",
    "optional-dependencies",
    "scripts",
    "templates",
    "www",
)
_CONFIG = """<?php
$config['site_url'] = '{site}';
$config['site_name'] = 'FileSender';
$config['admin'] = '1';
$config['admin_email'] = 'root@lycee.example';
$config['email_reply_to'] = 'noreply@lycee.example';
$config['force_ssl'] = false;
$config['session_cookie_secure'] = false;
$config['auth_sp_type'] = 'fake';
$config['auth_sp_fake_authenticated'] = true;
$config['auth_sp_fake_uid'] = '1';
$config['auth_sp_fake_email'] = 'alice@lycee.example';
$config['auth_sp_fake_name'] = 'Alice Leroy';
$config['db_type'] = 'pgsql';
$config['db_host'] = '{host}';
$config['db_port'] = '5432';
$config['db_database'] = '{database}';
$config['db_username'] = 'traboule';
$config['db_password'] = 'none';
$config['storage_type'] = 'filesystem';
$config['storage_filesystem_path'] = '{base}/files';
$config['log_facilities'] = array(array('type' => 'file', 'path' => '{base}/log/', 'rotate' => 'hourly'));
{more}
"""
_MAILBOX = "#!/bin/sh\n{{ cat; printf '\\n%s\\n' '=== end'; }} >> {file}\n"


class NotHere(Exception):
    """FileSender can't be had here; the message says why."""


@dataclass(frozen=True, slots=True)
class RunningFileSender:
    """`mail`: the file that every mail it sends is added to; `database`: its address."""

    address: str
    mail: Path
    database: str


def checkout() -> str:
    """The folder that is named; "" if none is."""
    return os.environ.get("FILESENDER_CHECKOUT", "")


@contextmanager
def running(base: Path, more: str = "") -> Iterator[RunningFileSender]:
    """It, while the block runs; `more`: lines of its config.php. Raises NotHere, ServiceFailedError."""
    source, php = checkout(), shutil.which("php")
    server = postgresql.server_url() if source and php else ""
    if not source:
        raise NotHere("FILESENDER_CHECKOUT names no checkout of FileSender")
    if not php or not server:
        raise NotHere("PHP and PostgreSQL are needed")
    base = base.resolve()
    for part in _PARTS:
        if Path(source, part).exists():
            shutil.copytree(Path(source, part), base / part, symlinks=True)
    for folder in ("tmp", "log", "files"):
        (base / folder).mkdir()
    mail, sendmail = base / "mail.txt", base / "sendmail"
    sendmail.write_text(_MAILBOX.format(file=mail))
    sendmail.chmod(0o755)
    port = free_ports(1)[0]
    site = f"http://{HOST}:{port}"
    with postgresql.fresh_database() as url:
        known = urlsplit(url)
        values = {"site": site, "base": base, "host": parse_qs(known.query)["host"][0], "database": known.path[1:], "more": more}
        (base / "config" / "config.php").write_text(_CONFIG.format(**values))
        subprocess.run([php, base / "scripts" / "upgrade" / "database.php"], check=True, stdout=subprocess.DEVNULL)
        command = [php, "-d", f"sendmail_path={sendmail}", "-S", f"{HOST}:{port}"]
        child = start("filesender", command, base / "php.out", port, cwd=base / "www")
        try:
            child.wait_for(lambda _port: bool(fetched(site + PAGE)))
            yield RunningFileSender(site, mail, url)
        finally:
            child.stop()


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())
