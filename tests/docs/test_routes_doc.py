"""docs/routes.md has every route, and what it says of headers is so."""

import pytest

from ccproxy.addons.router import HOP_BY_HOP
from ccproxy.addons.seal import REQUEST_SECRETS, RESPONSE_SECRETS
from ccproxy.routes import ALIASES, TABLE, Row, find
from tests.docs.pages import PAGES, command_lines, page

PAGE = page("routes")


@pytest.mark.parametrize("row", TABLE, ids=[row.pattern for row in TABLE])
def test_every_route_is_in_the_table(row: Row) -> None:
    methods = "any" if row.methods == "*" else row.methods.replace(" ", ", ")
    path = row.pattern.replace("/{rest}", "/…").replace("{rest}", "[/ID]")
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {methods} | `{path}` |")]
    assert row.what in line
    assert ("translated" in line) == (row.path == "")


@pytest.mark.parametrize(("alias", "prefix"), ALIASES)
def test_aliases_are_there_once_they_lead_somewhere(alias: str, prefix: str) -> None:
    leads = any(row.pattern.startswith(prefix) for row in TABLE)
    assert (f"| `{alias}…` | `{prefix}…` |" in PAGE) == leads


def test_headers_that_do_not_go_upstream() -> None:
    for name in (*HOP_BY_HOP, *(name.decode() for name in REQUEST_SECRETS | RESPONSE_SECRETS)):
        if not name.startswith("proxy-"):
            assert f"`{name}`" in PAGE
    assert "`proxy-*`" in PAGE


def test_every_url_that_a_page_asks_of_the_proxy_is_a_route() -> None:
    base = "http://127.0.0.1:8000"
    asked = [
        (word.removeprefix(base), "-d" in words)
        for path in PAGES
        for words in command_lines(path.read_text(encoding="utf-8"))
        if "curl" in words
        for word in words
        if word.startswith(base)
    ]
    assert len(asked) >= 5
    for target, posts in asked:
        assert find("POST" if posts else "GET", target, "api"), target
