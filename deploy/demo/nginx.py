"""nginx in front of both web services, with deploy/nginx.conf, as an ordinary user: where the package is installed."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from deploy.demo.child import HOST

SITE = Path(__file__).resolve().parents[1] / "nginx.conf"
# what /etc/nginx/nginx.conf of Debian says around a site, with files below {folder}
_AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 2;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    server_tokens off;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    ssl_protocols TLSv1.2 TLSv1.3;
    access_log {folder}/access.log;
    gzip on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def program() -> str | None:
    """None where it is not installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def command(folder: Path, site: str) -> list[str]:
    """Write its configuration below `folder`; the command that runs it in the foreground, whoever owns the folder by then."""
    (folder / "site.conf").write_text(site, encoding="utf-8")
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder), encoding="utf-8")
    found = program()
    assert found
    # -e: where it complains until it has read its configuration
    return [found, "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def site(port: int, pages: list[int], bodies: int, *, plain: int = 0, certificate: Path | None = None) -> str:
    """deploy/nginx.conf with other ports, a line for each web service, and another certificate; without TLS where none is given.

    `plain`: the port that leads to TLS.
    """
    text = SITE.read_text(encoding="utf-8")
    [line] = re.findall(r"^ *server 127\.0\.0\.1:8000.*$", text, re.MULTILINE)
    text = text.replace(line, "\n".join(line.replace("8000", str(number)) for number in pages))
    text = text.replace("server 127.0.0.1:8002", f"server {HOST}:{bodies}")
    text = re.sub(r"^ *listen \[::\]:.*\n", "", text, flags=re.MULTILINE)  # machines without IPv6
    text = text.replace("server_name webmail.lycee.example", f"server_name {HOST}")
    if certificate is None:
        leads, _tls, rest = text.partition("server {\n    listen 443 ssl;")
        text = leads[: leads.rindex("server {")] + f"server {{\n    listen {HOST}:{port};" + rest
        text = re.sub(r"^ *(http2|http2_max_concurrent_streams|ssl_\w+|add_header Strict\S+) .*\n", "", text, flags=re.MULTILINE)
        return text.replace("Host $host;", "Host $http_host;")  # with the port, which is part of where forms come from
    text = text.replace("listen 80;", f"listen {HOST}:{plain};").replace("listen 443 ssl;", f"listen {HOST}:{port} ssl;")
    folder = "/etc/letsencrypt/live/webmail.lycee.example"
    text = text.replace(f"{folder}/fullchain.pem", str(certificate))
    return text.replace(f"{folder}/privkey.pem", str(certificate.with_suffix(".key")))
