"""What intake costs: a suspension application from the POST to its written answer, every check
included, in a burst like the last day's."""

from __future__ import annotations

from benchmarks._applications import Burst, households, until_visited
from benchmarks._figure import figure
from benchmarks._stack import Stack, stack
from benchmarks.ingest import quantile

HOUSEHOLDS = 8000
WARM_UP = 600
IDLE = 150
BURST = 4000
IN_FLIGHT = 128


def cpu_ms(running: Stack, burst: Burst, numbers: range, in_flight: int) -> dict[str, float]:
    """CPU-ms per application of every part and in `all`, visits planned included; and the rate."""
    before = running.cpu_s()
    answered = burst.run(numbers, in_flight)
    until_visited(running)
    after = running.cpu_s()
    each = {name: (after[name] - before[name]) * 1000 / len(numbers) for name in after}
    return {**each, "all": sum(each.values()), "rate": len(numbers) / answered}


def suspensions(running: Stack) -> None:
    """The cost of an application answered automatically, in a burst and alone."""
    households(running, HOUSEHOLDS)
    burst = Burst(running)
    burst.run(range(WARM_UP), IN_FLIGHT)
    until_visited(running)
    idle = cpu_ms(running, burst, range(WARM_UP, WARM_UP + IDLE), 1)
    alone = quantile(burst.answered_in, 0.5)
    first = WARM_UP + IDLE
    busy = cpu_ms(running, burst, range(first, first + BURST), IN_FLIGHT)
    states = dict(burst.states)
    note = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
    figure(
        "intake.suspension_cpu",
        busy["all"],
        "CPU-ms",
        baseline=idle["all"],
        ratio=busy["all"] / idle["all"],
        target="<= 2.0",
        ok=busy["all"] <= 2.0,
        note=f"{note}; until each approved one has its visit",
    )
    for part in ("web", "core", "postgres", "valkey"):
        figure(f"intake.suspension_cpu_{part}", busy[part], "CPU-ms", baseline=idle[part])
    figure("intake.suspension_rate", busy["rate"], "applications/s")
    figure("intake.suspension_answer_p99", quantile(burst.answered_in, 0.99), "s")
    figure("intake.suspension_answered_alone", alone, "s")
    repeats = cpu_ms(running, burst, range(first, first + BURST // 4), IN_FLIGHT)
    figure(
        "intake.suspension_repeat_cpu",
        repeats["all"],
        "CPU-ms",
        note=f"the same applications again: {burst.states['duplicate']} of {BURST // 4} duplicates",
    )


def main() -> None:
    """Print every figure."""
    with stack() as running:
        suspensions(running)


if __name__ == "__main__":
    main()
