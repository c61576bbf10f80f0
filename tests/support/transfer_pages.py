"""Pages of public links in the demo, with what people send each other."""

from __future__ import annotations

import io
from pathlib import Path

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.transfer_ground import published
from webmail import config
from webmail.auth import passwords
from webmail.config import Settings
from webmail.models import Transfer, User
from webmail.transfers import store
from webmail.transfers.options import TransferOptions

_MESSAGE = (
    "Bonjour,\n\nVoici les photos et le programme de la sortie à Villefranche.\nDites-moi si un fichier ne s'ouvre pas.\n\nAlice"
)


def _picture() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.radial_gradient("L").resize((900, 600)).convert("RGB").save(out, "PNG")
    return out.getvalue()


def settings_of(demo: Services) -> Settings:
    return config.load(Path(demo.base) / "web")


def link_to(transfer: Transfer, settings: Settings) -> str:
    return f"/t/{store.link_token(transfer, settings)}"


def public_pages(demo: Services, owner: str) -> dict[str, str]:
    """The page of a link in its states, by a name for each."""
    settings = settings_of(demo)
    with accounts.tables(demo.database):
        alice = User.get(User.address == owner)
        several = published(
            alice,
            {
                "Photos/Villefranche, le cloître de la collégiale Notre-Dame-des-Marais.png": _picture(),
                "Photos/groupe.png": _picture(),
                "Programme.pdf": b"%PDF-1.7\n" + b"x" * 180_000,
                "Consignes.txt": "Départ à 7 h 45 devant le lycée.\nPrévoir un pique-nique.\n".encode() * 20,
                "Vidéo du matin.mp4": b"\0" * 700_000,
            },
            settings,
        )
        Transfer.update(subject="Sortie à Villefranche", message=_MESSAGE).where(Transfer.id == several.id).execute()
        one = published(alice, {"Compte rendu du conseil pédagogique.odt": b"PK" * 40_000}, settings)
        once = published(alice, {"a.txt": b"a", "b.txt": b"b"}, settings, options=TransferOptions(once=True))
        coded = published(alice, {"a.txt": b"a"}, settings, options=TransferOptions(mail_code=True))
        inside = published(alice, {"a.txt": b"a"}, settings, options=TransferOptions(signed_in_only=True, hide_address=True))
        locked = published(alice, {"a.txt": b"a"}, settings)
        Transfer.update(password=passwords.hash_password("sésame")).where(Transfer.id == locked.id).execute()
        cut = published(alice, {"a.txt": b"a"}, settings, link_key=b"k" * 32)
        over = published(alice, {"a.txt": b"a"}, settings)
        store.close(over, "owner")
        named = {file.path: file.upload for file in store.files(several)}
        here = link_to(several, settings)
        return {
            "link": here,
            "link-one": link_to(one, settings),
            "link-once": link_to(once, settings),
            "link-password": link_to(locked, settings),
            "link-code": link_to(coded, settings),
            "link-code-sent": f"{link_to(coded, settings)}?to=bob%40lycee.example",
            "link-inside": link_to(inside, settings),
            "link-cut": link_to(cut, settings),
            "link-over": link_to(over, settings),
            "link-text": f"{here}/preview/{named['Consignes.txt']}",
            "link-picture": f"{here}/preview/{named['Photos/groupe.png']}",
            "link-report": f"{here}/report",
        }
