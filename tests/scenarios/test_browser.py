"""The views in a real browser, on mitmweb's page."""

from pathlib import Path

import pytest

from tests.support.browser import mitmweb
from tests.support.processes import Simulator
from tests.support.shown import speak, web_proxy

pytestmark = pytest.mark.slow


def test_what_a_person_sees(home: Path, simulator: Simulator) -> None:
    with web_proxy(home, simulator) as (url, page), mitmweb(page) as web:
        flows = speak(url)
        web.flows.nth(flows - 1).wait_for()
        # the column of the comment is narrow, but the model stands at its beginning
        assert "claude-opus-4-8, " in web.flows.last.inner_text()
        asked = web.show("/responses", "Request")
        assert "Result of Read (toolu_1)" in asked
        assert "Image image/png, 67 bytes" in asked
        assert "top_k" in web.show("/responses", "Request", "translation")
        assert "First byte" in web.show("/responses", "Response", "timing")
        assert "Tool call Bash" in web.show("/v1/messages", "Response")
