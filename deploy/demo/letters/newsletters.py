"""Newsletters: HTML layout tables, remote images, an embedded logo, and unsubscribe headers."""

from __future__ import annotations

import html
import random
import tomllib
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Any

from deploy.demo.letters import calendar, files
from deploy.demo.letters.letter import File, Letter, typeset
from deploy.demo.letters.people import Contact

HERE = Path(__file__).parent


def newsletters(owner: Contact, dates: list[datetime], dice: random.Random) -> list[Letter]:
    """One newsletter for each date, cycling through the senders and their issues."""
    houses = tomllib.loads((HERE / "newsletters.toml").read_text(encoding="utf-8"))["house"]
    template = Template((HERE / "newsletter.html").read_text(encoding="utf-8"))
    found = []
    for number, when in enumerate(sorted(dates)):
        house = houses[number % len(houses)]
        issue = house["issue"][number // len(houses) % len(house["issue"])]
        found.append(_newsletter(owner, house, issue, when, template, number + 12))
    return found


def _newsletter(
    owner: Contact, house: dict[str, Any], issue: dict[str, Any], when: datetime, template: Template, number: int
) -> Letter:
    slug, logo_id = f"{when:%Y-%m}-{number}", f"logo.{number}@{house['domain']}"
    date = calendar.in_french(when)
    words = {name: html.escape(typeset(str(issue[name]))) for name in ("title", "lead", "hero", "button")}
    values = {
        **words,
        **{name: house[name] for name in ("domain", "dark", "bright", "pale")},
        "house": html.escape(house["name"]),
        "teaser": words["lead"][:90],
        "number": f"Lettre n° {number} · {date}",
        "slug": slug,
        "logo": logo_id,
        "columns": "".join(_column(house, title, text, slug, i) for i, (title, text) in enumerate(issue["articles"], 1)),
    }
    ground = tuple(int(house["dark"][i : i + 2], 16) for i in (1, 3, 5))
    articles = "\n\n".join(f"{title}\n{text}" for title, text in issue["articles"])
    address = f"https://www.{house['domain']}/lettre/{slug}"
    return Letter(
        sender=Contact(house["name"], house["email"]),
        to=(owner,),
        subject=typeset(issue["title"]),
        text=typeset(f"{issue['title']}\n\n{issue['lead']}\n\n{articles}\n\nLire en ligne : ") + address + "\n",
        html=template.substitute(values),
        when=when,
        files=(File("logo.png", "image/png", files.logo(ground=(ground[0], ground[1], ground[2])), logo_id),),
        headers={
            "Authentication-Results": f"lycee.example; spf=pass smtp.mailfrom={house['domain']}; "
            f"dkim=pass (2048-bit key) header.d={house['domain']} header.s=lettre; dmarc=pass header.from={house['domain']}",
            "List-Id": f"{house['name'].replace('&', 'et').replace('É', 'E')} <lettre.{house['domain']}>",
            "List-Unsubscribe": f"<https://www.{house['domain']}/desabonnement?u=41d7>, <mailto:stop@{house['domain']}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Precedence": "bulk",
        },
    )


def _column(house: dict[str, Any], title: str, text: str, slug: str, number: int) -> str:
    image = f"https://img.{house['domain']}/lettre/{slug}-{number}.jpg"
    return (
        f'<td class="column" width="50%" valign="top" style="padding:8px;font-family:Arial,sans-serif;color:#333333">'
        f'<img src="{image}" width="260" height="130" alt="" style="display:block;width:100%;background:{house["pale"]}">'
        f'<h2 style="margin:12px 0 6px;font-size:17px;line-height:22px;color:{house["dark"]}">{html.escape(typeset(title))}</h2>'
        f'<p style="margin:0 0 12px;font-size:14px;line-height:21px">{html.escape(typeset(text))}</p></td>'
    )
