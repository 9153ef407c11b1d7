import pytest

from ccproxy.conversation.parts import Wire
from ccproxy.formats.anthropic.paths import path


@pytest.mark.parametrize(
    ("wire", "field", "expected"),
    [
        ("anthropic", "max_tokens", "max_tokens"),
        ("anthropic", "stop", "stop_sequences"),
        ("chat", "max_tokens", "max_completion_tokens"),
        ("chat", "output", "response_format"),
        ("responses", "max_tokens", "max_output_tokens"),
        ("responses", "effort", "reasoning.effort"),
        ("responses", "temperature", "temperature"),
    ],
)
def test_path(wire: Wire, field: str, expected: str) -> None:
    assert path(wire, field) == expected
