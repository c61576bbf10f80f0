"""Views that read their bodies as they come: nginx hands these on unread, however large they are."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import calendar_ground as ground
from webmail.web.forms.body_limits import is_read_by_view

NGINX = Path(__file__).parents[3] / "deploy" / "nginx.conf"


def test_nginx_neither_bounds_nor_keeps_what_such_views_read(tmp_path):
    blocks = re.findall(r"location ~ (\S+) \{\n(.*?)\n    \}", NGINX.read_text(encoding="utf-8"), re.DOTALL)
    pattern = "|".join(
        pattern for pattern, lines in blocks if "client_max_body_size 0;" in lines and "proxy_request_buffering off;" in lines
    )
    with ground.application(tmp_path / "instance") as app:
        rules = [rule for rule in app.url_map.iter_rules() if is_read_by_view(app.view_functions[rule.endpoint])]
    addresses = {re.sub(r"<[^>]+>", "a1", rule.rule) for rule in rules}
    assert "/compose/a1/large" in addresses and "/transfers/new" in addresses
    assert [address for address in sorted(addresses - {"/api/v1/a1"}) if not re.search(pattern, address)] == []
    assert re.search(pattern, "/api/v1/transfers/1/files")  # of the others, the view reads no more than a form may have


def test_nginx_soon_stops_listening_to_programs_that_were_told_to_come_back(tmp_path):
    """A program that sends all before it reads the answer would send for `lingering_time` what nobody takes."""
    blocks = re.findall(r"location ~ (\S+) \{\n((?:(?!location ).)*?)\n +\}", NGINX.read_text(encoding="utf-8"), re.DOTALL)
    pattern = "|".join(
        pattern for pattern, lines in blocks if "lingering_time 2s;" in lines and "proxy_pass http://traboule_bodies;" in lines
    )
    with ground.application(tmp_path / "instance") as app:
        views = [(rule, app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules()]
    for rule, view in views:
        if is_read_by_view(view) and not rule.rule.startswith("/api/"):
            address = re.sub(r"<[^>]+>", "a1", rule.rule)
            assert bool(re.search(pattern, address)) == ("PATCH" in (rule.methods or ()) or address.endswith("/uploads")), address
