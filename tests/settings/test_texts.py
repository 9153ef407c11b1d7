import pytest

from ccproxy.settings.layout import LEAVES
from ccproxy.settings.texts import from_text


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("server.port", "8001", 8001),
        ("server.port", "abc", "abc"),
        ("server.web", "Yes", True),
        ("server.web", "0", False),
        ("server.web", "maybe", "maybe"),
        ("observability.logs", "on", True),
        ("server.drain_seconds", "2.5", 2.5),
        ("server.log_level", "WARNING", "warning"),
        ("claude.options.permission_mode", "acceptedits", "acceptEdits"),
        ("server.log_level", "loud", "loud"),
        ("server.body_limit", "64m", "64m"),
        ("server.body_limit", "64", 64),
        ("claude.options.model", "123", "123"),
        ("permissions.allow", "Read, Bash(git status:*) ,", ["Read", "Bash(git status:*)"]),
        ("permissions.allow", '["Bash(a, b)"]', ["Bash(a, b)"]),
        ("permissions.allow", "", []),
        ("claude.options.env", '{"A": "1"}', {"A": "1"}),
        ("intercept.hosts", "a.example,b.example", ["a.example", "b.example"]),
        ("intercept.hosts", '{"a.example": "api"}', {"a.example": "api"}),
        ("models.rules", '[{"match": "a", "target": "b"}]', [{"match": "a", "target": "b"}]),
        ("codex.instructions", "none", "none"),
    ],
)
def test_text_as_the_type_it_stands_for(key: str, text: str, value: object) -> None:
    found = from_text(text, LEAVES[key].kind)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ['{"A": "hush"', "[1,", "[" * 100_000])
def test_broken_json_is_refused_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not JSON|too deeply") as caught:
        from_text(text, LEAVES["claude.options.env"].kind)
    assert "hush" not in str(caught.value)


def test_broken_json_is_named_with_its_place() -> None:
    with pytest.raises(ValueError, match=r"^is not JSON: Unterminated string starting at line 1, column 2$"):
        from_text('{"A', LEAVES["claude.options.env"].kind)
