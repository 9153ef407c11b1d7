"""`ccproxy permission-handler`: answer in a terminal when tools ask for permission."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ccproxy.cli.config import ConfigOption, failing_plainly
from ccproxy.cli.running import NoAnswerError, server_url
from ccproxy.settings import Given, load

if TYPE_CHECKING:
    # imported where they are needed: `ccproxy serve` must not wait for them
    from ccproxy.cli.permission_client import Client
    from ccproxy.cli.permission_queue import Queue


def permission_handler(
    host: Annotated[str | None, typer.Option(help="Address of the server.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the server.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Events as JSON lines on stdout, answers as JSON lines on stdin.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Answer here, in this terminal, when tools ask the running server for permission."""
    named = {"server.host": Given(host, "--host"), "server.port": Given(port, "--port")}
    with failing_plainly():
        found = load({key: given for key, given in named.items() if given.value is not None}, config=config)
    token = found.settings.security.auth_token
    address = server_url(found.settings)
    try:
        good = asyncio.run(_run(address, token.get_secret_value() if token else None, as_json=as_json))
    except NoAnswerError as problem:
        typer.echo(problem, err=True)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        # nobody reads any more; what Python writes at its end has to go somewhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return
    else:
        if not good:
            raise typer.Exit(1)


async def _run(address: str, token: str | None, *, as_json: bool) -> bool:
    from ccproxy.cli.permission_client import Client

    async with Client(address, token) as client:
        if as_json:
            return await _for_scripts(client)
        await _for_people(client)
    return True


async def _for_scripts(client: "Client") -> bool:
    from ccproxy.cli.permission_json import run
    from ccproxy.cli.permission_stdin import typed_lines

    typed = typed_lines()
    with quitting(lambda: typed.put_nowait(None), signal.SIGINT, signal.SIGTERM):
        return await run(client, typed, _write)


async def _for_people(client: "Client") -> None:
    from ccproxy.cli.permission_desk import Desk

    desk = Desk(client)
    try:
        await desk.open()
        if whole_screen():
            from ccproxy.cli.permission_screen import Screen

            screen = Screen(desk)
            with quitting(screen.quit, signal.SIGTERM):
                await screen.run()
        else:
            from ccproxy.cli.permission_lines import Lines
            from ccproxy.cli.permission_stdin import typed_lines

            # a terminal may be unable to write what a tool asks; it must not end us
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
            typed = typed_lines()
            with quitting(lambda: typed.put_nowait(None), signal.SIGINT, signal.SIGTERM):
                await Lines(desk, _write).run(typed)
                _write("\n")
    finally:
        await desk.close()
    if left := still_waiting(desk.queue):
        _write(f"{left}\n")


def whole_screen() -> bool:
    """Whether the terminal can move its cursor, and there is one at both ends."""
    from prompt_toolkit.utils import is_dumb_terminal

    term = os.environ.get("TERM", "")
    return sys.stdin.isatty() and sys.stdout.isatty() and not is_dumb_terminal(term or "dumb")


def still_waiting(queue: "Queue") -> str:
    """What a person who quits has to know."""
    if not (count := len(queue.waiting)):
        return ""
    ends = [left for request in queue.waiting.values() if (left := queue.left(request, datetime.now(UTC)))]
    until = f", from {(datetime.now(UTC) + min(ends)).astimezone():%H:%M:%S} on" if ends else ""
    return (
        f"{count} {'requests wait' if count > 1 else 'request waits'} on and will be denied{until}. "
        "Answer with: ccproxy permission-handler"
    )


@contextlib.contextmanager
def quitting(quit_: Callable[[], None], *signals: signal.Signals) -> Iterator[None]:
    """These signals are a person who quits."""
    loop = asyncio.get_running_loop()
    for number in signals:
        # Windows has none of this, and ends at once
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, quit_)
    yield


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
