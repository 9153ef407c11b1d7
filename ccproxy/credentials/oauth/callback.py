"""What a redirect brings back (RFC 6749, section 4.1.2)."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from ccproxy.credentials.oauth.tokens import LoginError

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Callback:
    """A code and its state; `client_id` is what Sign in with ChatGPT has issued, the first time."""

    code: str = field(repr=False)
    state: str = field(repr=False)
    client_id: str | None = None


def read_query(query: str) -> Callback:
    """The callback in the query of a redirect. Raises LoginError for a refusal, or if a part is missing."""
    given = _fields(query)
    if error := given.get("error"):
        raise refusal(error)
    code, state = given.get("code"), given.get("state")
    if not code or not state:
        raise LoginError("The address holds no code and state: begin the login again.", code="incomplete")
    return Callback(code, state, given.get("client_id"))


def state_in(query: str) -> str:
    """The state in the query of a redirect, whatever else it holds; empty when it has none."""
    return _fields(query).get("state", "")


def refusal(error: str) -> LoginError:
    """What to say about `error=` in a redirect."""
    word = error if _CODE.fullmatch(error) else "unknown_error"
    if word == "access_denied":
        return LoginError("The login was refused on the provider's page (access_denied).", code=word)
    return LoginError(f"The provider ended the login ({word}): begin it again.", code=word)


def _fields(query: str) -> dict[str, str]:
    """A name that comes twice is nobody's: RFC 6749, section 3.1, has each once."""
    try:
        given = parse_qs(query, max_num_fields=50)
    except ValueError:
        return {}
    return {name: values[0] for name, values in given.items() if len(values) == 1}
