from ccproxy.agent.refused import SessionBusy, SessionForgotten, SessionsFull


def test_each_says_what_to_do() -> None:
    found = {
        problem.failure.code: (problem.failure.status, problem.failure.message)
        for problem in (SessionBusy("s", 60), SessionForgotten("s"), SessionsFull(32))
    }
    assert {code: status for code, (status, _) in found.items()} == {
        "session_busy": 409,
        "session_forgotten": 400,
        "sessions_full": 503,
    }
    assert "claude.sessions.wait_seconds" in found["session_busy"][1]
    assert "whole conversation" in found["session_forgotten"][1]
    assert "claude.sessions.max" in found["sessions_full"][1]
