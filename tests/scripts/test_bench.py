"""The benchmark's own arithmetic, load generator and process keeping, against real sockets and processes."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from scripts.benchmark import load, main, messages, upstream
from scripts.benchmark.canned import StreamShape
from scripts.benchmark.client import AnswerError, AnswerReader, Connection
from scripts.benchmark.contenders import OWN, Contender
from scripts.benchmark.goals import Goal, judge
from scripts.benchmark.legs import LEGS, TRANSLATED, routes
from scripts.benchmark.load import Target
from scripts.benchmark.measure import LegRound, Plan, Round
from scripts.benchmark.process import Command, resident_bytes, running
from scripts.benchmark.report import as_json, machine, print_goals, print_machine, print_tables
from scripts.benchmark.session import Result, run
from scripts.benchmark.stats import Summary, paired_ratio, percentile

SHAPE = StreamShape(deltas=7, burst=2, pause_ms=5)
TINY = Plan(
    warm_up=1,
    replies=3,
    large_replies=2,
    streams=2,
    throughput_seconds=0.05,
    stream=SHAPE,
    long_stream=StreamShape(deltas=50, burst=10, pause_ms=0),
)


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    server = await upstream.listen()
    async with server:
        yield Target(server.sockets[0].getsockname()[1], "/v1/messages", messages, {})


class TestStatistics:
    def test_percentile_lies_between_neighbours(self) -> None:
        assert percentile([4, 1, 3, 2], 50) == 2.5
        assert percentile([1, 2, 3], 100) == 3
        assert percentile(range(101), 95) == 95
        assert percentile([7], 95) == 7

    def test_percentile_of_nothing_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="no values"):
            percentile([], 50)

    def test_summary(self) -> None:
        assert Summary.of([3, 9, 1]) == Summary(median=3, low=1, high=9)

    def test_a_ratio_is_taken_round_by_round(self) -> None:
        assert paired_ratio([10, 20, 300], [5, 20, 100]) == 2  # not 20 / 20, the ratio of the medians

    def test_rounds_without_a_pair_do_not_count(self) -> None:
        assert paired_ratio([10, None, 30], [5, 20, None]) == 2
        assert paired_ratio([1.0], [None]) is None
        assert paired_ratio([1.0], [-0.2]) is None


class TestAnswerReader:
    def test_a_body_by_length_in_single_bytes(self) -> None:
        reader = AnswerReader()
        data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
        done = [reader.feed(bytes([byte]), now) for now, byte in enumerate(data, start=1)]
        assert done.index(True) == len(data) - 1
        assert (reader.status, reader.body) == (200, b"hello")
        assert reader.first_byte_at == len(data) - 4

    def test_a_chunked_body_in_single_bytes(self) -> None:
        reader = AnswerReader()
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        data = head + b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"
        done = [reader.feed(bytes([byte]), now) for now, byte in enumerate(data, start=1)]
        assert done.index(True) == len(data) - 1
        assert reader.body == b"abc0123456789"

    def test_a_mark_is_found_where_it_first_stands_even_when_cut_in_two(self) -> None:
        reader = AnswerReader(b"ken")
        pieces = [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"2\r\nto\r\n"]
        pieces += [b"1\r\nk\r\n", b"2\r\nen\r\n", b"3\r\nken\r\n", b"0\r\n\r\n"]
        for now, piece in enumerate(pieces, start=1):
            reader.feed(piece, now)
        assert (reader.first_byte_at, reader.marked_at) == (2, 4)

    def test_a_mark_that_never_comes_counts_as_the_end(self) -> None:
        reader = AnswerReader(b"ken")
        reader.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nto", 1.0)
        assert reader.feed(b"ke", 2.0)
        assert reader.marked_at == 2.0

    def test_an_empty_body(self) -> None:
        reader = AnswerReader()
        assert reader.feed(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 1.0)
        assert (reader.body, reader.first_byte_at, reader.keep_alive) == (b"", 1.0, False)

    def test_a_body_without_an_end_is_refused(self) -> None:
        with pytest.raises(AnswerError, match="content-length"):
            AnswerReader().feed(b"HTTP/1.1 200 OK\r\n\r\n", 1.0)


class TestLoad:
    async def test_replies(self, target: Target) -> None:
        answers = await load.replies(target, 50_000, 3)
        assert [answer.status for answer in answers] == [200, 200, 200]
        assert json.loads(answers[0].body)["stop_reason"] == "end_turn"

    async def test_streams_come_in_the_shape_asked_for(self, target: Target) -> None:
        (answer,) = await load.streams(target, SHAPE, 1)
        assert answer.body.count(b"\n\n") == SHAPE.events
        pauses = 4 * SHAPE.pause_ms / 1000  # 7 deltas, 2 per write
        assert answer.whole >= pauses > answer.first_byte > 0
        assert answer.whole > answer.first_text >= SHAPE.pause_ms / 1000 > answer.first_byte

    async def test_throughput_counts_for_as_long_as_asked(self, target: Target) -> None:
        count, seconds = await load.throughput(target, 4, 0.1)
        assert count > 10
        assert 0.1 <= seconds < 1

    async def test_soak(self, target: Target) -> None:
        await load.soak(target, 4, 40)

    async def test_a_wrong_answer_is_an_error(self, target: Target) -> None:
        with pytest.raises(AnswerError, match="status 404"):
            await load.throughput(replace(target, path="/nowhere"), 2, 0.1)

    async def test_a_lost_connection_is_an_error(self) -> None:
        async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
            writer.close()

        async with await asyncio.start_server(drop, "127.0.0.1", 0) as server:
            lossy = Target(server.sockets[0].getsockname()[1], "/v1/messages", messages, {})
            with pytest.raises(AnswerError, match="connection lost"):
                await load.replies(lossy, 1000, 1)

    async def test_a_closed_connection_opens_again(self, target: Target) -> None:
        connection = Connection(target.port)
        request = target.request(1000)
        for _ in range(2):
            messages.check_reply(await connection.request(request))
            connection.close()


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


class TestProcess:
    async def test_a_child_starts_clean_and_ends_with_all_it_started(self, tmp_path: Path) -> None:
        program = (
            "import os, subprocess, sys\n"
            "print(*os.environ, flush=True)\n"
            "sleep = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'\n"
            "subprocess.run([sys.executable, '-c', sleep])\n"
        )
        async with running(Command([sys.executable, "-c", program], {"EXTRA": "1"}), tmp_path) as child:
            await eventually(lambda: len(child.log_tail().splitlines()) == 2)
            *variables, grandchild = child.log_tail().split()
            assert {"EXTRA", "HOME", "PATH"} <= set(variables) <= {"EXTRA", "HOME", "PATH", "LC_CTYPE"}
            stat = Path("/proc", grandchild, "stat")
            assert is_alive(stat)
            assert child.resident_bytes() > 1.5 * resident_bytes(
                int(grandchild)
            )  # both are bare interpreters
            assert child.cpu_seconds() > 0
        assert child.exit_code is not None
        await eventually(lambda: not is_alive(stat))


def is_alive(stat: Path) -> bool:
    """Whether a process runs, by its /proc/PID/stat; one that nobody has waited for yet does not."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class TestRun:
    async def test_rounds_alternate_and_a_failure_is_reported_not_fatal(self, tmp_path: Path) -> None:
        broken = Contender(
            "broken",
            "1",
            routes("/v1"),
            lambda place: Command([sys.executable, "-c", "exit('out of order')"]),
        )
        said: list[str] = []
        direct, failed = await run([OWN["direct"], broken], TINY, 2, LEGS, 0, tmp_path, said.append)
        assert said == ["round 1 of 2: direct", "round 1 of 2: broken", "round 2 of 2: direct"]
        assert failed.rounds == [None, None]
        assert failed.failure
        assert "exit code 1" in failed.failure
        assert "out of order" in failed.failure
        for one in direct.rounds:
            assert one
            assert tuple(one.legs) == LEGS
            assert all(leg.requests_per_s > 10 and len(leg.reply_ms) == 3 for leg in one.legs.values())

        output = StringIO()
        console = Console(file=output, width=140)
        print_machine(machine(), console)
        print_tables([direct, failed], LEGS, console)
        assert "requests/s" in output.getvalue()
        assert "broken failed" in output.getvalue()
        document = json.loads(json.dumps(as_json([direct, failed], TINY, LEGS, machine(), [])))
        assert document["contenders"]["direct"]["summary"]["chat.reply_p50"]["median"] > 0

    async def test_a_leg_that_fails_is_left_out_and_the_others_go_on(self, tmp_path: Path) -> None:
        found, nowhere = OWN["direct"].routes, routes("/nowhere", "responses")
        deaf = Contender("deaf", "1", {**found, **nowhere}, None)
        said: list[str] = []
        direct, result = await run([OWN["direct"], deaf], TINY, 2, TRANSLATED, 0, tmp_path, said.append)
        assert said.count("round 2 of 2: deaf") == 1
        assert [tuple(one.legs) for one in result.rounds if one] == [("chat",), ("chat",)]
        assert "status 404" in result.leg_failures["responses"]
        output = StringIO()
        print_tables([direct, result], TRANSLATED, Console(file=output, width=140))
        assert "deaf, responses failed" in output.getvalue()

    async def test_ccproxy_gives_right_answers_in_every_leg(self, tmp_path: Path) -> None:
        direct, serve = await run([OWN["direct"], OWN["serve"]], TINY, 1, LEGS, 0, tmp_path, lambda _: None)
        assert serve.failure is None
        assert serve.leg_failures == {}
        (one,) = serve.rounds
        assert one
        assert tuple(one.legs) == LEGS
        document = as_json([direct, serve], TINY, LEGS, machine(), [])
        assert "responses.first_text_p50" in str(document)

    @pytest.mark.parametrize("option", ["--only", "--legs"])
    def test_unknown_contenders_and_legs_are_refused(
        self, capsys: pytest.CaptureFixture[str], option: str
    ) -> None:
        with pytest.raises(SystemExit):
            main.main([option, "direct,nobody" if option == "--only" else "chat,nobody"])
        assert "unknown: nobody" in capsys.readouterr().err


