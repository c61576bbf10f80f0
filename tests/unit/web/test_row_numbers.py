"""Numbers in addresses that no row can have: no such page, whatever the database makes of them."""

from __future__ import annotations

import pytest

from tests.support import calendar_ground as ground


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_they_are_no_page(tmp_path, number):
    with ground.application(tmp_path / "instance") as app:
        alice = ground.person(app)
        assert alice.get("/transfers/1").status == 404
        for address in ("/transfers/{}", "/transfers/requests/{}", "/transfers/new?of={}"):
            assert alice.get(address.format(number)).status == 404, address
        token = {"X-CSRFToken": str(alice.get("/transfers/new").all("[name=csrf_token]")[0]["value"])}
        told = token | {"Tus-Resumable": "1.0.0", "Upload-Length": "1"}
        assert alice.client.post(f"/transfers/uploads?of={number}", headers=told).status_code == 404
