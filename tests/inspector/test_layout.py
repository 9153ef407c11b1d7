"""Text for people: what is hidden, what is measured, what stands where."""

import pytest

from ccproxy.inspector.layout import apart, arguments, data_url, fields, indented, pretty, settings, size


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (12_345, "12.3 kB"), (2_500_000, "2.5 MB")],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


def test_a_data_url_is_a_type_and_a_size() -> None:
    assert data_url("data:image/png;base64,AAAA") == "image/png, 3 bytes"
    assert data_url("data:;base64,AAA=") == "unknown type, 2 bytes"
    assert data_url("data:,plain") is None
    assert data_url("https://example.org/data:image/png;base64,AAAA") is None


def test_credentials_for_others_are_hidden_and_bulk_is_measured() -> None:
    value = {
        "authorization_token": "s",
        "headers": {"x-key": "s"},
        "inner": [{"authorization": "s", "encrypted_content": "abcd", "url": "data:image/png;base64,AAAA"}],
    }
    shown = "\n".join(settings(value))
    assert '"s"' not in shown
    assert shown.count("[hidden]") == 3
    assert "[4 characters]" in shown
    assert "image/png, 3 bytes" in shown
    assert '"s"' not in "\n".join(pretty(value))


def test_what_a_model_wrote_is_shown_in_full() -> None:
    assert arguments('{"authorization": "x", "n": 1}') == ['authorization: "x"', "n: 1"]
    assert arguments("free\ntext") == ["free", "text"]
    assert arguments({}) == ["(no arguments)"]
    assert arguments([1]) == ["[", "  1", "]"]


def test_a_text_of_several_lines_stands_below_its_name() -> None:
    assert list(fields({"a": "one\ntwo", "b": "three"})) == ["a:", "  one", "  two", 'b: "three"']


def test_blocks_stand_apart() -> None:
    assert list(apart([["a", "b"], [], ["c"]])) == ["a", "b", "", "c"]
    assert list(indented(["a", "", "b"])) == ["  a", "", "  b"]
