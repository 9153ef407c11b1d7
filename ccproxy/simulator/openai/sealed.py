"""Text that only the server can read: encrypted reasoning and compacted histories.

Not really encrypted, but sealed: what was changed on its way is refused, as the real API does.
"""

import base64
import binascii
import hmac
import json
from typing import Any

from ccproxy.simulator.openai.errors import ApiError

KEY = b"ccproxy simulator"  # not a secret: it only has to be the same in every process
PREFIX = "gAAAAAB"
DIGEST = 32  # bytes


def seal(kind: str, text: str) -> str:
    """`kind` is the type of the item that carries the content."""
    payload = json.dumps([kind, text]).encode()
    return PREFIX + base64.urlsafe_b64encode(hmac.digest(KEY, payload, "sha256") + payload).decode()


def unseal(kind: str, content: str, param: str) -> str:
    """The text of a sealed content. Raises ApiError when it is not as it was given out."""
    try:
        raw = base64.b64decode(content.removeprefix(PREFIX), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refusal(content, param) from None
    digest, payload = raw[:DIGEST], raw[DIGEST:]
    if not content.startswith(PREFIX) or not hmac.compare_digest(digest, hmac.digest(KEY, payload, "sha256")):
        raise _refusal(content, param)
    found: list[Any] = json.loads(payload)
    if found[0] != kind:
        raise _refusal(content, param)
    return str(found[1])


def _refusal(content: str, param: str) -> ApiError:
    message = f"The encrypted content {content[:8]}... could not be verified."
    return ApiError(400, message, param=param, code="invalid_encrypted_content")
