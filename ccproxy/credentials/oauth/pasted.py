"""What a person copies from a browser into the terminal: `code#state`, or the address it ended at."""

import re

from ccproxy.credentials.oauth.callback import Callback, read_query
from ccproxy.credentials.oauth.tokens import LoginError


def read_pasted(text: str) -> Callback:
    """The callback in it. Blanks and line breaks may be anywhere: terminals and mails wrap long lines.

    Raises LoginError when it is none, or when the address says that the login was refused.
    """
    plain = "".join(text.split()).strip("'\"`<>")
    if re.search(r"(^|[?&])(code|state|error)=", plain):
        before, mark, after = plain.partition("?")
        return read_query((after if mark else before).partition("#")[0])
    code, _, state = plain.partition("#")
    if not code or not state or "://" in code:
        raise LoginError(
            "That is no complete code: copy all of it, with the part after '#', or the whole address.",
            code="incomplete",
        )
    return Callback(code, state)
