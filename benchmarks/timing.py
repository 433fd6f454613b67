"""How long something takes: a few runs, after one that compiles where that is said; CPU time unless it uses threads."""

import time
from statistics import median


def timed(call, repeats, clock=time.process_time):
    """What it returns, and the seconds of each run."""
    seconds = []
    for _ in range(repeats):
        began = clock()
        found = call()
        seconds.append(clock() - began)
    return found, seconds


def cost(call, repeats):
    """What it returns, and the median of its CPU times."""
    found, seconds = timed(call, repeats)
    return found, median(seconds)


def cpu_ms(call, repeats=5):
    """The median of its CPU times in milliseconds, after one run that compiles."""
    call()
    return 1e3 * cost(call, repeats)[1]


def rate(work, count, repeats, clock=time.process_time):
    """How many a second, `count` of them a run: the best of a few, after one that compiles."""
    work()
    return count / min(timed(work, repeats, clock)[1])


def throughput(benchmark, work, count):
    """The same by pytest-benchmark, among the other facts of its report."""
    work()
    benchmark.pedantic(work, rounds=5)
    if benchmark.stats:
        benchmark.extra_info["millions_per_second"] = count / benchmark.stats.stats.min / 1e6
