"""A certificate asked for by ACME (RFC 8555), as Let's Encrypt gives it: certbot and a test server, pebble, both in the machine."""

from __future__ import annotations

import json
from pathlib import Path

from tests.install.machine import Machine
from tests.install.scene import DOMAIN, add_bob, check, doctor, install, new_machine, works, write_answers

PACKAGES = ("certbot", "pebble")
_SETTINGS = {
    "pebble": {
        "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000", "certificate": "/root/pebble.pem",
        "privateKey": "/root/pebble.key", "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
}  # fmt: skip
# what pebble signs with is made anew at each start, and trusted here from then on
_STARTED = """
set -e
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout /root/pebble.key -out /root/pebble.pem 2>/dev/null
cp /root/pebble.pem /usr/local/share/ca-certificates/pebble.crt
systemd-run -q --unit=pebble -E PEBBLE_VA_NOSLEEP=1 -E PEBBLE_WFE_NONCEREJECT=0 pebble -config /root/pebble.json
for n in $(seq 50); do python3 -c 'import socket; socket.create_connection(("127.0.0.1", 15000), 1)' 2>/dev/null && break; sleep 0.2; done
python3 - >/usr/local/share/ca-certificates/pebble-root.crt <<'EOF'
import ssl, urllib.request
print(urllib.request.urlopen("https://localhost:15000/roots/0", timeout=10, context=ssl._create_unverified_context()).read().decode())
EOF
update-ca-certificates >/dev/null 2>&1
mkdir -p /etc/letsencrypt
printf 'server = https://localhost:14000/dir\\nno-verify-ssl = true\\n' >/etc/letsencrypt/cli.ini
"""
_SHOWN = """
import hashlib, socket, ssl, sys
context = ssl.create_default_context()
for name, port in (("webmail", 443), ("mail", 993), ("mail", 465)):
    host = f"{name}.{sys.argv[1]}"
    with context.wrap_socket(socket.create_connection((host, port), 20), server_hostname=host) as line:
        print(hashlib.sha256(line.getpeercert(True)).hexdigest())
"""


def acme(archive: Path) -> None:
    """A machine whose certificate comes by ACME."""
    with new_machine("acme", archive) as here:
        certified(here)


def certified(here: Machine, **more: object) -> None:
    """Ask, show it everywhere, renew it, and show the new one everywhere."""
    here.run("apt-get", "install", "-q", "-y", "--no-install-recommends", *PACKAGES)
    here.run("tee", "/root/pebble.json", typed=json.dumps(_SETTINGS))
    here.run("sh", "-c", _STARTED)
    write_answers(here, certificate="letsencrypt", **more)
    said = install(here)
    check("had a certificate made for" in said, "a certificate is asked for, and comes")
    add_bob(here)
    works(here, "with a certificate by ACME")
    first = _shown(here)
    check(len(set(first)) == 1, f"pages, IMAP and sending show the same {first}")
    check("Nothing had to be changed." in install(here), "the second time nothing is changed")
    here.run("certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew")
    here.run("sh", "-c", "sleep 3")
    second = _shown(here)
    check(len(set(second)) == 1 and second[0] != first[0], f"after a renewal all show the new one {second}")
    check(not doctor(here), f"the doctor finds no problem {doctor(here)}")


def _shown(here: Machine) -> list[str]:
    """Digests of the certificates that are shown."""
    return here.run("python3", "-c", _SHOWN, DOMAIN).stdout.split()
