"""The chain of a proxy with a cassette in it."""

from functools import partial
from pathlib import Path
from typing import Any

from ccproxy.addons.chain import make_chain
from ccproxy.addons.master import Chain
from ccproxy.addons.recording import Recording
from ccproxy.addons.replaying import make_replay_chain
from ccproxy.cli.tape import Tape
from ccproxy.records.cassette import read
from ccproxy.settings import Settings


def chain_with(tape: Tape | None) -> Chain:
    """The usual chain, one that also records, or that of a replay. Raises CassetteError."""
    if tape is None:
        return make_chain
    path = Path(tape.path)
    if tape.does == "record":
        return partial(recording_chain, path)
    return partial(make_replay_chain, recorded=read(path), in_time=tape.in_time)


def recording_chain(path: Path, settings: Settings) -> list[Any]:
    token = settings.security.auth_token
    return [*make_chain(settings), Recording(path, token.get_secret_value() if token else None)]
