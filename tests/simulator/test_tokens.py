from hypothesis import given
from hypothesis import strategies as st

from ccproxy.simulator import tokens


def test_one_token_per_four_bytes_rounded_up() -> None:
    assert [tokens.estimate(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]
    assert tokens.estimate("\U0001f389") == 1
    assert tokens.estimate(b"12345678") == 2


@given(st.text(), st.integers(min_value=0, max_value=20))
def test_a_cut_text_is_a_beginning_that_fits(text: str, limit: int) -> None:
    shorter = tokens.cut(text, limit)
    assert text.startswith(shorter)
    assert tokens.estimate(shorter) <= limit
    if tokens.estimate(text) <= limit:
        assert shorter == text
