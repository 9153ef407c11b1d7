import subprocess
import sys
from pathlib import Path

from ccproxy.addons.access_logger import AccessLogger
from ccproxy.addons.forgetter import Forgetting
from ccproxy.addons.metering import metering
from ccproxy.addons.recorder import Recorder
from ccproxy.inspector.kept import Kept
from ccproxy.quota.windows import Quota
from ccproxy.records.metrics import Metrics
from ccproxy.settings.watching import Inspector, Observability
from tests.support.metrics import AGENT, exchange, page


def made(settings: Observability, recorder: Recorder, forgetting: Forgetting) -> Metrics | None:
    return metering(settings, recorder, Quota(), lambda: AGENT, forgetting, AccessLogger(settings))


async def test_what_the_recorder_tells_and_what_the_addons_know(tmp_path: Path) -> None:
    recorder, forgetting = Recorder(), Forgetting(Inspector())
    metrics = made(Observability(enabled=True, duckdb_path=tmp_path / "a.duckdb"), recorder, forgetting)
    assert metrics
    forgetting.kept = Kept(bytes=1234)
    recorder.keep(exchange())
    told = await page(metrics)
    assert told.sum("ccproxy_requests_total") == 1
    assert told.sum("ccproxy_inspector_kept_bytes") == 1234
    assert told.sum("ccproxy_sdk_sessions") == 3
    assert told.sum("ccproxy_access_log_state", state="starting") == 1


async def test_without_the_access_log() -> None:
    metrics = made(Observability(metrics=True), Recorder(), Forgetting(Inspector()))
    assert metrics
    assert (await page(metrics)).sum("ccproxy_access_log_state") is None


def test_off() -> None:
    recorder = Recorder()
    assert made(Observability(), recorder, Forgetting(Inspector())) is None
    assert recorder.told == []


def test_who_does_not_want_them_does_not_load_the_library() -> None:
    program = (
        "import sys\n"
        "from ccproxy.addons.chain import make_chain\n"
        "from ccproxy.settings import Settings\n"
        "make_chain(Settings())\n"
        "print([name for name in sys.modules if name.startswith('prometheus_client')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
