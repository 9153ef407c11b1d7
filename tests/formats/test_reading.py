from collections.abc import Callable
from typing import Any

import pytest

from ccproxy.conversation.losses import RequestError
from ccproxy.formats import reading


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (reading.text, ""),
        (reading.text, "é"),
        (reading.integer, 0),
        (reading.integer, 10**40),
        (reading.number, 1),
        (reading.number, 0.5),
        (reading.boolean, False),
        (reading.array, [1, None]),
        (reading.mapping, {"a": 1}),
    ],
)
def test_what_has_the_type_comes_back(reader: Callable[[object, str], Any], value: object) -> None:
    assert reader(value, "field") is value
    assert reading.optional(reader, value, "field") is value


@pytest.mark.parametrize(
    ("reader", "value", "message"),
    [
        (reading.text, None, "must be a string, not null"),
        (reading.text, 3, "must be a string, not a number"),
        (reading.integer, True, "must be a whole number, not a boolean"),
        (reading.integer, 1.5, "must be a whole number, not a number"),
        (reading.number, True, "must be a number, not a boolean"),
        (reading.number, "1", "must be a number, not a string"),
        (reading.boolean, 0, "must be a boolean, not a number"),
        (reading.array, {}, "must be an array, not an object"),
        (reading.mapping, [], "must be an object, not an array"),
    ],
)
def test_what_has_not_is_an_error_that_names_the_field(
    reader: Callable[[object, str], object], value: object, message: str
) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        reader(value, "messages.3.content")
    assert caught.value.path == "messages.3.content"


def test_optional_takes_null() -> None:
    assert reading.optional(reading.text, None, "stop") is None


def test_texts_names_the_item() -> None:
    assert reading.texts(["a", "b"], "stop") == ("a", "b")
    with pytest.raises(RequestError) as caught:
        reading.texts(["a", 1], "stop")
    assert caught.value.path == "stop.1"
