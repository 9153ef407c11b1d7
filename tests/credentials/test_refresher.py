"""One login, a login server that does what it is told, and a clock that a test moves."""

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccproxy.credentials import refresher as module
from ccproxy.credentials.credential import CredentialError, TryLater
from ccproxy.credentials.oauth.tokens import TokenError, Tokens
from ccproxy.credentials.refresher import AHEAD, FIRST_WAIT, FORCED_EVERY, Refresher
from ccproxy.credentials.stores.claude_code import ClaudeCodeStore
from ccproxy.credentials.stores.login import Login
from ccproxy.credentials.stores.siwc import SiwcStore

HOUR = 3600.0
DEAD = TokenError("not accepted any more.", code="invalid_grant", terminal=True)
DOWN = TokenError("out of order.", code="http_503")


@dataclass
class Server:
    """Hands out `<old refresh token>+`, or raises what it was told to; `hold` lets it wait for a test."""

    clock: Callable[[], float]
    asked: list[str] = field(default_factory=list)
    trouble: TokenError | None = None
    rotates: bool = True
    lifetime: float | None = HOUR
    before_answer: Callable[[], object] = lambda: None
    gate: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def refresh(self, refresh_token: str) -> Tokens:
        self.asked.append(refresh_token)
        assert self.gate.wait(20)
        self.before_answer()
        if self.trouble:
            raise self.trouble
        ends = None if self.lifetime is None else at(self.clock() + self.lifetime)
        new = f"{refresh_token}+"
        return Tokens(f"access-{len(self.asked)}", new if self.rotates else None, None, ends, (), None, {})


class World:
    """A file with a login, its server, and the time."""

    def __init__(self, folder: Path) -> None:
        self.time = 1_800_000_000.0
        self.path = folder / "c.json"
        self.server = Server(self.clock)

    def clock(self) -> float:
        return self.time

    def write(self, left: float | None, access: str = "access-0", refresh: str | None = "r") -> None:
        """A login as another program writes it, with `left` seconds to live."""
        ends = None if left is None else (self.time + left) * 1000
        oauth = {"accessToken": access, "refreshToken": refresh, "expiresAt": ends}
        new = self.path.with_name("theirs")
        new.write_text(json.dumps({"claudeAiOauth": oauth, "theirs": 1}))
        new.replace(self.path)

    def refresher(self) -> Refresher:
        return Refresher(ClaudeCodeStore(self.path), self.server, "Do this.", clock=self.clock)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def token(login: Login | None) -> str | None:
    return login.access_token if login else None


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "SETTLE", (0.01, 0.1))
    return World(tmp_path)


async def test_no_login(world: World) -> None:
    found = world.refresher()
    assert await found.fresh() is None
    assert await found.status() == (None, "missing", "")
    assert await found.rejected("x") is None


@pytest.mark.parametrize("left", [None, AHEAD + HOUR])
async def test_a_token_that_lives_is_left_alone(world: World, left: float | None) -> None:
    world.write(left)
    assert token(await world.refresher().fresh()) == "access-0"
    assert world.server.asked == []
    assert sorted(os.listdir(world.path.parent)) == ["c.json"]


async def test_it_is_renewed_ahead_of_its_end(world: World) -> None:
    world.write(8 * HOUR)
    found = world.refresher()
    world.time += 8 * HOUR - AHEAD - 1
    assert token(await found.fresh()) == "access-0"
    world.time += 2
    assert token(await found.fresh()) == "access-1"
    content = json.loads(world.path.read_text())
    assert content["claudeAiOauth"]["refreshToken"] == "r+"
    assert content["theirs"] == 1
    assert (await found.status())[1:] == ("valid", "")


async def test_short_lives_are_not_spent_renewing(world: World) -> None:
    world.server.lifetime = 100.0
    world.write(-1)
    found = world.refresher()
    assert token(await found.fresh()) == "access-1"
    world.time += 79
    assert token(await found.fresh()) == "access-1"
    world.time += 2
    assert token(await found.fresh()) == "access-2"


