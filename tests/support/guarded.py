"""An upstream of Claude's that knows its tokens, and the login server beside it; one behaviour for both."""

import json
import socket
import time
from pathlib import Path

from tests.support.upstreams import read_request, reply

REFUSED = reply(401, {"type": "error", "error": {"type": "authentication_error", "message": "Invalid token"}})
OF_TOKENS = "sk-ant-oat01-"


class Guarded:
    """Answers `good` to requests with the token `wanted`, 401 to others; `bodies` are those of all of them.

    Each refresh makes the next token, after `seconds`, unless the login is `over`. `sees` names the tokens.
    """

    def __init__(self, good: bytes, wanted: str, *, seconds: float = 0.0, over: bool = False) -> None:
        self.good = good
        self.wanted = wanted
        self.seconds = seconds
        self.over = over
        self.sees: list[str] = []
        self.bodies: list[bytes] = []
        self.refreshes = 0
        self.rewrites: Path | None = None

    def __call__(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            if request.startswith(b"POST /token "):
                connection.sendall(self.refresh())
                continue
            token = request.partition(OF_TOKENS.encode())[2].partition(b"\r\n")[0].decode()
            self.sees.append(token)
            self.bodies.append(request.partition(b"\r\n\r\n")[2])
            if token != self.wanted and self.rewrites:
                # another program has logged in again, just before this answer
                write_login(self.rewrites, self.wanted)
            connection.sendall(self.good if token == self.wanted else REFUSED)

    def refresh(self) -> bytes:
        self.refreshes += 1
        time.sleep(self.seconds)
        if self.over:
            return reply(400, {"error": "invalid_grant", "error_description": "Refresh token not found"})
        tokens = {"access_token": OF_TOKENS + self.wanted, "refresh_token": f"r{self.refreshes}"}
        return reply(200, {"token_type": "Bearer", "expires_in": 28800, **tokens})


def write_login(file: Path, token: str) -> Path:
    """Claude Code's login with a token that is not due for hours."""
    ends = int((time.time() + 7 * 3600) * 1000)
    oauth = {"accessToken": OF_TOKENS + token, "refreshToken": "r0", "expiresAt": ends, "scopes": []}
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"claudeAiOauth": oauth}))
    new.chmod(0o600)
    new.replace(file)
    return file
