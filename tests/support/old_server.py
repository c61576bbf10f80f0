"""Old server: another establishment's Dovecot with a master user, by Dovecot's separator and by SASL's authorization identity."""

from __future__ import annotations

from deploy.demo.services import Services

MASTER, MASTER_PASSWORD = "mover", "master secret"
_MASTERS = """
auth_master_user_separator = *
passdb masters {
  driver = static
  master = yes
  mechanisms_filter = plain login
  username_filter = %s
  passdb_static_password = %s
}
"""


class OldServices(Services):
    """Services without pages, whose master user opens every mailbox."""

    def __init__(self, base) -> None:
        super().__init__(base, web=False)

    def _write_configuration(self) -> None:
        super()._write_configuration()
        file = self.base / "etc" / "dovecot.conf"
        text = file.read_text()
        masters = _MASTERS % (MASTER, MASTER_PASSWORD)
        at = text.index("passdb ")
        file.write_text(text[:at] + masters.lstrip() + text[at:])