async def test_not_earlier_than_the_provider_wants(tmp_path: Path) -> None:
    server, store = Server(time.time), SiwcStore({"XDG_DATA_HOME": str(tmp_path)})
    now = datetime.now(UTC)
    ends, earliest = now + timedelta(seconds=100), now + timedelta(seconds=90)
    await store.write(Tokens("a", "r", None, ends, (), earliest, {}))
    late = now.timestamp()
    found = Refresher(store, server, "Do this.", clock=lambda: late)
    assert token(await found.fresh()) == "a"
    late += 85  # due, were it not for the provider's wish
    assert token(await found.fresh()) == "a"
    late += 6
    assert token(await found.fresh()) == "access-1"


async def test_many_requests_make_one_refresh_that_none_can_cancel(world: World) -> None:
    world.write(-1)
    world.server.gate.clear()
    found = world.refresher()
    requests = [asyncio.create_task(found.fresh()) for _ in range(50)]
    await until(lambda: bool(world.server.asked))
    for request in requests[:49]:
        request.cancel()
    await asyncio.wait(requests[:49])
    world.server.gate.set()
    assert token(await requests[49]) == "access-1"
    assert world.server.asked == ["r"]


async def test_what_was_sent_is_saved_though_the_program_ends(world: World) -> None:
    """As at the end of a program: every task is cancelled, and the loop waits for them."""
    world.write(-1)
    world.server.gate.clear()

    async def program() -> None:
        request = asyncio.create_task(world.refresher().fresh())
        await until(lambda: bool(world.server.asked))
        threading.Timer(0.1, world.server.gate.set).start()
        request.cancel()

    await asyncio.to_thread(asyncio.run, program())
    assert json.loads(world.path.read_text())["claudeAiOauth"]["refreshToken"] == "r+"


async def test_it_is_saved_before_anybody_uses_it(world: World) -> None:
    world.write(5)
    found = world.refresher()
    world.server.gate.clear()
    renewing = asyncio.create_task(found.fresh())
    await until(lambda: bool(world.server.asked))
    assert token((await found.status())[0]) == "access-0"
    world.server.gate.set()
    assert token(await renewing) == token(await ClaudeCodeStore(world.path).read()) == "access-1"


