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

from scripts.benchmark import load, main, upstream
from scripts.benchmark.client import AnswerError, AnswerReader, Connection
from scripts.benchmark.contenders import OWN, Contender
from scripts.benchmark.goals import Goal, judge
from scripts.benchmark.load import Target
from scripts.benchmark.measure import Plan, Round
from scripts.benchmark.messages import StreamShape, request_body
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
        yield Target(server.sockets[0].getsockname()[1], "/v1/messages", {})


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

    def test_an_empty_body(self) -> None:
        reader = AnswerReader()
        assert reader.feed(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 1.0)
        assert (reader.body, reader.first_byte_at, reader.keep_alive) == (b"", 1.0, False)

    def test_a_body_without_an_end_is_refused(self) -> None:
        with pytest.raises(AnswerError, match="content-length"):
            AnswerReader().feed(b"HTTP/1.1 200 OK\r\n\r\n", 1.0)


class TestLoad:
    def test_requests_have_the_size_asked_for(self) -> None:
        for size in (1000, 50_000):
            for shape in (None, SHAPE):
                body = request_body(size, shape)
                assert abs(len(body) - size) <= 2
                assert json.loads(body).get("stream", False) == (shape is not None)

    def test_the_shape_survives_in_the_prompt(self) -> None:
        reserialised = json.dumps(json.loads(request_body(1000, SHAPE)), indent=2).encode()
        assert StreamShape.find(reserialised) == SHAPE

    async def test_replies(self, target: Target) -> None:
        answers = await load.replies(target, 50_000, 3)
        assert [answer.status for answer in answers] == [200, 200, 200]
        assert json.loads(answers[0].body)["stop_reason"] == "end_turn"

    async def test_streams_come_in_the_shape_asked_for(self, target: Target) -> None:
        (answer,) = await load.streams(target, SHAPE, 1)
        assert answer.body.count(b"\n\n") == SHAPE.events
        pauses = 4 * SHAPE.pause_ms / 1000  # 7 deltas, 2 per write
        assert answer.whole >= pauses > answer.first_byte > 0

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
            lossy = Target(server.sockets[0].getsockname()[1], "/v1/messages", {})
            with pytest.raises(AnswerError, match="connection lost"):
                await load.replies(lossy, 1000, 1)

    async def test_a_closed_connection_opens_again(self, target: Target) -> None:
        connection = Connection(target.port)
        request = target.request(request_body(1000))
        for _ in range(2):
            load.check_reply(await connection.request(request))
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
            "broken", "1", "/", lambda place: Command([sys.executable, "-c", "exit('out of order')"])
        )
        said: list[str] = []
        direct, failed = await run([OWN["direct"], broken], TINY, 2, 0, tmp_path, said.append)
        assert said == ["round 1 of 2: direct", "round 1 of 2: broken", "round 2 of 2: direct"]
        assert failed.rounds == [None, None]
        assert failed.failure
        assert "exit code 1" in failed.failure
        assert "out of order" in failed.failure
        assert all(one and one.requests_per_s > 10 and len(one.reply_ms) == 3 for one in direct.rounds)

        output = StringIO()
        console = Console(file=output, width=140)
        print_machine(machine(), console)
        print_tables([direct, failed], console)
        assert "requests/s" in output.getvalue()
        assert "broken failed" in output.getvalue()
        document = json.loads(json.dumps(as_json([direct, failed], TINY, machine(), [])))
        assert document["contenders"]["direct"]["summary"]["reply_p50"]["median"] > 0

    def test_unknown_contenders_are_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main.main(["--only", "direct,nobody"])
        assert "unknown: nobody" in capsys.readouterr().err


class TestGoals:
    @staticmethod
    def result(name: str, requests_per_s: float, first_byte_ms: float, soak_mb: list[float]) -> Result:
        one = Round([1], [1], [first_byte_ms], [9], requests_per_s, 900, 500, 20, 60, 70)
        return Result(OWN[name], [one], soak_mb)

    def judge(self, requests_per_s: float, first_byte_ms: float, soak_mb: list[float]) -> list[bool]:
        results = [
            self.result("mitmdump", 500, 2, []),
            self.result("serve", requests_per_s, first_byte_ms, soak_mb),
        ]
        goals = judge({result.contender.name: result for result in results}, soaked=bool(soak_mb))
        return [goal.met for goal in goals]

    def test_goals_met(self) -> None:
        assert self.judge(650, 2.1, [60, 70, 71, 72, 73]) == [True] * 6

    def test_each_goal_missed(self) -> None:
        assert self.judge(640, 2.1, [])[0] is False
        assert self.judge(650, 2.2, [])[1] is False
        assert self.judge(650, 2.1, [60, 110, 115, 120, 130])[4:] == [False, False]

    def test_what_was_not_measured_is_missed(self) -> None:
        goals = judge({}, soaked=True)
        assert [goal.met for goal in goals] == [False] * 6
        output = StringIO()
        print_goals([*goals, Goal("x", 1, 2, "ms")], Console(file=output, width=140))
        assert output.getvalue().count("not measured") == 6
        assert output.getvalue().count(" met") == 1
