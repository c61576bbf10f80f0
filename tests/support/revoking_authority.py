"""Authority that withdraws certificates: a real one of `openssl`, with its list of them (CRL) and its responder (OCSP) on this machine."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deploy.demo.child import free_ports
from webmail.crypto.x509_certificates import SmimeKey, split_certificates

_CONFIGURATION = """
[ca]
default_ca = school
[school]
database = {folder}/index.txt
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
default_days = 300
default_crl_days = {crl_days}
policy = any
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = req
[person]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = emailProtection
subjectAltName = email:{address}
{where}
[responder]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = OCSPSigning
[authority]
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = hash
"""


class RevokingAuthority:
    """Its certificate is `folder`/ca.pem. `ocsp`, `lists`: where people's certificates say that it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []  # paths of lists that were fetched
        self.ocsp_port, self.list_port = free_ports(2)
        (folder / "index.txt").touch()
        (folder / "serial").write_text("1000\n")
        self._configure()
        self._key("ca")
        self._openssl("req", "-x509", "-key", "ca.key", "-subj", "/CN=Revoking School", "-days", "900", "-config", "ca.cnf", "-extensions", "authority", "-out", "ca.pem")  # fmt: skip
        self._certify("responder", "responder")

    def person(self, name: str, *, ocsp: bool = True, lists: bool = True) -> SmimeKey:
        where = [f"authorityInfoAccess = OCSP;URI:http://127.0.0.1:{self.ocsp_port}/"] if ocsp else []
        where += [f"crlDistributionPoints = URI:http://127.0.0.1:{self.list_port}/list.crl"] if lists else []
        self._configure(f"{name}@lycee.example", "\n".join(where))
        self._certify(name, "person")
        pem = (self.folder / f"{name}.pem").read_bytes()
        return SmimeKey((self.folder / f"{name}.key").read_bytes(), split_certificates(pem)[0])

    def revoke(self, name: str, reason: str = "keyCompromise") -> None:
        self._openssl("ca", "-config", "ca.cnf", "-revoke", f"{name}.pem", "-crl_reason", reason)

    def write_list(self, days: int = 3, name: str = "list.crl") -> None:
        self._configure(crl_days=days)
        more = ["-crl_lastupdate", _stamp(-9), "-crl_nextupdate", _stamp(-3)] if days < 0 else []
        self._openssl("ca", "-config", "ca.cnf", "-gencrl", *more, "-out", "list.pem")
        self._openssl("crl", "-in", "list.pem", "-outform", "DER", "-out", name)

    @contextmanager
    def responding(self) -> Iterator[None]:
        """The responder reads who is withdrawn when it starts."""
        command = ["openssl", "ocsp", "-index", "index.txt", "-port", str(self.ocsp_port), "-rsigner", "responder.pem", "-rkey", "responder.key", "-CA", "ca.pem", "-ndays", "1"]  # fmt: skip
        program = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert program.stdout is not None
            line = program.stdout.readline()
            assert line.startswith("ACCEPT"), line
            yield
        finally:
            program.terminate()
            program.wait()

    @contextmanager
    def listing(self) -> Iterator[None]:
        """Serves the list."""
        asked = self.asked

        class Lists(SimpleHTTPRequestHandler):
            def log_message(self, *_words: object) -> None:
                asked.append(self.path)

        server = ThreadingHTTPServer(("127.0.0.1", self.list_port), partial(Lists, directory=str(self.folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()

    def _configure(self, address: str = "nobody@lycee.example", where: str = "", crl_days: int = 3) -> None:
        text = _CONFIGURATION.format(folder=self.folder, address=address, where=where, crl_days=max(1, crl_days))
        (self.folder / "ca.cnf").write_text(text)

    def _key(self, name: str) -> None:
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")

    def _certify(self, name: str, extensions: str) -> None:
        self._key(name)
        self._openssl(
            "req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name.capitalize()}", "-config", "ca.cnf", "-out", f"{name}.csr"
        )
        self._openssl("ca", "-batch", "-config", "ca.cnf", "-extensions", extensions, "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext")  # fmt: skip

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"


def _stamp(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")
