"""Ways in by what the establishment already has, as the sign-in page offers them."""

from __future__ import annotations

from flask import current_app, url_for

from webmail.auth.blueprint import blueprint
from webmail.web.current import settings
from webmail.web.request_values import local_path, next_path


@blueprint.app_template_global()
def provider_ways(target: str | None = None) -> list[tuple[str, str]]:
    """The title and address of each, in the order of their buttons. `target`: the page that was asked for (else `next`).

    A link to the address begins there. So does a form that is sent to it by POST with the fields of the sign-in page: `next`,
    `shared`, `lasting`, and the text that was being written (`kept-...`). It answers with a page that leads on, since our policy
    (`form-action`) lets no form lead to another site.
    """
    here, found = settings(), []
    on = {"next": local_path(next_path() if target is None else target) or None}
    for provider in here.oidc:
        found.append((provider.title, _address("auth.begin_oidc", name=provider.name, **on)))
    if here.cas is not None:
        found.append((here.cas.title, _address("auth.begin_cas", **on)))
    if here.proxy_sign_in is not None:
        found.append((here.proxy_sign_in.title, _address("auth.begin_proxy", **on)))
    return [(title, address) for title, address in found if address]


def _address(endpoint: str, **values: str | None) -> str:
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else ""
