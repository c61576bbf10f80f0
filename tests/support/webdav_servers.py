"""WebDAV servers of other people on this machine: WsgiDAV (a dependency of the tests), and rclone and Apache where they are
installed (Debian: rclone, apache2-bin). Each serves a folder to one person by name and password.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.child import HOST, free_ports, start
from tests.support.waiting import eventually

LOGIN, PASSWORD = "marie", "Kx7-app-password"
_WSGIDAV = """
import sys
from cheroot import wsgi
from wsgidav.wsgidav_app import WsgiDAVApp
folder, port = sys.argv[1], int(sys.argv[2])
people = {"user_mapping": {"*": {sys.argv[3]: {"password": sys.argv[4]}}}}
basic = {"accept_basic": True, "accept_digest": False, "default_to_digest": False}
app = WsgiDAVApp({"provider_mapping": {"/": folder}, "simple_dc": people, "http_authenticator": basic, "verbose": 1})
wsgi.Server(("127.0.0.1", port), app).start()
"""
_APACHE = """
ServerRoot {modules}
ServerName localhost
Listen {host}:{port}
PidFile {base}/pid
ErrorLog {base}/error.log
DavLockDB {base}/lock
DocumentRoot {files}
{user}
{loaded}
<Directory {files}>
  Dav On
  AuthType Basic
  AuthName files
  AuthUserFile {base}/people
  Require valid-user
</Directory>
"""
_MODULES = Path("/usr/lib/apache2")
_LOADED = ("mpm_event", "authn_core", "authz_core", "authz_user", "authn_file", "auth_basic", "dav", "dav_fs")
KINDS = ("wsgidav", "rclone", "apache")


@dataclass(frozen=True, slots=True)
class WebDavServer:
    """`files`: the folder that it serves."""

    kind: str
    root: str
    files: Path


def is_here(kind: str) -> bool:
    """Whether this server can run here."""
    return {
        "wsgidav": True,
        "rclone": shutil.which("rclone") is not None,
        "apache": shutil.which("apache2", path="/usr/sbin:/usr/bin") is not None
        and (_MODULES / "modules/mod_dav_fs.so").exists(),
    }[kind]


@contextmanager
def running(kind: str, base: Path) -> Iterator[WebDavServer]:
    """One of KINDS, with its folder in `base`, which everybody has to be able to read."""
    files, [port] = base / "files", free_ports(1)
    files.mkdir()
    command = {"wsgidav": _wsgidav, "rclone": _rclone, "apache": _apache}[kind](base, files, port)
    child = start(kind, command, base / "server.log", port)
    try:
        eventually(lambda: _listens(port), what=f"{kind} listens")
        yield WebDavServer(kind, f"http://{HOST}:{port}/", files)
    finally:
        child.stop()


def _wsgidav(_base: Path, files: Path, port: int) -> list[str]:
    return [sys.executable, "-c", _WSGIDAV, str(files), str(port), LOGIN, PASSWORD]


def _rclone(_base: Path, files: Path, port: int) -> list[str]:
    fresh = ["--dir-cache-time", "0s"]  # tests look at its folder, and clean it, behind its back
    return ["rclone", "serve", "webdav", str(files), "--addr", f"{HOST}:{port}", "--user", LOGIN, "--pass", PASSWORD, *fresh]


def _apache(base: Path, files: Path, port: int) -> list[str]:
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
    (base / "people").write_text(f"{LOGIN}:{{SHA}}{digest}\n")
    for folder in (base, files):
        folder.chmod(0o777)  # as root it serves as www-data
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    loaded = "\n".join(f"LoadModule {name}_module modules/mod_{name}.so" for name in _LOADED)
    config = base / "httpd.conf"
    config.write_text(_APACHE.format(modules=_MODULES, host=HOST, port=port, base=base, files=files, user=user, loaded=loaded))
    return ["/usr/sbin/apache2", "-X", "-f", str(config)]


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
