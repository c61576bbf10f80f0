"""Signing in at a Nextcloud: by its login flow, by an app password, and at servers that lead elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from werkzeug.wrappers import Response

from tests.support.nextcloud import LOGIN, PASSWORD, Nextcloud
from webmail.config.settings import Settings
from webmail.services import nextcloud_sign_in as sign_in
from webmail.services.nextcloud_sign_in import LoginFlow, ServerSignInError, SignInTrouble


def trouble_of(call: Callable[[], object]) -> SignInTrouble:
    with pytest.raises(ServerSignInError) as caught:
        call()
    return caught.value.trouble


def test_the_login_flow(cloud: Nextcloud, settings: Settings) -> None:
    flow = sign_in.begin_flow(f"{cloud.url}/index.php/apps/files/?dir=/", settings)
    assert flow.page.startswith(f"{cloud.url}/index.php/login/v2/flow/")
    flow = LoginFlow.from_json(flow.to_json())
    assert sign_in.finish_flow(flow, settings) is None
    cloud.agree()
    found = sign_in.finish_flow(flow, settings)
    assert found is not None and (found.address, found.login, found.password) == (cloud.root, LOGIN, PASSWORD)
    assert PASSWORD not in repr(found) and flow.token not in repr(flow)
    assert sign_in.finish_flow(flow, settings) is None  # it answers once


def test_a_login_flow_that_leads_elsewhere(cloud: Nextcloud, settings: Settings) -> None:
    for login, endpoint in (
        ("https://evil.example/x", "{}/poll"), ("{}/x", "http://169.254.169.254/"), ("javascript:alert(1)", "{}/poll"),
        ("{}/x", ""),
    ):  # fmt: skip
        said = {"login": login.format(cloud.url), "poll": {"endpoint": endpoint.format(cloud.url), "token": "t"}}
        cloud.before = lambda _method, _path, said=said: Response(json.dumps(said))  # type: ignore[misc]
        assert trouble_of(lambda: sign_in.begin_flow(cloud.url, settings)) is SignInTrouble.NO_FLOW


def test_an_app_password(cloud: Nextcloud, plain: Nextcloud, settings: Settings) -> None:
    for typed in (cloud.url, f"{cloud.url}/", cloud.root, f"{cloud.url}/index.php/apps/files"):
        assert sign_in.account_at(typed, LOGIN, PASSWORD, settings).address == cloud.root
    assert sign_in.account_at(plain.root, LOGIN, PASSWORD, settings).address == plain.root
    for server in (cloud.url, plain.root):
        assert trouble_of(lambda server=server: sign_in.account_at(server, LOGIN, "wrong", settings)) is SignInTrouble.PASSWORD  # type: ignore[misc]


def test_what_is_no_server(plain: Nextcloud, settings: Settings) -> None:
    assert trouble_of(lambda: sign_in.account_at(f"{plain.root}nothing", LOGIN, PASSWORD, settings)) is SignInTrouble.NOT_WEBDAV
    assert trouble_of(lambda: sign_in.begin_flow(plain.root, settings)) is SignInTrouble.NO_FLOW
    assert trouble_of(lambda: sign_in.begin_flow("http://127.0.0.1:1", settings)) is SignInTrouble.AWAY
    for typed in ("", "https://", "ftp://a.example", "https://me:secret@a.example", "http://[", "https://a.example:x"):
        assert trouble_of(lambda typed=typed: sign_in.begin_flow(typed, settings)) is SignInTrouble.ADDRESS  # type: ignore[misc]
    closed = replace(settings, service_networks="")
    assert trouble_of(lambda: sign_in.begin_flow(plain.url, closed)) is SignInTrouble.ADDRESS
    assert trouble_of(lambda: sign_in.begin_flow("https://127.0.0.1", closed)) is SignInTrouble.FORBIDDEN
    assert trouble_of(lambda: sign_in.begin_flow("https://169.254.169.254", closed)) is SignInTrouble.FORBIDDEN
