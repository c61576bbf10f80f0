"""Watched things: pages of administration with what a real installation shows there: checks, DNS, backups to bring back from."""

from __future__ import annotations

from datetime import timedelta

from deploy.demo import accounts
from deploy.demo.services import Services
from webmail.admin.watching import check_notes, dns_notes
from webmail.admin.watching.check_notes import CheckFinding
from webmail.admin.watching.dns_notes import DnsFinding
from webmail.models import BackupNight, CheckState, RestoreKind, RestoreRequest, RestoreState, User, now

_DOMAIN = "lycee.example"
_KEY = "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" * 8
_CHECKS = (
    ("Postfix", "problem",
     "asks a milter at 127.0.0.1:8894 about each message, and none answers there, so that no port takes mail (451). Start it: "
     "`systemctl restart traboule-milter`; `journalctl -u traboule-milter` says why it ended.",
     "interroge un milter à 127.0.0.1:8894 pour chaque message, et aucun n’y répond : plus aucun port n’accepte de courrier "
     "(451). Relancez-le : « systemctl restart traboule-milter » ; « journalctl -u traboule-milter » dit pourquoi il s’est "
     "arrêté.", None),
    ("Database role", "problem",
     "traboule_dovecot may not read mail_aliases. If Dovecot uses it, nobody can sign in to mail: as the owner of the tables, "
     "`GRANT SELECT ON mail_aliases TO traboule_dovecot`.",
     "traboule_dovecot n’a pas le droit de lire mail_aliases. Si Dovecot l’utilise, plus personne n’accède à sa messagerie : en "
     "tant que propriétaire des tables, « GRANT SELECT ON mail_aliases TO traboule_dovecot ».", None),
    ("Web certificate", "warning", "its certificate is trusted but expires in 9 days: renew it.",
     "son certificat est reconnu mais expire dans 9 jours : renouvelez-le.", 9),
    ("Backup", "warning", "the last one of the database is 6 days old. Does its timer run? See its log, and make one now.",
     "la dernière de la base de données date de 6 jours. Sa minuterie tourne-t-elle ? Voyez son journal, et faites-en une "
     "maintenant.", None),
    ("Devices, IMAP", "warning",
     "mail.lycee.example port 993 can’t be reached from here (connection refused). If it can from outside, this does no harm.",
     "mail.lycee.example port 993 est injoignable d’ici (connection refused). Si l’extérieur l’atteint, c’est sans conséquence.",
     None),
    ("IMAP", "ok", "127.0.0.1 port 143 answers, without TLS, on this machine only.",
     "127.0.0.1, port 143, répond, sans TLS, sur cette machine seulement.", None),
    ("Directory", "ok", "ldaps://annuaire.lycee.example answers, its certificate is trusted, to cn=traboule,ou=services,dc=lycee.",
     "ldaps://annuaire.lycee.example répond, avec un certificat reconnu, à cn=traboule,ou=services,dc=lycee.", None),
    ("OpenID Connect, educonnect", "ok", "https://educonnect.example answers, and knows this webmail.",
     "https://educonnect.example répond, et connaît ce webmail.", None),
    (f"DNS of {_DOMAIN}", "ok", "all records are there.", "tous les enregistrements y sont.", None),
    ("Database", "ok", "opens, is up to date and writable; 1284 accounts.",
     "s’ouvre, à jour et accessible en écriture ; 1284 comptes.", None),
)  # fmt: skip
_RECORDS = (
    ("", "MX", "10 mail.lycee.example.", "mail", "problem", "no-address", "gone.lycee.example"),
    ("traboule._domainkey.", "TXT", f'"{_KEY}"', "dkim", "problem", "other-key", "v=DKIM1; p=MIIB"),
    ("", "TXT", '"v=spf1 mx -all"', "spf", "warning", "without-us", "v=spf1 include:_spf.hoster.example -all"),
    ("_dmarc.", "TXT", '"v=DMARC1; p=quarantine; rua=mailto:postmaster@lycee.example"', "dmarc", "unknown", "unknown", ""),
    ("_imaps._tcp.", "SRV", "0 1 993 mail.lycee.example.", "programs", "advised", "missing", ""),
    ("mail.", "A", "192.0.2.10", "host", "ok", "", "192.0.2.10"),
)


def watch(demo: Services, address: str) -> None:
    """Put all of it into the demo's database. The person brings a folder and a calendar back; one of that did not work."""
    with accounts.tables(demo.database):
        found = [CheckFinding(name, state, {"en": en, "fr": _spaced(fr)}, days) for name, state, en, fr, days in _CHECKS]
        check_notes.replace(found)
        CheckState.delete().execute()
        for one in found:
            if one.state != "ok":
                CheckState.create(name=one.name, state=one.state, since=now() - timedelta(hours=7), told=one.state)
        dns_notes.replace(DnsFinding(_DOMAIN, f"{name}{_DOMAIN}.", *about) for name, *about in _RECORDS)
        _backups(User.get(User.address == address))


def _backups(user: User) -> None:
    BackupNight.delete().execute()
    RestoreRequest.delete().where(RestoreRequest.user == user).execute()
    for day in range(1, 9):
        BackupNight.create(snapshot=f"{day:064x}", at=(now() - timedelta(days=day)).replace(hour=2, minute=17))
    night = BackupNight.select().order_by(BackupNight.at).first()
    common = {"user": user, "asked_by": user.address, "snapshot": night.snapshot, "night": night.at}
    folder = {"kind": RestoreKind.MAIL, "what": "Projets/Voyage de classe", "title": "Projets/Voyage de classe"}
    begun = now() - timedelta(hours=3)
    ended = {"asked": begun, "begun": begun, "ended": begun + timedelta(minutes=4)}
    RestoreRequest.create(**common, **folder, **ended, place="Restauré", state=RestoreState.DONE, number=412, left_out=2)
    agenda = {"kind": RestoreKind.CALENDAR, "title": "Conseils de classe", "place": "Conseils de classe (restauré)"}
    RestoreRequest.create(**common, **agenda, **ended, state=RestoreState.FAILED, problem="stopped")
    RestoreRequest.create(**common, **agenda, open_for=user.id)


def _spaced(text: str) -> str:
    """With the spaces of French that no line breaks at."""
    for sign in ":;?!»":
        text = text.replace(f" {sign}", f"\xa0{sign}")
    return text.replace("« ", "«\xa0")
