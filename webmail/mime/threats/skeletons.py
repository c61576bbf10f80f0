"""Skeletons: what a text looks like at first sight, to compare names, addresses and domains that imitate others (UTS 39).

One function for all of them, so that whatever slips through in one place slips through in none: it removes what is invisible
(soft hyphens, zero-width letters), unfolds what is only another form (full-width letters, ligatures, dots), and reads letters of
other scripts as the Latin ones they look like. Whoever changes it adds a migration that computes the stored ones again
(`webmail/migrations/0012_names.py`).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

LONGEST = 320  # characters that are read: an address

# Letters of other scripts that look like Latin ones: the common ones of Unicode's confusables (UTS 39).
_TABLE = str.maketrans(
    "аеорсухіјѕԁɡһӏԛԝѵкмнтвгпьзчшιοαρυνκητεχωμσіıłøđħŧßæœ" + "АВЕЗКМНОРСТУХІЈЅԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdghlqwvkmhtbrnb34wioapuvkntexwuoiilodhtbao" + "abe3kmhopctyxijsgqwabezhikmnoptyx",
)
_MORE = """ɑa ɩi ɪi ʟl ɴn ʀr ʏy ᴀa ʙb ᴄc ᴅd ᴇe ɢg ʜh ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ꜰf ꜱs օo ոn սu հh ցg Սu Տs Օo
Ꭺa Ᏼb Ꮯc Ꭰd Ꭼe Ᏻg Ꮋh Ꭵi Ꭻj Ꮶk Ꮮl Ꮇm Ꮲp Ꮪs Ꭲt Ꮩv Ꮃw Ꮓz ꓐb ꓑp ꓓd ꓔt ꓖg ꓗk ꓙj ꓚc ꓜz ꓝf ꓟm ꓠn ꓡl ꓢs ꓣr ꓦv ꓧh ꓪw ꓫx ꓬy ꓮa ꓰe ꓲi
ꓳo ꓴu |l ¦l ǀl ∣l ⏐l ׀l"""
_SHAPELESS = (0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800)  # letters that show nothing
_TABLE |= {ord(pair[0]): ord(pair[1]) for pair in _MORE.split()}
_DIGITS = str.maketrans("013579", "olesqg") | str.maketrans("i", "l")
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))


def visible(text: str) -> str:
    """The text as it is read: no invisible letters and marks, compatible forms unfolded, letters and case as they are."""
    if text.isascii():
        return "".join(c for c in text[:LONGEST] if c.isprintable()) if not text.isprintable() else text[:LONGEST]
    unfolded = unicodedata.normalize("NFKC", text[:LONGEST])
    return "".join(_seen(letter) for letter in unfolded)[:LONGEST]


@lru_cache(maxsize=4096)
def _seen(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind == "Zs":
        return " "
    gone = kind in ("Cf", "Cc", "Cn", "Co", "Cs", "Zl", "Zp") or ord(letter) in _SHAPELESS
    return "" if gone or 0xFE00 <= ord(letter) <= 0xFE0F or 0xE0100 <= ord(letter) <= 0xE01EF else letter


@lru_cache(maxsize=8192)
def skeleton(text: str) -> str:
    """What a text looks like at first sight: "Glrard" and "Girard" are one, "arnpere" and "Ampère" too. Dots, spaces stay."""
    plain = unicodedata.normalize("NFKD", visible(text).translate(_TABLE)).casefold().translate(_TABLE)
    plain = "".join(letter for letter in plain if unicodedata.category(letter)[0] != "M").translate(_DIGITS)
    for pair, one in _PAIRS:
        plain = plain.replace(pair, one)
    return plain.replace("-", "").replace("_", "")
