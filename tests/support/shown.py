"""A proxy inside mitmweb, in front of a simulator, with flows that are worth a look."""

import base64
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import upstream_settings
from tests.support.processes import BIN, Simulator, started

CLAUDE, GPT = "claude-opus-4-8", "gpt-5.5"
VERSION = {"anthropic-version": "2023-06-01"}


@contextmanager
def web_proxy(home: Path, simulator: Simulator) -> Iterator[tuple[str, str]]:
    """`ccproxy serve --web`: where it answers, and the address of its page with the token in it."""
    command = [str(BIN / "ccproxy"), "serve", "--web", "--port", "0", "--proxy-port", "0"]
    with started(command, home, upstream_settings(simulator)) as process:
        page = process.wait_for(r"inspector\s+(http://\S+token=\S+)")[1]
        yield process.wait_for(r"ANTHROPIC_BASE_URL=(\S+)/api")[1], page


def picture() -> str:
    """A PNG of one white pixel (PNG specification, third edition), in base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff")
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return base64.b64encode(png).decode()


def coding(last: str) -> dict[str, Any]:
    """What a coding agent asks in the middle of its work; `last` is the newest thing said to it."""
    image = {"type": "base64", "media_type": "image/png", "data": picture()}
    read = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"path": "app/greeting.py"}}
    found = {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": "def greet(name):\n    return 'hello' + name",
    }
    path = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    command = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
    return {
        "model": CLAUDE,
        "max_tokens": 32000,
        "stream": True,
        "system": [
            {
                "type": "text",
                "text": "You are a careful engineer. Read before you write.",
                "cache_control": {"type": "ephemeral", "ttl": "1h"},
            }
        ],
        "tools": [
            {"name": "Read", "description": "Reads a file.", "input_schema": path},
            {"name": "Bash", "description": "Runs a command.", "input_schema": command},
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "The greeting looks wrong, see the picture."},
                    {"type": "image", "source": image},
                ],
            },
            {"role": "assistant", "content": [{"type": "text", "text": "I look at the code first."}, read]},
            {"role": "user", "content": [found, {"type": "text", "text": last}]},
        ],
    }


def speak(url: str) -> int:
    """Two translations with losses, and an answer with a tool call; how many flows that makes."""
    to_gpt = {**coding("sim:slow 6 0.3"), "model": GPT, "top_k": 40}
    chat = {"model": CLAUDE, "seed": 7, "messages": [{"role": "user", "content": "sim:thinking"}]}
    run = 'sim:tool Bash {"command": "pytest -q tests/test_greeting.py"}'
    requests = {
        "/openai/v1/messages": to_gpt,
        "/api/v1/chat/completions": {**chat, "reasoning_effort": "high"},
        "/api/v1/messages": coding(run),
    }
    with httpx.Client(base_url=url, headers=VERSION, trust_env=False, timeout=20) as client:
        for path, body in requests.items():
            client.post(path, json=body).raise_for_status()
    return len(requests)