class TestGoals:
    @staticmethod
    def result(
        contender: Contender, requests_per_s: float, first_ms: float, cpu_us: float, soak_mb: list[float]
    ) -> Result:
        leg = LegRound([1], [1], [first_ms], [first_ms], [9 * first_ms], requests_per_s, 900, cpu_us)
        one = Round({name: leg for name in LEGS if name in contender.routes}, 500, 60, 70)
        return Result(contender, [one], soak_mb)

    def judge(self, requests_per_s: float, first_byte_ms: float, soak_mb: list[float]) -> list[bool]:
        results = [
            self.result(OWN["mitmdump"], 500, 2, 20, []),
            self.result(OWN["serve"], requests_per_s, first_byte_ms, 20, soak_mb),
        ]
        by_name = {result.contender.name: result for result in results}
        return [goal.met for goal in judge(by_name, ["passthrough"], soaked=bool(soak_mb))]

    def test_goals_met(self) -> None:
        assert self.judge(650, 2.1, [60, 70, 71, 72, 73]) == [True] * 6

    def test_each_goal_missed(self) -> None:
        assert self.judge(640, 2.1, [])[0] is False
        assert self.judge(650, 2.2, [])[1] is False
        assert self.judge(650, 2.1, [60, 110, 115, 120, 130])[4:] == [False, False]

    def judge_chat(self, cpu_us: float, first_ms: float, **peers: tuple[float, float]) -> list[bool]:
        results = {"serve": self.result(OWN["serve"], 500, first_ms, cpu_us, [])}
        for name, (peer_cpu_us, peer_first_ms) in peers.items():
            peer = Contender(name, "1", routes("/v1", "chat"), None)
            results[name] = self.result(peer, 500, peer_first_ms, peer_cpu_us, [])
        return [goal.met for goal in judge(results, ["chat"], soaked=False)]

    def test_translating_has_a_limit_of_its_own(self) -> None:
        assert self.judge_chat(60, 2) == [True, True, True]
        assert self.judge_chat(61, 2) == [False, True, True]

    def test_translating_is_to_be_ahead_of_every_peer(self) -> None:
        assert self.judge_chat(40, 2, litellm=(500, 9), portkey=(41, 2.1))[:4] == [True] * 4
        assert self.judge_chat(40, 2, litellm=(500, 9), portkey=(39, 2.1))[:4] == [True, True, True, False]
        assert self.judge_chat(40, 2, litellm=(500, 1), portkey=(41, 2.1))[:4] == [True, False, False, True]

    def test_what_was_not_measured_is_missed(self) -> None:
        goals = judge({}, LEGS, soaked=True)
        assert [goal.met for goal in goals] == [False] * (6 + len(TRANSLATED))
        output = StringIO()
        print_goals([*goals, Goal("x", 1, 2, "ms")], Console(file=output, width=140))
        assert output.getvalue().count("not measured") == len(goals)
        assert output.getvalue().count(" met") == 1
