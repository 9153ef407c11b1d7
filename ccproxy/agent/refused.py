"""Why a request gets no turn: its session is at work, forgotten, or there are too many."""

from ccproxy import failures
from ccproxy.agent.errors import AgentError
from ccproxy.failures import Failure


class SessionBusy(AgentError):
    def __init__(self, session: str, seconds: float) -> None:
        super().__init__(failures.session_busy(session, seconds))


class SessionForgotten(AgentError):
    def __init__(self, session: str) -> None:
        super().__init__(failures.session_forgotten(session))


class SessionsFull(AgentError):
    def __init__(self, most: int) -> None:
        super().__init__(
            Failure(
                "sessions_full",
                503,
                "overloaded_error",
                f"All {most} Claude Code sessions are at work (claude.sessions.max). Try again in a moment.",
                retry_after=5,
            )
        )
