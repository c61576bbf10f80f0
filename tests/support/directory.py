"""A real LDAP directory for tests: slapd, rootless, with a certificate of its own and two trees; ended with the block.

`dc=lycee,dc=example` has people by `uid`, groups that list them (memberOf), quotas and people who may not sign in;
`dc=college,dc=example` has people by `sAMAccountName`, as Active Directory has.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.child import HOST, Child, free_ports, start
from deploy.demo.place import mail_owner
from tests.support.servers import certificate
from tests.support.waiting import eventually
from webmail.config.providers import Ldap

SLAPD = shutil.which("slapd") or "/usr/sbin/slapd"
PASSWORD = "directory pencil cloud"
READER, READER_PASSWORD = "cn=reader,dc=lycee,dc=example", "reader's own words"
ROOT, ROOT_PASSWORD = "cn=root,dc=lycee,dc=example", "root's own words"
BASE = "ou=people,dc=lycee,dc=example"
CROWD = 1200

_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.99999.1 NAME 'mailQuota' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.99999.2 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.99999.3 NAME 'group' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.99999.4 NAME 'schoolPerson' AUXILIARY MAY ( mailQuota $ sAMAccountName $ group ) )
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
pidfile {folder}/pid
TLSCertificateFile {folder}/{host}.90.pem
TLSCertificateKeyFile {folder}/{host}.90.key
access to attrs=userPassword by anonymous auth by * none
access to dn.base="" by * read
access to dn.subtree="dc=lycee,dc=example" by dn.exact="{reader}" read by anonymous auth by * none
access to * by * read
allow bind_anon_dn
database mdb
suffix "dc=lycee,dc=example"
directory {folder}/lycee
maxsize 104857600
rootdn "{root}"
rootpw "{root_password}"
limits dn.exact="{reader}" size.soft=600 size.hard=600 size.pr=500 size.prtotal=unlimited
dbnosync
index uid,mail,entryUUID,objectClass eq
overlay memberof
overlay ppolicy
ppolicy_default "cn=policy,dc=lycee,dc=example"
database mdb
suffix "dc=college,dc=example"
directory {folder}/college
maxsize 104857600
rootdn "cn=root,dc=college,dc=example"
rootpw "{root_password}"
dbnosync
index sAMAccountName,mail eq
"""


@dataclass
class Directory:
    """A running slapd. `settings()` are those of `[ldap]` for the first tree."""

    child: Child
    folder: Path
    port: int
    tls_port: int
    ca_file: str

    def settings(self, **changed: Any) -> Ldap:
        values: dict[str, Any] = {
            "url": f"ldap://{HOST}:{self.port}", "base": BASE, "ca_file": self.ca_file, "bind_dn": READER,
            "bind_password": READER_PASSWORD, "groups_attribute": "memberOf", "quota_attribute": "mailQuota",
            "active_filter": "(!(employeeType=gone))", "domains": "lycee.example, annexe.example", "make_groups": True,
        }  # fmt: skip
        return Ldap(**(values | changed))

    def as_table(self, **changed: Any) -> dict[str, Any]:
        """The same as they are written in config.toml."""
        made = self.settings(**changed)
        return {name: getattr(made, name) for name in made.__dataclass_fields__}

    @contextmanager
    def root(self) -> Iterator[Any]:
        """A connection that may change everything, of python-ldap."""
        import ldap

        connection = ldap.initialize(f"ldap://{HOST}:{self.port}")
        connection.simple_bind_s(ROOT, ROOT_PASSWORD)
        try:
            yield connection
        finally:
            connection.unbind_s()

    def add(self, dn: str, **values: str | Sequence[str]) -> str:
        """An entry; returns its DN."""
        with self.root() as connection:
            connection.add_s(dn, [(name, [one.encode() for one in _list(told)]) for name, told in values.items()])
        return dn

    def person(self, uid: str, **values: str | Sequence[str]) -> str:
        """Somebody in the first tree, with PASSWORD; returns the DN."""
        import ldap.dn

        told = person(uid) | values
        return self.add(f"uid={ldap.dn.escape_dn_chars(uid)},{BASE}", **{name: one for name, one in told.items() if one})

    def change(self, dn: str, **values: str | Sequence[str]) -> None:
        """Replace attributes; an empty text removes one."""
        import ldap

        with self.root() as connection:
            changes = [(ldap.MOD_REPLACE, name, [one.encode() for one in _list(told)] or None) for name, told in values.items()]
            connection.modify_s(dn, changes)

    def remove(self, dn: str) -> None:
        with self.root() as connection:
            connection.delete_s(dn)

    def stop(self) -> None:
        self.child.stop()


def person(uid: str) -> dict[str, str | Sequence[str]]:
    return {
        "objectClass": ["inetOrgPerson", "schoolPerson"], "uid": uid, "cn": uid, "sn": uid, "displayName": f"{uid.capitalize()} Martin",
        "mail": f"{uid}@lycee.example", "userPassword": PASSWORD,
    }  # fmt: skip


def _list(told: str | Sequence[str]) -> list[str]:
    return ([told] if told else []) if isinstance(told, str) else list(told)


