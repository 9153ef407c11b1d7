"""A program that plays Claude Code: it answers control requests, and does what a user's text tells it to.

The text of a turn is a JSON list of steps, and so is what it does before it reads anything (`first`):

    {"say": {...}}                a line                    {"raw": "text"}     bytes as they are
    {"cut": {...}, "size": 3}     a line, piece by piece    {"big": 1048576}    a line with so much text
    {"stderr": "text"}            a line to stderr          {"sleep": 0.1}      seconds
    {"interrupts": 2}             wait for so many          {"child": "FILE"}   a child in its own session
    {"close": true}               close standard output     {"exit": 1}         end at once
"""

import json
import sys
from pathlib import Path
from typing import Any

from ccproxy.conversation.parts import JsonObject

RESULT: JsonObject = {"type": "result", "subtype": "success", "is_error": False, "result": "done"}
"""The least that ends a turn."""

INITIALIZED: JsonObject = {"models": [{"value": "m", "displayName": "M"}], "claude_code_version": "9.8.7"}

_PROGRAM = """\
import json, os, signal, subprocess, sys, time

out = sys.stdout.buffer
if PLAY.get("ignores_term"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

def note(what):
    with open(LOG, "a") as file:
        file.write(json.dumps(what) + "\\n")

def put(data):
    out.write(data)
    out.flush()

def say(line):
    put(json.dumps(line).encode() + b"\\n")

def read():
    line = sys.stdin.readline()
    if not line:
        if PLAY.get("ignores_eof"):
            time.sleep(60)
        sys.exit(0)
    line = json.loads(line)
    note({"in": line})
    return line

def answer(line):
    name, subtype = line["request_id"], line["request"]["subtype"]
    if subtype in PLAY.get("silent", ()):
        return
    if subtype in PLAY.get("refuses", ()):
        body = {"subtype": "error", "error": "Unsupported control request subtype: " + subtype}
    else:
        body = {"subtype": "success", "response": PLAY.get("answers", {}).get(subtype, {})}
    say({"type": "control_response", "response": {"request_id": name, **body}})
    if subtype == PLAY.get("dies_after"):
        os._exit(1)

def play(step):
    match step:
        case {"say": line}: say(line)
        case {"raw": text}: put(text.encode())
        case {"cut": line, "size": size}:
            data = json.dumps(line, ensure_ascii=False).encode() + b"\\r\\n"
            for start in range(0, len(data), size):
                put(data[start : start + size])
                time.sleep(0.001)
        case {"big": size}: say({"type": "assistant", "text": "x" * size})
        case {"stderr": text}: print(text, file=sys.stderr, flush=True)
        case {"sleep": seconds}: time.sleep(seconds)
        case {"interrupts": count}:
            while count:
                line = read()
                if line["type"] == "control_request":
                    answer(line)
                    count -= line["request"]["subtype"] == "interrupt"
        case {"child": file}:
            child = subprocess.Popen(["sleep", "60"], start_new_session=True, stdout=subprocess.DEVNULL)
            with open(file + ".new", "w") as pids:
                pids.write(f"{os.getpid()} {child.pid}")
            os.rename(file + ".new", file)
        case {"close": _}: os.close(1)
        case {"exit": code}: os._exit(code)
        case _: raise ValueError(step)

note({"argv": sys.argv[1:], "env": dict(os.environ), "pid": os.getpid(), "cwd": os.getcwd()})
for step in PLAY.get("first", ()):
    play(step)
while True:
    line = read()
    if line["type"] == "control_request":
        answer(line)
    elif line["type"] == "user":
        for step in json.loads(line["message"]["content"][0]["text"]):
            play(step)
"""


def fake_claude(folder: Path, **play: Any) -> Path:
    """An executable `claude` in this folder; it writes what it is given to `log` there (see `heard`).

    `first`: its first steps; `answers`: to control requests, by subtype; `refuses`, `silent`: such requests
    that it answers by an error or not at all; `dies_after`: one that it answers and ends; `ignores_term`,
    `ignores_eof`: it does not end then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    play["answers"] = {"initialize": INITIALIZED, **play.get("answers", {})}
    given = f"PLAY = {play!r}\nLOG = {str(folder / 'log')!r}\n"
    draft = folder / "claude.new"
    draft.write_text(f"#!{sys.executable} -IS\n{given}{_PROGRAM}")
    draft.chmod(0o755)
    return draft.replace(folder / "claude")


def turn(*steps: JsonObject, ends: bool = True) -> list[JsonObject]:
    """The content of a user's turn that makes it play these steps, and the `result`."""
    return [{"type": "text", "text": json.dumps([*steps, *([{"say": RESULT}] if ends else [])])}]


def heard(folder: Path) -> list[Any]:
    """What the fakes in this folder were started with (`argv`, `env`, `pid`, `cwd`), and each line `in`."""
    file = folder / "log"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def requests(folder: Path) -> list[JsonObject]:
    """The control requests among that."""
    return [
        said["in"]["request"] for said in heard(folder) if said.get("in", {}).get("type") == "control_request"
    ]