async def test_a_slow_server_does_not_hold_up_a_living_token(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    world.write(5)
    found = world.refresher()
    world.server.gate.clear()
    assert token(await found.fresh()) == "access-0"
    world.server.gate.set()
    await found.stop()
    assert token(await found.fresh()) == "access-1"


async def test_somebody_else_has_renewed_it_while_we_waited_for_the_lock(world: World) -> None:
    world.write(-1)
    found = world.refresher()
    async with ClaudeCodeStore(world.path).lock():
        request = asyncio.create_task(found.fresh())
        await asyncio.sleep(0.1)
        world.write(HOUR, "theirs", "r-theirs")
    assert token(await request) == "theirs"
    assert world.server.asked == []


async def test_the_old_refresh_token_stays_when_the_answer_has_none(world: World) -> None:
    world.server.rotates = False
    world.write(-1)
    found = world.refresher()
    for number in (1, 2):
        assert token(await found.fresh()) == f"access-{number}"
        world.time += HOUR + 1
    assert world.server.asked == ["r", "r"]


async def test_trouble_is_waited_out_with_longer_and_longer_pauses(world: World) -> None:
    world.write(-1)
    world.server.trouble = DOWN
    found = world.refresher()
    for wait in (FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT):
        asked = len(world.server.asked)
        for _ in range(3):
            with pytest.raises(TryLater, match=rf"in {wait:.0f} seconds\. out of order") as caught:
                await found.fresh()
            assert caught.value.expired
        assert len(world.server.asked) == asked + 1
        assert (await found.status())[1:] == ("expired", str(caught.value))
        world.time += wait
    assert (await found.status())[1:] == ("renewable", "")
    world.server.trouble = None
    assert token(await found.fresh()) == "access-4"


async def test_a_provider_that_names_a_time_is_obeyed(world: World) -> None:
    world.write(-1)
    world.server.trouble = TokenError("too many.", code="rate_limited", retry_after=120)
    found = world.refresher()
    with pytest.raises(TryLater, match="in 120 seconds"):
        await found.fresh()
    world.time += 119
    with pytest.raises(TryLater, match="in 1 seconds"):
        await found.fresh()
    assert len(world.server.asked) == 1


async def test_a_living_token_is_used_whatever_happens(world: World) -> None:
    world.write(5)
    found = world.refresher()
    for trouble in (DOWN, DEAD):
        world.server.trouble = trouble
        for _ in range(2):
            assert token(await found.fresh()) == "access-0"
        world.time += FIRST_WAIT - 1
    assert len(world.server.asked) == 1
    world.write(3)
    world.time += 2
    assert token(await found.fresh()) == "access-0"
    assert (await found.status())[1:] == ("valid", "not accepted any more.")


async def test_a_dead_login_is_not_tried_again_until_there_is_another(world: World) -> None:
    world.write(-1)
    world.server.trouble = DEAD
    found = world.refresher()
    for _ in range(3):
        with pytest.raises(CredentialError, match=r"not accepted any more\. Do this\.") as caught:
            await found.fresh()
        assert not isinstance(caught.value, TryLater)
        assert caught.value.expired
        world.time += 10 * HOUR
    assert world.server.asked == ["r"]
    assert (await found.status())[1:] == ("expired", str(caught.value))
    world.server.trouble = None
    world.write(-1, "access-new", "r-new")
    assert (await found.status())[1] == "renewable"
    assert token(await found.fresh()) == "access-2"


async def test_another_program_was_quicker_and_writes_a_little_later(world: World) -> None:
    world.write(-1)
    world.server.trouble = DEAD
    world.server.before_answer = lambda: threading.Timer(0.05, world.write, (HOUR, "theirs", "r2")).start()
    found = world.refresher()
    assert token(await found.fresh()) == "theirs"
    assert (await found.status())[1:] == ("valid", "")


async def test_another_program_logs_in_while_we_renew(world: World) -> None:
    world.write(-1)
    world.server.before_answer = lambda: world.write(HOUR, "theirs", "r-theirs")
    found = world.refresher()
    assert token(await found.fresh()) == token(await found.fresh()) == "theirs"
    assert json.loads(world.path.read_text())["claudeAiOauth"]["refreshToken"] == "r-theirs"


async def test_another_program_puts_back_what_it_had_read(world: World) -> None:
    world.write(-1)
    found = world.refresher()
    assert token(await found.fresh()) == "access-1"
    world.write(-1)
    assert token(await found.fresh()) == "access-1"
    await found.stop()
    assert json.loads(world.path.read_text())["claudeAiOauth"]["accessToken"] == "access-1"
    assert world.server.asked == ["r"]


async def test_a_logout_meanwhile(world: World) -> None:
    world.write(-1)
    world.server.before_answer = lambda: world.path.write_text('{"theirs": 1}')
    found = world.refresher()
    with pytest.raises(CredentialError, match="no longer there"):
        await found.fresh()
    assert await found.fresh() is None
    assert json.loads(world.path.read_text()) == {"theirs": 1}


async def test_a_renewed_login_that_cannot_be_saved(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.write(-1)
    found = world.refresher()

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert token(await found.fresh()) == "access-1"
        assert token(await found.fresh()) == "access-1"
        await found.stop()
        _, state, hint = await found.status()
        assert state == "valid"
        assert "could not be saved" in hint
        assert "No space left on device" in hint
        assert "could not be saved" in caplog.text
        assert "access-1" not in caplog.text
        assert json.loads(world.path.read_text())["claudeAiOauth"]["accessToken"] == "access-0"
    world.time += FIRST_WAIT
    assert token(await found.fresh()) == "access-1"
    await found.stop()
    assert (await found.status())[1:] == ("valid", "")
    assert json.loads(world.path.read_text())["claudeAiOauth"]["accessToken"] == "access-1"
    assert world.server.asked == ["r"]


async def test_what_could_not_be_saved_is_not_sent(world: World) -> None:
    world.write(-1)
    world.path.with_name("c.json.lock").mkdir()
    with pytest.raises(TryLater, match="cannot be locked"):
        await world.refresher().fresh()
    assert world.server.asked == []


async def test_a_login_that_is_not_ours_to_renew(world: World) -> None:
    world.write(-1, refresh=None)
    found = world.refresher()
    with pytest.raises(CredentialError, match=r"cannot be renewed\. Do this\."):
        await found.fresh()
    assert (await found.status())[1] == "expired"
    assert world.server.asked == []


async def test_after_a_401_the_other_token_in_the_file_is_used(world: World) -> None:
    world.write(HOUR, "theirs")
    assert token(await world.refresher().rejected("access-0")) == "theirs"
    assert world.server.asked == []


async def test_after_a_401_it_is_renewed_once_and_not_again_and_again(world: World) -> None:
    world.write(HOUR)
    found = world.refresher()
    answers = await asyncio.gather(*(found.rejected("access-0") for _ in range(5)))
    assert {token(answer) for answer in answers} == {"access-1"}
    assert token(await found.rejected("access-0")) == "access-1"
    for _ in range(3):
        assert await found.rejected("access-1") is None
    assert world.server.asked == ["r"]
    world.time += FORCED_EVERY
    assert token(await found.rejected("access-1")) == "access-2"


async def test_a_renewal_that_somebody_asks_for(world: World) -> None:
    found = world.refresher()
    assert await found.renew() is None
    world.write(HOUR)
    assert token(await found.renew()) == "access-1"
    assert token(await found.renew()) == "access-2"
    world.server.trouble = DOWN
    for _ in range(2):
        with pytest.raises(TryLater, match="out of order"):
            await found.renew()
    assert len(world.server.asked) == 3


@pytest.mark.parametrize("trouble", [DOWN, DEAD])
async def test_after_a_401_nothing_helps(world: World, trouble: TokenError) -> None:
    world.write(HOUR)
    world.server.trouble = trouble
    found = world.refresher()
    for _ in range(3):
        assert await found.rejected("access-0") is None
    assert world.server.asked == ["r"]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - it happens in a thread
            await asyncio.sleep(0.01)


async def test_what_is_in_use_is_renewed_in_the_background(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.02)
    world.write(HOUR)
    found = world.refresher()
    found.start()
    await found.fresh()
    world.time += HOUR - 10
    await until(lambda: world.server.asked == ["r"])
    await until(lambda: "access-1" in world.path.read_text())
    world.time += HOUR - 10
    await asyncio.sleep(0.2)
    assert world.server.asked == ["r"], "nobody has used it since"
    await found.stop()


async def test_the_background_sleeps_until_there_is_something_to_do(world: World) -> None:
    world.write(HOUR)
    reads = 0

    class Counting(ClaudeCodeStore):
        async def read(self) -> Login | None:
            nonlocal reads
            reads += 1
            return await super().read()

    found = Refresher(Counting(world.path), world.server, "Do this.", clock=world.clock)
    found.start()
    found.start()
    await asyncio.sleep(0.3)
    assert reads == 1
    await found.stop()
    await found.stop()


async def test_stop_waits_for_a_renewal(world: World) -> None:
    world.write(-1)
    world.server.gate.clear()
    found = world.refresher()
    request = asyncio.create_task(found.fresh())
    await until(lambda: bool(world.server.asked))
    request.cancel()
    threading.Timer(0.1, world.server.gate.set).start()
    await found.stop()
    assert "access-1" in world.path.read_text()


async def test_secrets_are_in_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world.write(-1)
    found = world.refresher()
    await found.fresh()
    world.server.trouble = DEAD
    world.time += HOUR + 1
    with pytest.raises(CredentialError):
        await found.fresh()
    for secret in ("access-", "r+"):
        assert secret not in caplog.text
    await found.stop()
