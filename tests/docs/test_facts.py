"""Lists in prose that the code knows better."""

from typing import get_args

import pytest

from ccproxy.addons.gate import OPEN
from ccproxy.addons.listeners import PLACEHOLDER
from ccproxy.addons.seal import REQUEST_SECRETS, RESPONSE_SECRETS
from ccproxy.routes import find
from ccproxy.settings.kinds import PROVIDER_HOSTS
from ccproxy.settings.tree import Claude
from tests.docs.pages import page, section


@pytest.mark.parametrize("value", get_args(Claude.model_fields["credentials"].annotation))
def test_every_way_to_credentials_is_explained(value: str) -> None:
    assert f"\n| `{value}`" in section(page("credentials"), "## Claude")


@pytest.mark.parametrize("host", PROVIDER_HOSTS)
def test_every_host_that_is_read_is_named(host: str) -> None:
    assert f"`{host}`" in section(page("interception"), "## Whose traffic is read")


@pytest.mark.parametrize("name", sorted(REQUEST_SECRETS | RESPONSE_SECRETS))
def test_every_sealed_header_is_named(name: bytes) -> None:
    assert f"`{name.decode()}`" in section(page("security"), "## Where credentials can be")


@pytest.mark.parametrize(("method", "path"), sorted(pair for pair in OPEN if find(*pair, "api")))
def test_what_needs_no_token_is_named(method: str, path: str) -> None:
    text = section(page("security"), "## Who may speak to it")
    assert f"`{method} {path}`" in text or (method == "HEAD" and f"`GET {path}`" in text)


def test_nobody_is_told_of_a_name_that_is_ours_alone() -> None:
    assert PLACEHOLDER not in "".join(page(name) for name in ("routes", "interception", "stock-tools"))
