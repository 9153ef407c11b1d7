"""How a person logs in: in a browser that comes back to this machine, by pasting, or with a device code.

What people read on the way goes to stderr: stdout is for the result.
"""

import asyncio
import os
import subprocess
import sys
import webbrowser
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

import typer

from ccproxy.credentials.oauth.callback import Callback
from ccproxy.credentials.oauth.claude import ClaudeOAuth
from ccproxy.credentials.oauth.constants import Redirect
from ccproxy.credentials.oauth.device import DeviceLogin
from ccproxy.credentials.oauth.loopback import receiver
from ccproxy.credentials.oauth.pasted import read_pasted
from ccproxy.credentials.oauth.pending import Provider
from ccproxy.credentials.oauth.pkce import Attempt
from ccproxy.credentials.oauth.tokens import LoginError, TokenError, Tokens

PROFILE_SECONDS = 10.0


class OAuth(Provider, Protocol):
    """A provider whose redirect can come to this machine."""

    redirect: Redirect


@dataclass(frozen=True, slots=True)
class How:
    """What the options ask for; `seconds` is how long to wait for the person."""

    browser: bool
    manual: bool
    seconds: float


def log_in(oauth: OAuth, how: How) -> Tokens:
    """Raises LoginError and TokenError."""
    return paste(oauth) if how.manual else asyncio.run(redirected(oauth, how))


async def redirected(oauth: OAuth, how: How) -> Tokens:
    """The browser is sent back to a port of this machine."""
    async with receiver(oauth.redirect) as door:
        attempt = Attempt(door.redirect_uri)
        url = await oauth.authorize_url(attempt)
        opened = how.browser and open_browser(url)
        say("Your browser opens this page:" if opened else "Open this page in a browser on this machine:")
        say(f"\n{url}\n\nWaiting for the login, {how.seconds / 60:g} minutes at most. Ctrl-C stops.")
        callback = await door.callback(attempt.state, seconds=how.seconds)
    return await oauth.exchange(attempt, callback)


def paste(oauth: OAuth) -> Tokens:
    """The browser may be anywhere: the person brings back what it shows."""
    attempt = Attempt(oauth.pasted_redirect_uri)
    url = asyncio.run(oauth.authorize_url(attempt))
    say(f"Open this page in any browser:\n\n{url}\n")
    if attempt.redirect_uri.startswith("http://"):
        say("After the login the browser ends on a page that fails to load. Paste its whole address here:")
    else:
        say("After the login the page shows a code. Paste all of it here, with the part after '#':")
    callback = pasted(attempt)
    return asyncio.run(oauth.exchange(attempt, callback))


def pasted(attempt: Attempt) -> Callback:
    """Read outside of the event loop, so that Ctrl-C works. Half a code may be pasted again, by a person."""
    while True:
        line = sys.stdin.readline()
        if not line.strip():
            raise LoginError("Nothing was pasted: begin again.", code="incomplete")
        try:
            callback = read_pasted(line)
            attempt.check(callback)
        except LoginError as problem:
            if problem.code not in ("incomplete", "state_mismatch") or not sys.stdin.isatty():
                raise
            say(str(problem))
        else:
            return callback


async def by_device(login: DeviceLogin, how: How) -> Tokens:
    """The browser may be anywhere: the person types a code there."""
    code = await login.begin()
    opened = how.browser and open_browser(code.page)
    say(f"{'Your browser opens' if opened else 'Open'} {code.page}\nand type the code {code.user_code}")
    say("Type it only if you began this login yourself. Ctrl-C stops.")
    return await login.finish(code, lifetime=how.seconds)


async def with_plan(oauth: ClaudeOAuth, tokens: Tokens) -> Tokens:
    """The tokens with the plan, which their own answer does not name; without it if that takes too long."""
    with suppress(TokenError, TimeoutError):
        async with asyncio.timeout(PROFILE_SECONDS):
            account = tokens.account | await oauth.profile(tokens.access_token)
            return replace(tokens, account=account)
    return tokens


def open_browser(url: str) -> bool:
    """Whether there is one to open; the address is shown in any case.

    In a process of its own, because browsers write to the terminal and may stay.
    """
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    # what is left without a desktop are browsers that would take over this terminal
    if type(found) is webbrowser.GenericBrowser and "BROWSER" not in os.environ:
        return False
    silent = subprocess.DEVNULL
    subprocess.Popen(  # noqa: S603 - the address is the provider's page, and no shell reads it
        [sys.executable, "-m", "webbrowser", url],
        stdin=silent,
        stdout=silent,
        stderr=silent,
        start_new_session=True,
    )
    return True


def say(text: str) -> None:
    typer.echo(text, err=True)
