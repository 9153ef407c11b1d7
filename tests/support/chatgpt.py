"""A ChatGPT login that the simulator takes, in the layout of the Codex CLI."""

import json
import time
from pathlib import Path
from typing import Any

import jwt

AUTH = "https://api.openai.com/auth"
ACCOUNT = "acct-of-the-proxy"


def token(account: str = ACCOUNT, plan: str = "plus", seconds: float = 86_400) -> str:
    """A JWT that names an account; nobody looks at its signature."""
    now = int(time.time())
    claims: dict[str, Any] = {"sub": "user-1", "iat": now, "exp": now + int(seconds)}
    claims[AUTH] = {"chatgpt_account_id": account, "chatgpt_plan_type": plan}
    return jwt.encode(claims, "no-secret-at-all-" * 2, algorithm="HS256")


def write_login(path: Path, account: str = ACCOUNT) -> Path:
    """An `auth.json`."""
    access = token(account)
    tokens = {"id_token": access, "access_token": access, "refresh_token": "rt-1", "account_id": account}
    path.parent.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path.write_text(json.dumps({"OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": stamp}))
    return path
