"""docs/metrics.md has every metric and every label, and its configuration is one."""

import re
import subprocess
from pathlib import Path

from ccproxy.records.metrics import BUCKETS, MODELS, OTHER
from tests.docs.pages import blocks, page, section
from tests.support.clients import program
from tests.support.metrics import busy
from tests.support.metrics import page as read

PAGE = page("metrics")
ROW = re.compile(r"^\| `(ccproxy_\w+)` \| (\w+) \| (.*?) \| (.+) \|$", re.MULTILINE)


async def test_the_metrics_are_those_of_the_page() -> None:
    found = []
    for family in (await read(busy())).families:
        assert family.samples, family.name
        if not family.name.startswith("process_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label: None for sample in family.samples for label in sample.labels if label != "le"}
            listed = ", ".join(f"`{label}`" for label in labels)
            found.append((name, family.type, listed, family.documentation))
    assert ROW.findall(section(PAGE, "## Every metric")) == found


async def test_the_labels_of_requests_are_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", section(PAGE, "### What the labels say"), re.MULTILINE))
    used = set(re.findall(r"`(\w+)`", " ".join(row[2] for row in ROW.findall(PAGE))))
    assert used - explained == {"python", "version", "provider", "window", "state", "result"}
    assert explained <= used


def test_the_limits_are_those_of_the_code() -> None:
    assert f"`{OTHER}` for failures" in PAGE
    assert f"after {MODELS} different models" in PAGE
    assert (BUCKETS[0], BUCKETS[-1]) == (0.05, 600)
    assert "from 50 milliseconds to ten minutes" in PAGE


def test_the_queries_are_about_metrics_that_there_are() -> None:
    queries = blocks(PAGE, "promql")
    assert len(queries) >= 3
    named = {name.removesuffix("_bucket") for name in re.findall(r"ccproxy_\w+", " ".join(queries))}
    assert named <= {row[0] for row in ROW.findall(PAGE)}


def test_the_configuration_is_one(tmp_path: Path) -> None:
    (yaml,) = blocks(PAGE, "yaml")
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml)
    subprocess.run([program("promtool"), "check", "config", "--syntax-only", str(file)], check=True)
