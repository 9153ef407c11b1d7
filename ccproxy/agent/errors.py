"""Why Claude Code gives no answer, as errors of ours: what is wrong and what to do, no secrets, no paths."""

import re

from ccproxy import failures
from ccproxy.failures import Failure
from ccproxy.redact import redacted

INSTALL = "npm install -g @anthropic-ai/claude-code"
UPDATE = "Update it: `claude update`, or npm install -g @anthropic-ai/claude-code@latest."

_BEARER = re.compile(r"(?i)\b(bearer\s+)[^\s'\",;]+")
_PATH = re.compile(r"(?<![\w/:.])(?:~|[A-Za-z]:)?[/\\][^\s'\":;,()]+")
_TOO_OLD = re.compile(r"(?i)unknown option|unsupported control request")
_LONGEST = 300


class AgentError(Exception):
    """Base class. `failure` is what a client is told."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class CliMissing(AgentError):
    """There is no `claude` here."""

    def __init__(self, message: str) -> None:
        super().__init__(failures.claude_unavailable(message))


class CliBroken(AgentError):
    """There is one, and it does not do what it has to. `stderr` is the end of what it said, masked."""

    def __init__(self, text: str, stderr: str = "") -> None:
        self.stderr = masked(stderr)
        super().__init__(failures.claude_unavailable(_with_last_words(text, self.stderr)))


class WorkerDied(AgentError):
    """The process is gone. `exit_code` is negative for a signal and None where there never was a process."""

    def __init__(self, exit_code: int | None, stderr: str = "") -> None:
        self.exit_code = exit_code
        self.stderr = masked(stderr)
        super().__init__(failures.claude_unavailable(_with_last_words(_how(exit_code), self.stderr)))


class ControlRefused(AgentError):
    """It answered a control request with an error."""

    def __init__(self, subtype: str, error: str) -> None:
        text = f"Claude Code refused a request of the proxy ({subtype})."
        super().__init__(failures.claude_unavailable(_with_last_words(text, masked(error))))


def masked(text: str) -> str:
    """The text without keys, credential headers and bearer tokens."""
    return _BEARER.sub(r"\1[sealed]", redacted(text))


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return "Claude Code has been closed. Try again."
    if exit_code < 0:
        return f"Claude Code was ended by signal {-exit_code}. Try again."
    return f"Claude Code ended before its answer did, with exit code {exit_code}. Try again."


def _with_last_words(text: str, said: str) -> str:
    """The sentence, with the last line that the process said, without paths."""
    said_lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = _PATH.sub("[path]", said_lines[-1])[:_LONGEST] if said_lines else ""
    advice = UPDATE if _TOO_OLD.search(said) else ""
    return " ".join(part for part in (text, f"It said: {last}" if last else "", advice) if part)
