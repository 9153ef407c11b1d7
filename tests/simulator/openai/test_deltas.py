import pytest

from ccproxy.simulator.openai.deltas import certain_tokens, padding


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 100])
def test_padding_fills_a_block(length: int) -> None:
    filled = padding("x" * length)

    assert filled
    assert (length + len(filled)) % 16 == 0


def test_a_piece_is_a_token() -> None:
    (token,) = certain_tokens(["ü"], alternatives=True)

    assert (token["token"], token["bytes"]) == ("ü", [0xC3, 0xBC])
    assert token["top_logprobs"][0]["token"] == "ü"
    assert certain_tokens(["a"], alternatives=False)[0]["top_logprobs"] == []
