"""Roundcube from Debian beside Traboule, on the same mail server: nginx, php-fpm and SQLite, all private and on loopback."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from deploy.demo.child import HOST, free_ports, start
from deploy.demo.services import Services
from tests.bench.visitor import Visitor
from tests.bench.webmails import Roundcube

PACKAGES = ("roundcube-core", "roundcube-sqlite3", "php-fpm", "php-intl", "php-curl", "php-gd", "php-zip", "nginx-light")
_POLICY = Path("/usr/sbin/policy-rc.d")  # says whether a package may start what it installs


class NotHere(Exception):
    """Roundcube cannot be compared here; the message says why."""


def install() -> None:
    """Debian's packages, as root only; nothing they bring is started. Raises NotHere."""
    if os.environ.get("BENCH_ROUNDCUBE") == "0":
        raise NotHere("left out (BENCH_ROUNDCUBE=0)")
    missing = [name for name in PACKAGES if not _installed(name)]
    if not missing:
        return
    if os.geteuid() != 0:
        raise NotHere(f"not installed, and only root may: apt-get install --no-install-recommends {' '.join(missing)}")
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *missing]):
            command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", *words]
            done = subprocess.run(
                command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise NotHere(f"not installed: {' '.join(command)}: {(done.stderr or done.stdout).strip()[-300:]}")
    finally:
        if ours:
            _POLICY.unlink()
    if Path("/run/systemd/system").exists():  # nor after the next start of the machine
        subprocess.run(["systemctl", "disable", "--quiet", "nginx", "roundcube-gc.timer", *_fpm_units()], check=False)


@contextmanager
def running(services: Services, base: Path, *, imap_port: int = 0, smtp_port: int = 0) -> Iterator[Roundcube]:
    """Roundcube answering on a free port while the block runs; its mail servers on other ports where given.

    Raises NotHere, ServiceFailedError.
    """
    base.mkdir(parents=True, exist_ok=True)
    base = base.resolve()
    port = free_ports(1)[0]
    _write(services, base, port, imap_port or services.ports.imap, smtp_port or services.ports.smtp)
    services.owner.own(base, *(path for path in base.rglob("*") if not path.is_symlink()))
    commands = {
        "php-fpm": [str(_fpm()), "--nodaemonize", "--fpm-config", str(base / "fpm.conf")],
        "nginx": ["/usr/sbin/nginx", "-c", str(base / "nginx.conf"), "-e", str(base / "nginx.log"), "-g", "daemon off;"],
    }
    with ExitStack() as stack:
        roots = []
        for name, command in commands.items():
            child = start(name, [*services.owner.prefix, *command], base / f"{name}.out", port)
            stack.callback(child.stop)
            roots.append(child.process.pid)
            if name == "nginx":
                child.wait_for(_answers)
        yield Roundcube(f"http://{HOST}:{port}", roots)


def _answers(port: int) -> bool:
    visitor = Visitor(HOST, port)
    try:
        return "_token" in visitor.get("/").text
    finally:
        visitor.close()


def _write(services: Services, base: Path, port: int, imap_port: int, smtp_port: int) -> None:
    for name in ("config", "temp", "logs", "nginx"):
        (base / name).mkdir(exist_ok=True)
    for name in ("defaults.inc.php", "mimetypes.php"):
        shutil.copy(Path("/etc/roundcube", name), base / "config" / name)
    (base / "config" / "config.inc.php").write_text(
        "<?php\n$config = [\n"
        f"  'db_dsnw' => 'sqlite:///{base}/roundcube.sqlite?mode=0640',\n"
        f"  'imap_host' => '{HOST}:{imap_port}',\n  'smtp_host' => '{HOST}:{smtp_port}',\n"
        "  'des_key' => 'only-for-benchmarks-here',\n  'plugins' => [],\n  'skin' => 'elastic',\n"
        f"  'log_dir' => '{base}/logs/',\n  'temp_dir' => '{base}/temp/',\n  'enable_spellcheck' => false,\n"
        "  'enable_installer' => false,\n  'language' => 'fr_FR',\n];\n"
    )
    database = base / "roundcube.sqlite"
    database.unlink(missing_ok=True)
    with sqlite3.connect(database) as tables:
        tables.executescript(Path("/usr/share/roundcube/SQL/sqlite.initial.sql").read_text())
    (base / "fpm.conf").write_text(_FPM.format(base=base))
    (base / "nginx.conf").write_text(_NGINX.format(base=base, port=port, host=HOST))


_FPM = """[global]
error_log = {base}/php-fpm.log
[roundcube]
listen = {base}/fpm.sock
pm = dynamic
pm.max_children = 8
pm.start_servers = 2
pm.min_spare_servers = 1
pm.max_spare_servers = 4
env[ROUNDCUBE_CONFIG_DIR] = {base}/config
php_admin_value[session.save_path] = {base}/temp
"""
_NGINX = """worker_processes auto;
pid {base}/nginx.pid;
error_log {base}/nginx.log;
events {{ worker_connections 512; }}
http {{
  include /etc/nginx/mime.types;
  access_log off;
  sendfile on;
  keepalive_timeout 65;
  keepalive_requests 1000000;
  gzip on; gzip_vary on; gzip_comp_level 6; gzip_min_length 256;
  gzip_types text/css text/plain application/json application/javascript text/javascript image/svg+xml;
  client_body_temp_path {base}/nginx/body; fastcgi_temp_path {base}/nginx/fastcgi; proxy_temp_path {base}/nginx/proxy;
  uwsgi_temp_path {base}/nginx/uwsgi; scgi_temp_path {base}/nginx/scgi;
  server {{
    listen {host}:{port};
    root /var/lib/roundcube/public_html;
    index index.php;
    location ~ ^(.+\\.php)(/.*)?$ {{
      include /etc/nginx/fastcgi.conf;
      fastcgi_pass unix:{base}/fpm.sock;
      fastcgi_buffers 32 32k;
    }}
    location ~* \\.(js|css|png|svg|woff2?|ico|gif|jpg)$ {{ try_files $uri =404; expires 30d; }}
  }}
}}
"""


def _installed(package: str) -> bool:
    status = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    return subprocess.run(status, capture_output=True, text=True, check=False).stdout == "installed"


def _fpm() -> Path:
    found = sorted(Path("/usr/sbin").glob("php-fpm8*"))
    if not found:
        raise NotHere("php-fpm is not installed")
    return found[-1]


def _fpm_units() -> list[str]:
    return [f"php{path.name.removeprefix('php-fpm')}-fpm" for path in Path("/usr/sbin").glob("php-fpm8*")]


def version() -> str:
    shown = ["dpkg-query", "-W", "-f", "${Version}", "roundcube-core"]
    return subprocess.run(shown, capture_output=True, text=True, check=False).stdout.partition("+")[0]
