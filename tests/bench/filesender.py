"""FileSender from a checkout beside Traboule: PHP's own server and PostgreSQL, on loopback, signed in by its `fake` provider.

FILESENDER names the checkout (https://github.com/filesender/filesender). It is copied, nothing is written into it. Needs Debian's
php-cli, php-pgsql, php-xml, php-mbstring, php-intl and PostgreSQL.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

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
"""


class NotHere(Exception):
    """FileSender can't be compared here; the message says why."""


@dataclass(frozen=True, slots=True)
class PageWeight:
    """What a browser fetches for a page, in bytes, each file compressed by gzip."""

    html: int
    styles: int
    scripts: int

    @property
    def all(self) -> int:
        return self.html + self.styles + self.scripts


@contextmanager
def running(base: Path) -> Iterator[str]:
    """Its address, while the block runs. Raises NotHere, ServiceFailedError."""
    source, php, server = os.environ.get("FILESENDER", ""), shutil.which("php"), postgresql.server_url()
    if not source:
        raise NotHere("FILESENDER names no checkout of FileSender")
    if not php or not server:
        raise NotHere("PHP and PostgreSQL are needed")
    base = base.resolve()
    for part in _PARTS:
        shutil.copytree(Path(source, part), base / part, symlinks=True)
    for folder in ("tmp", "log", "files"):
        (base / folder).mkdir()
    port = free_ports(1)[0]
    site = f"http://{HOST}:{port}"
    with postgresql.fresh_database() as url:
        known = urlsplit(url)
        values = {
            "site": site,
            "base": base,
            "host": parse_qs(known.query)["host"][0],
            "database": known.path[1:],
        }
        (base / "config" / "config.php").write_text(_CONFIG.format(**values))
        subprocess.run([php, base / "scripts" / "upgrade" / "database.php"], check=True, capture_output=True)
        child = start("filesender", [php, "-S", f"{HOST}:{port}"], base / "php.out", port, cwd=base / "www")
        try:
            child.wait_for(lambda _port: bool(_fetched(site + PAGE)))
            yield site
        finally:
            child.stop()


def weight(address: str) -> PageWeight:
    """Of the page to send files, as it comes the first time."""
    html = _fetched(address + PAGE)
    text = html.decode()
    styles = re.findall(r'<link[^>]*stylesheet[^>]*href="([^"]+)"', text)
    scripts = re.findall(r'<script[^>]*src="([^"]+)"', text)
    sums = [sum(len(gzip.compress(_fetched(urljoin(address, one)))) for one in group) for group in (styles, scripts)]
    return PageWeight(len(gzip.compress(html)), *sums)


def _fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())
