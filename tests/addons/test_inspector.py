"""It runs where somebody looks at flows, and nowhere else."""

import pytest
from mitmproxy import contentviews, flowfilter
from mitmproxy.addons import dumper, view
from mitmproxy.contentviews._registry import ContentviewRegistry
from mitmproxy.test import taddons

from ccproxy.addons.inspector import Inspector

OURS = ["conversation", "prompt", "timing", "translation"]


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
def test_a_program_that_shows_flows_has_all_of_it(tool: type[object], registry: ContentviewRegistry) -> None:
    with taddons.context(tool(), Inspector()) as context:
        assert {"ccproxy_notes", "ccproxy_filters", "ccproxy_export"} < context.master.addons.lookup.keys()
        assert "ccproxy.export" in context.master.commands.commands
        assert flowfilter.parse("~tool Bash")
        addons = context.master.addons
        assert addons.lookup["ccproxy_stopping"] in addons.chain
        inspector = addons.get("ccproxy_inspector")
        addons.remove(inspector)
        assert "ccproxy_stopping" not in addons.lookup
    assert sorted(registry) == OURS
    with pytest.raises(ValueError):
        flowfilter.parse("~tool Bash")
