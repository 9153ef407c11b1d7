import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccproxy.formats.arguments import as_object, compact, unwrap_input, whole, wrap_input


def test_an_object_keeps_its_order_and_its_numbers() -> None:
    text = '{"b":1,"a":[0.5,123456789012345678901234567890],"ü":"ß"}'
    assert list(as_object(text)) == ["b", "a", "ü"]
    assert compact(as_object(text)) == text


@pytest.mark.parametrize("text", ["", "  ", "{}", "\n{ }\n"])
def test_no_arguments_are_an_empty_object(text: str) -> None:
    assert as_object(text) == {}


@pytest.mark.parametrize(
    ("cut", "value"),
    [
        ('{"a": "b', {"a": "b"}),
        ('{"a": "b\\', {"a": "b"}),
        ('{"a": [1, {"b": 2', {"a": [1, {"b": 2}]}),
        ('{"a": 1,', {"a": 1}),
        ('{"a": "}]"', {"a": "}]"}),
    ],
)
def test_a_text_that_was_cut_short_is_closed(cut: str, value: object) -> None:
    assert whole(cut) is None
    assert as_object(cut) == value


@pytest.mark.parametrize(
    "text", ['{"a":', "[1]", '"x"', "nonsense", '{"a":NaN}', '{"a":1e999}', "{" * 100_000]
)
def test_what_is_no_object_stays_as_it_is(text: str) -> None:
    assert as_object(text) == {"_raw": text}


def test_half_a_surrogate_pair_is_made_writable() -> None:
    assert as_object('{"a":"\\ud800","b":"\\ud83d\\ude00"}') == {"a": "\ufffd", "b": "😀"}


@given(st.text())
def test_a_custom_tool_gets_its_input_back(text: str) -> None:
    assert unwrap_input(wrap_input(text)) == text


@pytest.mark.parametrize("text", ["", "plain", '{"input": 1}', '{"other": "x"}', "{"])
def test_a_custom_tool_takes_what_has_no_form_as_it_is(text: str) -> None:
    assert unwrap_input(text) == text


@given(st.text(), st.integers(0, 200))
def test_whatever_comes_in_an_object_comes_out(text: str, cut: int) -> None:
    for arguments in (text, json.dumps({"a": text, "b": [text]})[:cut]):
        assert isinstance(as_object(arguments), dict)
