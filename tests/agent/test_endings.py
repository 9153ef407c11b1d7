"""How a turn ended: what Claude Code says, and what the client is told."""

from typing import Any

import pytest

from ccproxy.agent.endings import NOT_LOGGED_IN, Ending, ending
from ccproxy.conversation.events import Failed
from tests.agent.said import failed, result


def end(*lines: Any, limit: Any = None, has_begun: bool = True) -> Ending | Failed:
    error = lines[0] if len(lines) > 1 else {}
    return ending(lines[-1], error, limit or {}, has_begun)


@pytest.mark.parametrize(
    "reason", ["end_turn", "stop_sequence", "max_tokens", "model_context_window_exceeded"]
)
def test_a_good_end_keeps_its_reason(reason: str) -> None:
    assert end(result(stop_reason=reason)) == Ending(reason)


@pytest.mark.parametrize("reason", [None, "tool_use", "something_new", 7])
def test_any_other_reason_of_a_good_end_is_the_end_of_the_turn(reason: Any) -> None:
    """There is no call that the client could answer."""
    assert end(result(stop_reason=reason)) == Ending("end_turn")


def test_a_refusal() -> None:
    told, done = failed("API Error: I can't help with this.\n\nRequest ID: req_1", "invalid_request")
    found = end(told, {**done, "stop_reason": "refusal"})
    assert isinstance(found, Ending)
    assert found.delta == {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": "I can't help with this."},
    }
    quiet = end(result(stop_reason="refusal"))
    assert isinstance(quiet, Ending)
    assert quiet.stop_details == {"type": "refusal", "category": None, "explanation": None}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"subtype": "error_max_turns", "stop_reason": "tool_use"}, "pause_turn"),
        ({"terminal_reason": "max_turns"}, "pause_turn"),
        ({"subtype": "error_max_budget_usd"}, "pause_turn"),
        ({"subtype": "error_during_execution", "stop_reason": "pause_turn"}, "pause_turn"),
        ({"subtype": "error_during_execution", "terminal_reason": "aborted_streaming"}, "pause_turn"),
        ({"subtype": "error_during_execution", "terminal_reason": "aborted_tools"}, "pause_turn"),
        ({"api_error": "max_output_tokens", "terminal_reason": "api_error"}, "max_tokens"),
    ],
)
def test_limits_and_interruptions_are_regular_ends(fields: Any, reason: str) -> None:
    assert end(result(is_error=True, **fields)) == Ending(reason)


def test_an_interruption_before_anything_was_said_is_none() -> None:
    found = end(result(is_error=True, terminal_reason="aborted_streaming"), has_begun=False)
    assert isinstance(found, Failed)


@pytest.mark.parametrize(
    ("words", "status", "kind", "message"),
    [
        ("API Error: Request rejected (429) · Too much.", 429, "rate_limit_error", "Too much."),
        ("API Error: 529 Overloaded.", 529, "overloaded_error", "Overloaded."),
        ("API Error: 500 Internal server error", 500, "api_error", "Internal server error"),
        (
            'API Error: 400 {"type":"error","error":{"type":"invalid_request_error","message":"No."}}',
            400,
            "invalid_request_error",
            "No.",
        ),
        ("API Error: 400 {broken", 400, "invalid_request_error", "{broken"),
        ("Invalid API key · Fix external API key", 401, "authentication_error", None),
        ("API Error:", 502, "api_error", "API Error:"),
    ],
)
def test_an_error_of_the_api_keeps_its_status_and_its_own_words(
    words: str, status: int, kind: str, message: str | None
) -> None:
    found = end(*failed(words, "unknown", api_error_status=status, api_error_type=kind))
    assert found == Failed(kind, message or words, status)


def test_without_a_type_the_status_tells_it() -> None:
    assert end(*failed("No.", "unknown", api_error_status=403)) == Failed("permission_error", "No.", 403)


@pytest.mark.parametrize(
    ("error", "status"), [("rate_limit", 429), ("overloaded", 529), ("billing_error", 402), ("new", 502)]
)
def test_without_a_status_the_name_of_the_error_tells_it(error: str, status: int) -> None:
    found = end(*failed("No.", error))
    assert isinstance(found, Failed)
    assert found.status == status


def test_too_long_a_conversation_is_said_as_clients_look_for_it() -> None:
    found = end(*failed("Prompt is too long", "invalid_request", api_error_status=400))
    assert isinstance(found, Failed)
    assert found.message == "prompt is too long"
    assert found.code == "context_length_exceeded"


def test_a_cli_without_a_login_says_what_to_do() -> None:
    found = end(*failed("Not logged in · Please run /login", "authentication_failed"))
    assert found == Failed("api_error", NOT_LOGGED_IN, 503)


def test_errors_of_its_own_are_told_without_diagnostics() -> None:
    done = result(is_error=True, subtype="error_during_execution", result=None)
    found = end({**done, "errors": ["[ede_diagnostic] x=1", "It broke.", 7]})
    assert found == Failed("api_error", "It broke.", 502)
    silent = end({**done, "errors": "odd"})
    assert isinstance(silent, Failed)
    assert silent.message


LIMIT = {"status": "rejected", "resetsAt": 1795381582}
NOW = "2026-11-22T21:05:22.505Z"


@pytest.mark.parametrize(
    ("limit", "now", "seconds"),
    [
        (LIMIT, NOW, 60),
        (LIMIT | {"status": "allowed_warning"}, NOW, None),
        (LIMIT | {"resetsAt": 1}, NOW, None),
        (LIMIT | {"resetsAt": "soon"}, NOW, None),
        (LIMIT, "now", None),
        (LIMIT, None, None),
    ],
)
def test_a_plan_that_is_used_up_says_for_how_long(limit: Any, now: Any, seconds: int | None) -> None:
    found = end(*failed("No.", "rate_limit", api_error_status=429, timestamp=now), limit=limit)
    assert isinstance(found, Failed)
    assert found.retry_after == seconds
