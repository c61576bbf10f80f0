"""Pages of public links in the demo, with what people send each other."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.transfer_ground import published, put_file
from webmail.auth.passwords import hashing
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.models import Transfer, TransferRecipient, User, now
from webmail.transfers import additions, store
from webmail.transfers.options import TransferOptions
from webmail.transfers.requests import guests, requests
from webmail.transfers.requests.guests import Guest
from webmail.transfers.requests.requests import Wishes

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
        Transfer.update(password=hashing.hash_password("sésame")).where(Transfer.id == locked.id).execute()
        cut = published(alice, {"a.txt": b"a"}, settings, link_key=b"k" * 32)
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
            "link-text": f"{here}/preview/{named['Consignes.txt']}",
            "link-picture": f"{here}/preview/{named['Photos/groupe.png']}",
            "link-report": f"{here}/report",
        }


def asking_pages(demo: Services, owner: str) -> dict[str, str]:
    """What is asked for: its owner's pages, and those of people without an account."""
    settings = settings_of(demo)
    with accounts.tables(demo.database):
        alice = User.get(User.address == owner)
        people = [("Bob Martin", "bob@martin.example"), ("", f"{'x' * 50}@{'long-name-' * 5}.example")]
        wishes = Wishes(
            "Photos de la sortie interdisciplinaire", message=_MESSAGE, most_files=20, until=now() + timedelta(days=9)
        )
        made, asked = requests.make(alice, wishes, "fr", settings, people)
        named, _asked = requests.make(alice, Wishes("Dossier", invited_only=True), "fr", settings, people[:1])
        requests.close(named)
        found = guests.find_request(requests.invite_token(asked[0], settings))
        assert found is not None
        sent, begun = (guests.begin(found, Guest(name), settings) for name in ("Zoé Durand", "Léa"))
        put_file(sent, "Photos/Villefranche, le cloître de la collégiale.png", _picture(), settings)
        guests.send(sent, settings)
        put_file(begun, "groupe.png", _picture(), settings)
        store.add_file(begun, "Vidéo du matin.mp4", 10_000_000, "video/mp4", settings)
        link = f"/g/{requests.token(made, settings)}"
        return {
            "requests": "/transfers/requests",
            "request-new": "/transfers/requests/new",
            "request": f"/transfers/requests/{made.id}",
            "request-closed": f"/transfers/requests/{named.id}",
            "request-change": f"/transfers/requests/{made.id}/change",
            "request-sheet": f"/transfers/requests/{made.id}/sheet",
            "guest": link,
            "guest-begun": f"/g/{guests.receipt_token(begun, settings)}",
            "guest-receipt": f"/g/{guests.receipt_token(sent, settings)}",
        }


def own_transfers(demo: Services, owner: str) -> dict[str, str]:
    """What somebody sent and was sent, as they see it themselves."""
    settings = settings_of(demo)
    with accounts.tables(demo.database):
        user = User.get(User.address == owner)
        people = [("Zoé Petit", "zoe@parents.example"), ("", f"{'x' * 50}@{'long-name-' * 5}.example")]
        files = {"Photos/Villefranche, le cloître de la collégiale Notre-Dame-des-Marais.png": b"x" * 90_000, "b.txt": b"b"}
        sent = published(user, files, settings, recipients=people, options=TransferOptions(once=True))
        Transfer.update(subject="Sortie à Villefranche", message=_MESSAGE).where(Transfer.id == sent.id).execute()
        TransferRecipient.update(notified=now()).where(TransferRecipient.transfer == sent).execute()
        put_file(addition := additions.begin(sent, settings), "Horaires du car.pdf", b"%PDF", settings)
        over = published(user, {"a.txt": b"a"}, settings)
        store.close(over, "date")
        put_file(store.create(user, settings), "Vidéo du matin.mp4", b"v" * 5000, settings)
        came = Transfer.select().where(
            (Transfer.owner == user) & Transfer.request.is_null(False) & Transfer.published.is_null(False)
        )
        arrived = came.order_by(Transfer.id).first()
        pages = {
            "transfers-received": "/transfers?show=received",
            "transfers-unfinished": "/transfers?show=unfinished",
            "transfers-found": "/transfers?words=villefranche",
            "transfer": f"/transfers/{sent.id}",
            "transfer-over": f"/transfers/{over.id}",
            "transfer-save-to-drive": f"/transfers/{sent.id}/save-to-drive",
            "transfer-trail": f"/transfers/{sent.id}/trail",
            "transfer-adding": f"/transfers/{sent.id}/additions/{addition.id}",
        }
        return pages | ({"transfer-received": f"/transfers/{arrived.id}"} if arrived is not None else {})
