"""What became of a request and its answer. How that looks is in the golden cases."""

from typing import Any

import pytest

from ccproxy import failures
from ccproxy.client_side import ClientSide
from ccproxy.conversation.losses import Loss
from ccproxy.exchange import Exchange
from ccproxy.inspector.translation import (
    CHANGES,
    HEARD,
    SAID,
    SAME,
    UNCHANGED_ANSWER,
    UNCHANGED_REQUEST,
    UPSTREAM,
    answer_translation,
    changes,
    request_translation,
)

CHAT = b'{"model":"m","seed":7,"messages":[{"role":"user","content":"Hi"}]}'
MESSAGES = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}'
ANSWER = b'{"type":"message","model":"m","content":[{"type":"text","text":"Hey"}],"stop_reason":"end_turn"}'


def exchange(**fields: Any) -> Exchange:
    made = Exchange("reverse", "POST", "/api/v1/chat/completions", "chat", policy="attach", **fields)
    made.sent = made.started
    return made


def side(said: bytes, *heard: bytes) -> ClientSide:
    made = ClientSide("/api/v1/chat/completions", said)
    for piece in heard:
        made.hear(piece)
    return made


def test_nothing_is_kept_of_what_is_the_same() -> None:
    assert changes(exchange(), side(CHAT, b"on", b"e"), CHAT, b"one") == {}
    assert changes(exchange(), side(CHAT), CHAT, None) == {}
    assert request_translation({}, CHAT, "h") == UNCHANGED_REQUEST
    assert answer_translation({}, ANSWER) == UNCHANGED_ANSWER


def test_only_the_side_that_the_flow_does_not_hold_is_kept() -> None:
    streamed = changes(exchange(upstream_format="anthropic"), side(CHAT, b"chat"), MESSAGES, b"messages")
    assert {name: value for name, value in streamed.items() if name != CHANGES} == {
        SAID: CHAT,
        HEARD: b"chat",
    }
    made = side(CHAT, b"chat")
    made.upstream = b"messages"
    whole = changes(exchange(), made, CHAT, b"chat")
    assert {name: value for name, value in whole.items() if name != CHANGES} == {UPSTREAM: b"messages"}
    assert whole[CHANGES]["differs"] == [UPSTREAM]


def test_a_loss_alone() -> None:
    """What goes to Claude Code loses something without being changed."""
    made = exchange(losses=(Loss("seed", "It has no seed."), Loss("x", "It is too much.", "clamped")))
    noted = changes(made, side(CHAT), CHAT, None)
    assert request_translation(noted, CHAT, "h") == (
        f"{UNCHANGED_REQUEST}\n\n"
        "Lost\n  seed, left out: 7\n    It has no seed.\n  x, clamped\n    It is too much."
    )
    assert answer_translation(noted, ANSWER) == UNCHANGED_ANSWER


def test_claude_code() -> None:
    made = exchange(backend="sdk", upstream_format="anthropic")
    told = request_translation(changes(made, side(CHAT), MESSAGES, None), MESSAGES, "127.0.0.1")
    assert "Upstream got  Messages request to m, at Claude Code\n" in told
    assert "\n\nClaude Code asks Anthropic with requests of its own, of which this one is a part.\n\n" in told


def test_a_refused_request() -> None:
    made = exchange()
    made.sent, made.failure = None, failures.invalid_request("n", "no")
    noted = changes(made, side(CHAT, b"{}"), CHAT, b"{}")
    assert request_translation(noted, CHAT, "h") == "Nothing was sent: ccproxy refused it (invalid_request)."
    assert answer_translation(noted, b"{}") == "The answer is ccproxy's own: invalid_request."


def test_an_answer_that_we_ended() -> None:
    made = exchange(failure=failures.upstream_cut("h"))
    noted = changes(made, side(CHAT, b"one"), CHAT, b"one", broke=True)
    assert answer_translation(noted, b"one") == (
        f"{UNCHANGED_ANSWER}\n\nThen ccproxy ended it with an error of its own: upstream_cut."
    )


def test_what_is_not_kept() -> None:
    made = exchange(upstream_format="anthropic")
    noted = changes(made, side(CHAT, b"chat"), MESSAGES, b"messages")
    del noted[SAID], noted[HEARD]
    assert request_translation(noted, MESSAGES, "h").startswith("What the client sent is not kept")
    assert answer_translation(noted, b"messages").startswith("What the client got is not kept")
    longer = side(CHAT, b"chat")
    longer.cut = True
    assert "client got is not kept" in answer_translation(changes(made, longer, MESSAGES, b"x"), b"x")


def test_a_stream_that_mitmproxy_kept_as_the_client_got_it() -> None:
    made = exchange(upstream_format="anthropic")
    noted = changes(made, side(CHAT, b"one", b"two"), MESSAGES, b"onetwo")
    assert answer_translation(noted, b"onetwo").startswith("What the upstream answered is not kept")


def test_what_a_conversation_does_not_show() -> None:
    spaced = CHAT.replace(b":", b": ")
    noted = changes(exchange(), side(spaced), CHAT, None)
    assert request_translation(noted, CHAT, "h").endswith(f"\n\n{SAME}")


@pytest.mark.parametrize("said", [b"", b"\xff", b"[1]", b"no JSON"])
def test_bodies_that_are_no_conversation(said: bytes) -> None:
    noted = changes(exchange(), side(said, b"a"), CHAT, b"b")
    assert f"Client sent   {len(said)} bytes\n" in request_translation(noted, CHAT, "h")
    assert "\n- b\n+ a" in answer_translation(noted, b"b")


@pytest.mark.parametrize(
    "facts", [None, 1, {}, {"sent": True, "formats": 3, "differs": [1, None], "losses": [[], 1, ["a", "b"]]}]
)
def test_a_flow_file_may_hold_anything(facts: object) -> None:
    noted = {CHANGES: facts, SAID: 1, HEARD: None}
    assert request_translation(noted, CHAT, "h")
    assert answer_translation(noted, ANSWER)


def test_paths_of_losses_lead_anywhere() -> None:
    lost = (Loss("messages.0.content", "a"), Loss("messages.9.content", "b"), Loss("messages.x", "c"))
    told = request_translation(changes(exchange(losses=lost), side(CHAT), CHAT, None), CHAT, "h")
    assert '  messages.0.content, left out: "Hi"\n    a\n' in told
    assert "  messages.9.content, left out\n    b\n  messages.x, left out\n    c" in told


def test_a_lost_credential_is_hidden() -> None:
    body = b'{"model":"m","messages":[],"tools":[{"authorization":"hush"}]}'
    made = exchange(losses=(Loss("tools.0.authorization", "why"), Loss("tools.0", "why")))
    told = request_translation(changes(made, side(body), body, None), body, "h")
    assert "hush" not in told
    assert told.count("[hidden]") == 2
