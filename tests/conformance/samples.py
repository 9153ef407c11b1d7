"""The same answers, as each of the upstreams streams them."""

from ccproxy.conversation.parts import Wire
from tests.conformance.translating import (
    call_delta,
    call_item,
    chunk,
    chunks,
    completed,
    created,
    item,
    message_end,
    message_item,
    message_start,
    sse,
    text_block,
    thinking_block,
    usage_chunk,
    use_block,
)

ARGUMENTS = '{"city":"Köln"}'

TEXT: dict[Wire, bytes] = {
    "anthropic": sse(message_start(), *text_block(0, "Grüße 👋"), *message_end()),
    "chat": chunks(
        chunk(role="assistant", content=""),
        chunk(content="Grüße 👋"),
        chunk("stop"),
        usage_chunk(prompt_tokens=3, completion_tokens=9),
        "[DONE]",
    ),
    "responses": sse(
        created(),
        *message_item(0, "Grüße 👋"),
        completed(usage={"input_tokens": 3, "output_tokens": 9}),
    ),
}

TWO_CALLS: dict[Wire, bytes] = {
    "anthropic": sse(
        message_start(),
        *text_block(0, "Let me look."),
        *use_block(1, "call_a", "weather", '{"city":', '"Köln"}'),
        *use_block(2, "call_b", "clock"),
        *message_end("tool_use"),
    ),
    "chat": chunks(
        chunk(role="assistant", content="Let me look."),
        chunk(tool_calls=[call_delta(0, "", "call_a", "weather")]),
        chunk(tool_calls=[call_delta(0, '{"city":')]),
        chunk(tool_calls=[call_delta(0, '"Köln"}')]),
        chunk(tool_calls=[call_delta(1, "", "call_b", "clock")]),
        chunk("tool_calls"),
        usage_chunk(prompt_tokens=3, completion_tokens=9),
        "[DONE]",
    ),
    "responses": sse(
        created(),
        *message_item(0, "Let me look."),
        *call_item(1, "call_a", "weather", ARGUMENTS, '{"city":', '"Köln"}'),
        *call_item(2, "call_b", "clock", ""),
        completed(usage={"input_tokens": 3, "output_tokens": 9}),
    ),
}

THOUGHT: dict[Wire, bytes] = {
    "anthropic": sse(
        message_start(),
        *thinking_block(0, "Hmm.", "c2lnbmVk"),
        *use_block(1, "call_a", "weather", ARGUMENTS),
        *message_end("tool_use"),
    ),
    "chat": chunks(
        chunk(role="assistant", reasoning_content="Hmm."),
        chunk(tool_calls=[call_delta(0, ARGUMENTS, "call_a", "weather")]),
        chunk("tool_calls"),
        usage_chunk(prompt_tokens=3, completion_tokens=9),
        "[DONE]",
    ),
    "responses": sse(
        created(),
        *item(
            0,
            {
                "id": "rs_0",
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "Hmm."}],
                "encrypted_content": "ZW5j",
            },
            {"type": "response.reasoning_summary_text.delta", "summary_index": 0, "delta": "Hmm."},
        ),
        *call_item(1, "call_a", "weather", ARGUMENTS, ARGUMENTS),
        completed(usage={"input_tokens": 3, "output_tokens": 9}),
    ),
}

REFUSED: dict[Wire, bytes] = {
    "anthropic": sse(message_start(), *message_end("refusal")),
    "chat": chunks(chunk(role="assistant", refusal="No."), chunk("stop"), "[DONE]"),
    "responses": sse(
        created(),
        *item(
            0,
            {
                "id": "msg_0",
                "type": "message",
                "role": "assistant",
                "content": [{"type": "refusal", "refusal": "No."}],
            },
            {"type": "response.refusal.delta", "content_index": 0, "delta": "No."},
        ),
        completed(),
    ),
}

CUT_SHORT: dict[Wire, bytes] = {
    "anthropic": sse(message_start(), *text_block(0, "Half a"), *message_end("max_tokens")),
    "chat": chunks(chunk(role="assistant", content="Half a"), chunk("length"), "[DONE]"),
    "responses": sse(
        created(),
        *message_item(0, "Half a"),
        completed("incomplete", incomplete_details={"reason": "max_output_tokens"}),
    ),
}

ALL = {"text": TEXT, "two_calls": TWO_CALLS, "thought": THOUGHT, "refused": REFUSED, "cut_short": CUT_SHORT}
