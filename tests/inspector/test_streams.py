"""Streams put together again, as far as they came."""

import json

from ccproxy.inspector.streams import collected


def texts(*events: object) -> list[str]:
    return [event if isinstance(event, str) else json.dumps(event) for event in events]


def test_a_block_and_a_field_that_nobody_knows_are_kept() -> None:
    whole = collected(
        "anthropic",
        texts(
            {"type": "message_start", "message": {"id": "m"}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "novelty"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "novelty_delta", "piece": "a"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "novelty_delta", "piece": "b"}},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "citations_delta", "citation": {"n": 1}},
            },
        ),
    )
    assert whole.answer["content"] == [{"type": "novelty", "piece": "ab", "citations": [{"n": 1}]}]
    assert not whole.ended


def test_arguments_that_were_cut_short_stay_text() -> None:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "input": {}}}
    delta = {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "input_json_delta", "partial_json": '{"a'},
    }
    assert collected("anthropic", texts(start, delta)).answer["content"][0]["input"] == '{"a'


def test_chat_is_whole_with_its_last_line() -> None:
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
    assert not collected("chat", texts(chunk)).ended
    whole = collected("chat", texts(chunk, chunk, "[DONE]"))
    assert whole.ended
    assert whole.answer["choices"][0]["message"]["content"] == "HiHi"


def test_items_of_a_server_that_numbers_each_zero() -> None:
    item = {"type": "response.output_item.done", "output_index": 0}
    whole = collected("responses", texts({**item, "item": {"id": "a"}}, {**item, "item": {"id": "b"}}))
    assert whole.answer["output"] == [{"id": "a"}, {"id": "b"}]


def test_pieces_of_an_item_count_until_it_is_whole() -> None:
    added = {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"type": "function_call", "name": "f"},
    }
    delta = {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{}"}
    assert collected("responses", texts(added, delta)).answer["output"][0]["arguments"] == "{}"
    done = {"type": "response.output_item.done", "output_index": 0, "item": {"arguments": "{}"}}
    assert collected("responses", texts(added, delta, done, delta)).answer["output"] == [{"arguments": "{}"}]


def test_errors() -> None:
    assert collected("anthropic", texts({"type": "error", "error": {"type": "x"}})).error == {"type": "x"}
    assert collected("chat", texts({"error": {"message": "x"}})).error == {"message": "x"}
    assert collected("responses", texts({"type": "error", "code": "x"})).error == {
        "type": "error",
        "code": "x",
    }
