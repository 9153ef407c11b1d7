"""It runs where somebody looks at flows, and nowhere else."""

import pytest
from mitmproxy import contentviews
from mitmproxy.addons import dumper, proxyserver, view
from mitmproxy.contentviews._registry import ContentviewRegistry
from mitmproxy.test import taddons

from ccproxy.addons.inspector import Inspector

OURS = ["conversation", "timing"]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> ContentviewRegistry:
    found = ContentviewRegistry()
    monkeypatch.setattr(contentviews, "registry", found)
    return found


def test_a_program_without_eyes_has_no_views_and_no_notes(registry: ContentviewRegistry) -> None:
    inspector = Inspector()
    with taddons.context(inspector) as context:
        assert "ccproxy_notes" not in context.master.addons.lookup
    assert list(registry) == []
    assert inspector.addons == []


@pytest.mark.parametrize("tool", [view.View, dumper.Dumper])
def test_a_program_that_shows_flows_has_both(tool: type[object], registry: ContentviewRegistry) -> None:
    with taddons.context(tool(), Inspector()) as context:
        assert "ccproxy_notes" in context.master.addons.lookup
    assert sorted(registry) == OURS


@pytest.mark.parametrize(("detail", "kept"), [(2, False), (3, True)])
def test_mitmdump_keeps_what_it_is_to_print(detail: int, kept: bool, registry: ContentviewRegistry) -> None:
    inspector = Inspector()
    with taddons.context(proxyserver.Proxyserver(), dumper.Dumper(), inspector) as context:
        context.options.update(flow_detail=detail)
        inspector.running()
        assert context.options.store_streamed_bodies is kept
