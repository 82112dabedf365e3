"""Interleaved timing: every contender once per round, so that load on the machine affects all."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

Contenders = dict[str, Callable[[], object]]


def median_seconds(
    contenders: Contenders, rounds: int, rarely: dict[str, int] | None = None
) -> dict[str, float]:
    """Time each contender once per round, after one round that is not counted.

    `rarely` maps slow contenders to a lower number of rounds, of which the first counts.
    """
    rarely = rarely or {}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, run in contenders.items():
            if number >= rarely.get(name, rounds + 1):
                continue
            start = time.perf_counter()
            run()
            if number > 0 or name in rarely:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def print_table(
    title: str, medians: dict[str, float], unit: str, per: float, amount: float = 1.0
) -> None:
    """Print medians in `unit` (1/`per` seconds) per item, and their ratio to secondlook's.

    The first contender is secondlook; each run processes `amount` items.
    """
    reference = next(iter(medians.values()))
    print(f"\n| {title} | median {unit} | relative to secondlook |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {median * per / amount:.3g} | {median / reference:.2f} |")


def machine() -> str:
    """Return the processor and the number of cores that this process may use."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    widest = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "SSE"
    return f"{model}, {widest}, {len(os.sched_getaffinity(0))} cores"
