"""What the benchmark asks in each client format, and which answers it takes for right."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from scripts.benchmark import chat, messages, responses
from scripts.benchmark.canned import REPLY_TEXT, REPLY_TOKENS, StreamShape
from scripts.benchmark.client import Answer, AnswerError
from scripts.benchmark.dialect import Dialect

SHAPE = StreamShape(deltas=3, burst=2, pause_ms=5)
DIALECTS: list[Dialect] = [messages, chat, responses]
Json = dict[str, Any]
Change = Callable[[list[Json]], object]


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(status, body, 0.1, 0.2, 0.3)


def stream(events: list[Json], end: bytes) -> Answer:
    return answer(b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events) + end)


@pytest.mark.parametrize("dialect", DIALECTS)
class TestRequests:
    def test_they_have_the_size_asked_for(self, dialect: Dialect) -> None:
        for size in (1000, 50_000):
            for shape in (None, SHAPE):
                body = dialect.request_body(size, shape)
                assert abs(len(body) - size) <= 2
                assert json.loads(body).get("stream", False) == (shape is not None)

    def test_the_shape_survives_in_the_prompt(self, dialect: Dialect) -> None:
        reserialised = json.dumps(json.loads(dialect.request_body(1000, SHAPE)), indent=2).encode()
        assert StreamShape.find(reserialised) == SHAPE

    def test_an_error_is_no_answer(self, dialect: Dialect) -> None:
        with pytest.raises(AnswerError, match="status 500"):
            dialect.check_reply(answer(b"{}", 500))
        with pytest.raises(AnswerError, match="status 500"):
            dialect.check_stream(answer(b"", 500), SHAPE)


class TestChat:
    @staticmethod
    def reply(text: str = REPLY_TEXT, tokens: int = REPLY_TOKENS) -> Answer:
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return answer(json.dumps({"choices": [choice], "usage": {"completion_tokens": tokens}}).encode())

    @staticmethod
    def chunks() -> list[Json]:
        """As a proxy may cut it: the second and the third delta in one, the usage in a chunk of its own."""
        deltas = [{"role": "assistant", "content": ""}, {"content": "token "}, {"content": "after token "}]
        chunks: list[Json] = [{"choices": [{"delta": delta, "finish_reason": None}]} for delta in deltas]
        chunks.append({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": None})
        chunks.append({"choices": [], "usage": {"completion_tokens": 3}})
        return chunks

    def test_right_answers(self) -> None:
        chat.check_reply(self.reply())
        chat.check_stream(stream(self.chunks(), b"data: [DONE]\n\n"), SHAPE)

    def test_wrong_replies(self) -> None:
        for wrong in (self.reply(text="?"), self.reply(tokens=1), answer(b"{}"), answer(b"[]"), answer(b"?")):
            with pytest.raises(AnswerError):
                chat.check_reply(wrong)

    @pytest.mark.parametrize(
        ("what", "change"),
        [
            ("text", lambda chunks: chunks.pop(1)),
            ("reason", lambda chunks: chunks.pop(3)),
            ("reason", lambda chunks: chunks.insert(3, chunks[3])),
            ("usage", lambda chunks: chunks.pop()),
            ("usage", lambda chunks: chunks[-1]["usage"].update(completion_tokens=1)),
        ],
    )
    def test_wrong_streams(self, what: str, change: Change) -> None:
        chunks = self.chunks()
        change(chunks)
        with pytest.raises(AnswerError, match=what):
            chat.check_stream(stream(chunks, b"data: [DONE]\n\n"), SHAPE)

    def test_a_stream_without_done(self) -> None:
        with pytest.raises(AnswerError, match="end"):
            chat.check_stream(stream(self.chunks(), b""), SHAPE)


class TestResponses:
    @staticmethod
    def response(text: str, tokens: int) -> Json:
        message = {"type": "message", "content": [{"type": "output_text", "text": text}]}
        return {"status": "completed", "output": [message], "usage": {"output_tokens": tokens}}

    def events(self) -> list[Json]:
        texts = ("token ", "after ", "token ")
        deltas = [{"type": "response.output_text.delta", "delta": text} for text in texts]
        completed = {"type": "response.completed", "response": self.response("".join(texts), 3)}
        return [{"type": "response.created"}, *deltas, completed]

    def test_right_answers(self) -> None:
        responses.check_reply(answer(json.dumps(self.response(REPLY_TEXT, REPLY_TOKENS)).encode()))
        for end in (b"", b"data: [DONE]\n\n"):
            responses.check_stream(stream(self.events(), end), SHAPE)

    def test_wrong_replies(self) -> None:
        for wrong in (
            self.response("?", REPLY_TOKENS),
            self.response(REPLY_TEXT, 1),
            {"status": "completed"},
        ):
            with pytest.raises(AnswerError):
                responses.check_reply(answer(json.dumps(wrong).encode()))

    @pytest.mark.parametrize(
        ("what", "change"),
        [
            ("text", lambda events: events.pop(1)),
            ("end", lambda events: events.pop()),
            ("end", lambda events: events.append({"type": "response.in_progress"})),
            ("response", lambda events: events[-1]["response"].update(status="incomplete")),
            ("usage", lambda events: events[-1]["response"]["usage"].update(output_tokens=1)),
        ],
    )
    def test_wrong_streams(self, what: str, change: Change) -> None:
        events = self.events()
        change(events)
        with pytest.raises(AnswerError, match=what):
            responses.check_stream(stream(events, b""), SHAPE)
