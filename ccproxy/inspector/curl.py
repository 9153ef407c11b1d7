"""A request as a command for a POSIX shell: curl sends it again, with the user's own credential."""

import shlex
from itertools import count

from ccproxy.inspector.layout import HIDDEN
from ccproxy.inspector.sent import Sent


def curl_text(request: Sent) -> str:
    """The command. The body stands in a here-document: no text in it means anything to the shell.

    An argument could not hold it, because a single one may have 128 KiB on Linux.
    """
    words = ["curl --silent --show-error --no-buffer --globoff"]
    if request.method == "HEAD" and not request.body:
        # with --request curl would wait for the body of the answer
        words.append("--head")
    elif request.method != ("POST" if request.body else "GET"):
        words.append(f"--request {shlex.quote(request.method)}")
    words += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in request.headers]
    words += [f'--header "{one.header}: {one.scheme}${one.variable}"' for one in request.credentials()]
    words.append(shlex.quote(request.url))
    hidden = f'"{HIDDEN}"' in request.body or f"={HIDDEN}" in f"{request.url}&{request.body}"
    note = f"# {HIDDEN} stands for credentials: put yours there.\n" if hidden else ""
    if not request.body:
        return note + " \\\n  ".join(words) + "\n"
    end = _end_of(request.body)
    words.append(f"--data-binary @- <<'{end}'")
    return note + " \\\n  ".join(words) + f"\n{request.body}\n{end}\n"


def _end_of(body: str) -> str:
    """A word that is no line of the body."""
    lines = set(body.split("\n"))
    return next(word for number in count() if (word := f"END{number or ''}") not in lines)
