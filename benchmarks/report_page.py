"""The page of a run with a million operations: its size, and how long a browser takes to open it.

Run it with ``.venv/bin/python -m benchmarks.report_page``. The run is made up, but written by the
recorder's journal: three regions, a cut that a standby takes over, as many roles and promises as a
real one has. Chromium (Debian's package) opens the page with nothing in its cache; the time is from
the navigation to the end of the page's load event and the first frame after it.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from statistics import median

import orjson
from playwright.sync_api import sync_playwright

from testbed.history.journal import Journal
from testbed.history.operation import Operation
from testbed.report.folder import read_run
from testbed.report.html import render_html

NS = 1_000_000_000
REGIONS = ("eu-west", "eu-central", "us-east")
PROCESSES = 40
CUT_S, HEAL_S, RTO_S = 100.0, 160.0, 9.0

OPENED = """() => new Promise(done => requestAnimationFrame(() => setTimeout(() => {
    const load = performance.getEntriesByType('navigation')[0];
    done([load.loadEventEnd, performance.now()]);
})))"""


def write_run(folder: Path, operations: int, duration_s: float) -> None:
    """A run folder with so many operations."""
    folder.mkdir(parents=True, exist_ok=True)
    step_ns = int(duration_s * NS / operations)
    with Journal(folder / "history.jsonl") as journal:
        answers: list[Operation] = []
        for number in range(operations):
            now = number * step_ns
            place = number % (len(REGIONS) * PROCESSES)
            region = REGIONS[place % len(REGIONS)]
            if len(answers) >= PROCESSES:
                journal.append(answers.pop(0))
            first = number < len(REGIONS) * PROCESSES
            journal.append(
                Operation(
                    time=now,
                    process=place,
                    type="invoke",
                    f="count" if number % 3 == 0 else "add",
                    value=None if number % 3 == 0 else number,
                    region=region if first else None,
                )
            )
            answers.append(_answer(number, now, place, region))
        for answer in answers:
            journal.append(answer)
    _write_rest(folder, duration_s)


def _answer(number: int, now: int, place: int, region: str) -> Operation:
    """What became of an operation; during the cut the cut region's writes are of no known end."""
    at_s = now / NS
    reads = number % 3 == 0
    down = CUT_S <= at_s < (HEAL_S if region == REGIONS[0] else CUT_S + RTO_S)
    kind = "ok" if reads or not down else ("info" if number % 2 else "fail")
    node = f"{region}-db1" if reads else f"{REGIONS[0] if at_s < CUT_S else REGIONS[1]}-db1"
    return Operation(
        time=now + 2_000_000 + (number % 977) * 10_000,
        process=place,
        type=kind,
        f="count" if reads else "add",
        value=number if reads else None,
        node=node if kind == "ok" else None,
        error=None if kind == "ok" else "no primary",
    )


def _write_rest(folder: Path, duration_s: float) -> None:
    plan = {
        "version": 1,
        "deployment": "active-passive",
        "variables": {},
        "load": {"workload": "set", "rate_ops_s": 1000.0, "processes": PROCESSES},
        "schedule": [
            {
                "kind": "region-cut",
                "target": REGIONS[0],
                "at_s": CUT_S,
                "duration_s": HEAL_S - CUT_S,
            }
        ],
        "seed": 1,
        "duration_s": duration_s,
    }
    lost = [
        {"value": n, "acknowledged_s": CUT_S + n / 500, "region": REGIONS[0],
         "process": str(n % 40), "node": f"{REGIONS[0]}-db1"}
        for n in range(1500)
    ]  # fmt: skip
    example = [
        {"kind": "lost", "process": one["process"], "region": REGIONS[0], "node": one["node"],
         "f": "add", "value": one["value"], "outcome": "ok",
         "start_ns": int(one["acknowledged_s"] * NS) - 1_000_000,
         "end_ns": int(one["acknowledged_s"] * NS), "missing_at": [f"{r}-db1" for r in REGIONS]}
        for one in lost[:500]
    ]  # fmt: skip
    verdict = {
        "version": 1,
        "experiment": "failover",
        "validity": "violation",
        "verdicts": [
            {"name": "durability", "promise": "No acknowledged write is lost.",
             "validity": "violation", "reason": "1500 are", "counterexample": example}
        ],
        "measures": {
            "rto": [{"region": name, "fault": "region-cut", "from_s": CUT_S, "rto_s": RTO_S,
                     "until_s": CUT_S + RTO_S, "bound_s": 30.0} for name in REGIONS[1:]],
            "rpo": {"lost": lost, "acknowledged": 500_000},
        },
        "schedule": [
            {"kind": "region-cut", "target": REGIONS[0], "inject_s": CUT_S, "effect_s": CUT_S + 0.4,
             "heal_s": HEAL_S, "absence_s": HEAL_S + 0.6}
        ],
        "nodes": {f"{name}-db1": name for name in REGIONS},
    }  # fmt: skip
    (folder / "plan.json").write_bytes(orjson.dumps(plan))
    (folder / "verdict.json").write_bytes(orjson.dumps(verdict))
    roles = [
        {"time": int(at_s * NS), "node": f"{name}-db1", "role": role, "timeline": timeline}
        for at_s, primary, timeline in ((0.0, 0, 1), (CUT_S + RTO_S, 1, 2))
        for place, name in enumerate(REGIONS)
        for role in ("primary" if place == primary else "replica",)
    ]
    (folder / "roles.jsonl").write_bytes(b"".join(orjson.dumps(one) + b"\n" for one in roles))


def opening_ms(page: Path, times: int) -> list[tuple[float, float]]:
    """Milliseconds to the end of the load event, and to the first frame after it."""
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium")
        for _ in range(times):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            tab = context.new_page()
            tab.goto(page.as_uri())
            load, frame = tab.evaluate(OPENED)
            found.append((load, frame))
            context.close()
        browser.close()
    return found


def main() -> None:
    """Make the run, draw its page, open it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=5, help="how often the page is opened")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        began = time.monotonic()
        write_run(folder, arguments.operations, 300.0)
        size = (folder / "history.jsonl").stat().st_size
        print(f"journal: {size / 1e6:.0f} MB in {time.monotonic() - began:.1f} s")
        began, cpu = time.monotonic(), time.process_time()
        run = read_run(folder)
        read = time.process_time() - cpu
        page = render_html(run)
        drawn = time.process_time() - cpu - read
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"page: {len(run.calls):,} operations, {len(page.encode()) / 1e3:.0f} kB; "
            f"read {read:.1f} s, drawn {drawn:.1f} s of processor time, "
            f"{time.monotonic() - began:.1f} s in all, {peak:.0f} MB"
        )
        path = folder / "report.html"
        path.write_text(page, encoding="utf-8")
        found = opening_ms(path, arguments.times)
        load, frame = (median(each) for each in zip(*found, strict=True))
        worst = max(each[1] for each in found)
        print(f"Chromium: load {load:.0f} ms, first frame {frame:.0f} ms, at most {worst:.0f} ms")


if __name__ == "__main__":
    main()
