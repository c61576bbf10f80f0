"""QR codes: pictures that a telephone reads (ISO/IEC 18004)."""

from __future__ import annotations

from markupsafe import Markup


def qr_code(text: str) -> Markup:
    """The picture as SVG: black on white whatever the theme, since that is what cameras read."""
    import segno  # few pages show one

    svg: str = segno.make(text, error="m", micro=False).svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(svg)  # noqa: S704 - made of numbers alone


def qr_symbol(text: str, name: str) -> Markup:
    """The same picture as a symbol, which `<use href="#name">` shows again and again, as on sheets for many people."""
    return Markup(str(qr_code(text)).replace("<svg ", f'<symbol id="{name}" ', 1).replace("</svg>", "</symbol>"))  # noqa: S704
