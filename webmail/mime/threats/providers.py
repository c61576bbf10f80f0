"""Providers: domains where anybody can get an address, and those of public authorities, where only they can."""

from __future__ import annotations

import re

# common in France and among its correspondents; typos are checked against them
_PROVIDERS = """
gmail.com googlemail.com outlook.com outlook.fr hotmail.com hotmail.fr hotmail.be hotmail.ch hotmail.co.uk live.com live.fr
live.be msn.com yahoo.com yahoo.fr yahoo.co.uk yahoo.es yahoo.it yahoo.de ymail.com rocketmail.com icloud.com me.com mac.com
aol.com aol.fr mail.com gmx.com gmx.fr gmx.de gmx.net gmx.ch web.de t-online.de protonmail.com proton.me pm.me zoho.com
fastmail.com orange.fr wanadoo.fr free.fr sfr.fr neuf.fr cegetel.net club-internet.fr bbox.fr numericable.fr laposte.net
aliceadsl.fr mailo.com mailo.fr ik.me infomaniak.com bluewin.ch skynet.be telenet.be proximus.be videotron.ca libero.it
hotmail.de hotmail.es hotmail.it hotmail.nl live.de live.it live.nl live.ca outlook.be outlook.de outlook.es outlook.it yahoo.be
yahoo.ca tutanota.com tuta.io posteo.de posteo.net mailbox.org riseup.net
"""
BY_POPULARITY = tuple(_PROVIDERS.split())
PROVIDERS = frozenset(BY_POPULARITY)
_ACADEMIES = """aix-marseille amiens besancon bordeaux caen clermont corse creteil dijon grenoble guadeloupe guyane lille limoges
lyon martinique mayotte montpellier nancy-metz nantes nice normandie noumea orleans-tours paris poitiers polynesie reims rennes
reunion rouen spm strasbourg toulouse versailles wf"""
_OFFICIAL = re.compile(
    rf"(?:.+\.)?(?:gouv\.fr|education\.fr|ac-(?:{'|'.join(_ACADEMIES.split())})\.fr|"
    r"gov|gov\.uk|admin\.ch|bund\.de|europa\.eu|fgov\.be|gouv\.qc\.ca|gc\.ca|etat\.lu|gouv\.mc)"
)


def is_official(domain: str) -> bool:
    """Whether a domain is a public authority's: of a state, a ministry, an académie."""
    return bool(_OFFICIAL.fullmatch(domain))
