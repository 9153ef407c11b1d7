from datetime import datetime

import pytest

from ccproxy import failures
from ccproxy.conversation.losses import Loss
from ccproxy.conversation.usage import Usage
from ccproxy.credentials.credential import Secret
from ccproxy.exchange import Exchange
from ccproxy.records.row import LONGEST_TEXT, MOST_LOSSES, is_logged, row_of, text, who


def exchange(**given: object) -> Exchange:
    made = Exchange("reverse", "POST", "/api/v1/messages?beta=true", "anthropic", **given)  # type: ignore[arg-type]
    made.started_at, made.started, made.operation = 1_790_000_000.5, 100.0, "messages"
    return made


def test_what_is_kept_of_an_exchange() -> None:
    made = exchange(backend="api", route="/api/v1/messages", upstream="api.anthropic.com", stream=True)
    made.client, made.session_id, made.agent_id = "claude-cli/2.1.330 (external, cli)", "s-1", "a-1"
    made.model_requested, made.model_sent, made.model_served = "opus", "claude-opus-4-8", "claude-opus-4-8"
    made.first_byte, made.first_text, made.ended, made.longest_gap = 100.25, 100.5, 102.0, 0.75
    made.status, made.stop_reason, made.retries, made.bytes_in, made.bytes_out = 200, "end_turn", 1, 10, 20
    made.losses = (Loss("temperature", "too hot", "clamped"), Loss("logit_bias", "unknown there"))
    made.usage = Usage(100, 20, 60, 30, 5, 0.25, 10, 20, "priority")
    row = row_of(made)
    assert row.request_id == made.id
    assert row.started_at == datetime(2026, 9, 21, 14, 13, 20, 500_000)
    assert (row.first_byte_ms, row.first_text_ms, row.duration_ms, row.longest_gap_ms) == (
        250,
        500,
        2000,
        750,
    )
    assert (row.mode, row.method, row.path) == ("reverse", "POST", "/api/v1/messages")
    assert (row.client, row.client_version) == ("claude-cli", "2.1.330")
    assert (row.session_id, row.agent_id) == ("s-1", "a-1")
    assert (row.model_requested, row.model_sent, row.model_served) == ("opus", *["claude-opus-4-8"] * 2)
    assert (row.tokens_input, row.tokens_output, row.reasoning_tokens) == (100, 20, 5)
    assert (row.cache_read_tokens, row.cache_write_tokens) == (60, 30)
    assert (row.cache_write_5m_tokens, row.cache_write_1h_tokens) == (10, 20)
    assert (row.service_tier, row.cost_reported_usd, row.cost_usd) == ("priority", 0.25, None)
    assert row.losses == ["temperature(clamped)", "logit_bias"]
    assert (row.status, row.error, row.stop_reason, row.retries, row.stream) == (
        200,
        None,
        "end_turn",
        1,
        True,
    )
    assert (row.bytes_in, row.bytes_out) == (10, 20)


def test_what_never_happened_is_not_known() -> None:
    row = row_of(exchange())
    assert (row.duration_ms, row.first_byte_ms, row.first_text_ms, row.status) == (None, None, None, None)
    assert (row.tokens_input, row.tokens_output, row.backend, row.upstream) == (None, None, None, None)


def test_the_session_of_the_path_is_stronger() -> None:
    assert row_of(exchange(session="of-the-path", session_id="of-the-client")).session_id == "of-the-path"


@pytest.mark.parametrize("door", ["proxy", "tunnel"])
def test_what_comes_through_the_regular_listener_is_intercepted(door: str) -> None:
    made = exchange()
    made.door = door  # type: ignore[assignment]
    assert row_of(made).mode == "intercept"


def test_a_token_count_uses_no_tokens() -> None:
    made = exchange(usage=Usage(input=12))
    made.operation = "count_tokens"
    assert row_of(made).tokens_input is None


def test_no_secret_and_no_query() -> None:
    made = exchange(
        received=[("x-api-key", "hush")], attached=[("x-api-key", "hush")], cookies=[("a", "hush")]
    )
    made.path, made.secret = "/api/v1/messages?key=hush", Secret((("x-api-key", "hush"),))
    assert "hush" not in repr(row_of(made))


def test_what_we_say_about_ourselves_is_not_logged_but_a_refusal_is() -> None:
    made = exchange()
    assert is_logged(made)
    made.operation = "utility"
    assert not is_logged(made)
    made.failure = failures.upstream_timeout("h", 1)
    assert is_logged(made)


def test_texts_from_outside_are_short_and_in_one_line() -> None:
    assert text("") is None
    assert text(None) is None
    assert text("m" * 1000) == "m" * LONGEST_TEXT
    assert text("a\nb\0c\udc80") == "a\ufffdb\ufffdc\ufffd"
    assert text("claude-opus-4-8[1m]") == "claude-opus-4-8[1m]"
    many = exchange(losses=tuple(Loss(f"p{number}", "why") for number in range(1000)))
    assert len(row_of(many).losses) == MOST_LOSSES


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("codex_cli_rs/0.90.0 (Debian 13; x86_64)", ("codex_cli_rs", "0.90.0")),
        ("curl", ("curl", None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_who_asks(agent: str | None, told: tuple[str | None, str | None]) -> None:
    assert who(agent) == told


def test_what_was_not_translated_goes_on_in_the_same_format() -> None:
    assert row_of(exchange()).upstream_format is None
    assert row_of(exchange(upstream="api.anthropic.com")).upstream_format == "anthropic"
    assert row_of(exchange(upstream="api.openai.com", upstream_format="chat")).upstream_format == "chat"