def missing() -> str:
    """Why there can be no directory here; "" where there can."""
    if not find_spec("ldap"):
        return "python-ldap is not installed"
    return "" if Path(SLAPD).exists() else "slapd is not installed"


@contextmanager
def running(crowd: int = 0) -> Iterator[Directory]:
    """A directory with a few people, and `crowd` more; skips the test where slapd or python-ldap is not installed."""
    if why := missing():
        pytest.skip(why)
    owner = mail_owner()  # slapd need not be root
    folder = Path(tempfile.mkdtemp(prefix="traboule-ldap-", dir="/tmp"))
    child = None
    try:
        _, ca_file = certificate(folder, HOST)
        for tree in ("lycee", "college"):
            (folder / tree).mkdir()
        values = {"folder": folder, "host": HOST, "reader": READER, "root": ROOT, "root_password": ROOT_PASSWORD}
        (folder / "slapd.conf").write_text(_CONFIG.format(**values))
        owner.own(folder, *folder.rglob("*"))
        folder.chmod(0o755)
        for suffix, entries in (("dc=lycee,dc=example", _lycee(crowd)), ("dc=college,dc=example", _college())):
            _load(owner.prefix, folder, suffix, entries)
        port, tls_port = free_ports(2)
        where = f"ldap://{HOST}:{port}/ ldaps://{HOST}:{tls_port}/"
        command = [*owner.prefix, SLAPD, "-d", "0", "-h", where, "-f", str(folder / "slapd.conf")]
        child = start("slapd", command, folder / "log", port, cwd=Path("/"))
        made = Directory(child, folder, port, tls_port, ca_file)
        eventually(lambda: _answers(made), what="slapd answers")
        _groups(made)
        yield made
    finally:
        if child is not None:
            child.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(directory: Directory) -> bool:
    import ldap

    assert not directory.child.ended, directory.child.failure()
    try:
        with directory.root():
            return True
    except ldap.SERVER_DOWN:
        return False


def _load(prefix: list[str], folder: Path, suffix: str, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    file = folder / "load.ldif"
    with file.open("w", encoding="utf-8") as out, closing(out):
        for dn, values in entries:
            lines = [f"dn: {dn}", *(f"{name}: {one}" for name, told in values.items() for one in _list(told))]
            out.write("\n".join(lines) + "\n\n")
    slapadd = [*prefix, SLAPD, "-T", "add", "-q", "-b", suffix, "-f", folder / "slapd.conf", "-l", file]
    loaded = subprocess.run(slapadd, capture_output=True, text=True, cwd="/", check=False)
    assert loaded.returncode == 0, loaded.stderr


def _lycee(crowd: int) -> list[tuple[str, Mapping[str, Any]]]:
    top = "dc=lycee,dc=example"
    entries: list[tuple[str, Mapping[str, Any]]] = [
        (top, {"objectClass": ["dcObject", "organization"], "dc": "lycee", "o": "Lycée"}),
        (
            READER,
            {"objectClass": ["applicationProcess", "simpleSecurityObject"], "cn": "reader", "userPassword": READER_PASSWORD},
        ),
        (
            f"cn=policy,{top}",
            {
                "objectClass": ["applicationProcess", "pwdPolicy"],
                "cn": "policy",
                "pwdAttribute": "userPassword",
                "pwdLockout": "TRUE",
            },
        ),
        *((f"ou={name},{top}", {"objectClass": "organizationalUnit", "ou": name}) for name in ("people", "groups")),
    ]
    names = ["ann", "ben", "cleo", "dan", *(f"crowd{number:04}" for number in range(crowd))]
    more: dict[str, Mapping[str, Any]] = {
        "ann": {"mailQuota": "500M", "mail": ["ann@elsewhere.example", "ann.martin@lycee.example", "ann@lycee.example"]},
        "dan": {"employeeType": "gone"},
    }
    entries += [(f"uid={name},{BASE}", {**person(name), **more.get(name, {})}) for name in names]
    return entries


def _college() -> list[tuple[str, Mapping[str, Any]]]:
    top = "dc=college,dc=example"
    emma = {**person("emma"), "sAMAccountName": "emma", "mail": "emma@lycee.example", "cn": "Emma Petit", "uid": "1001"}
    return [
        (top, {"objectClass": ["dcObject", "organization"], "dc": "college", "o": "Collège"}),
        (f"ou=staff,{top}", {"objectClass": "organizationalUnit", "ou": "staff"}),
        (f"cn=Emma Petit,ou=staff,{top}", {**emma, "group": ["6e B", "cn=Chorale,ou=groups,dc=college,dc=example"]}),
    ]


def _groups(directory: Directory) -> None:
    """Added to the running directory, which then writes who is in which (memberOf)."""
    for name, members in (("Teachers", ["ann", "ben"]), ("Science", ["ann"])):
        people = [f"uid={one},{BASE}" for one in members]
        directory.add(f"cn={name},ou=groups,dc=lycee,dc=example", objectClass="groupOfNames", cn=name, member=people)
