"""Values of a JSON text found by their places."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.inspector.spans import dotted, replaced, spans

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_each_value_is_found_where_it_is(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    found = list(spans(text))
    for span in found:
        assert at(value, span.path) == json.loads(text[span.start : span.end])
    assert replaced(text, [(span, text[span.start : span.end]) for span in found]) == text
    assert [json.loads(text[span.start : span.end]) for span in found] == list(leaves(value))


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [leaf for one in inner for leaf in leaves(one)]
    return [value]


def test_one_is_replaced_and_the_rest_stays() -> None:
    text = '{ "a" : [1.50, "x"],\n "b":{"c\\"":1E3} }'
    found = {dotted(span.path): span for span in spans(text)}
    assert replaced(text, [(found["a.1"], '"y"')]) == '{ "a" : [1.50, "y"],\n "b":{"c\\"":1E3} }'
    assert [*found] == ["a.0", "a.1", 'b.c"']


@pytest.mark.parametrize("text", ["", "{", '{"a":1,}', "[1 2]", "[" * 100_000 + "]" * 100_000])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):
        list(spans(text))
