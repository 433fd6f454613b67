"""CPU time of `import fpsolve` beyond numpy + scipy + numba, which any program of this kind loads: at most 0.7 s.

python benchmarks/bench_import.py
"""

import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUDGET = 0.7
REPEATS = 5
BASE = "import numpy, numba, scipy.sparse.linalg, scipy.interpolate, scipy.special, scipy.optimize"
CLOCK = "import time; start = time.process_time(); {}; print(time.process_time() - start)"


def cpu_seconds(statement: str) -> float:
    """CPU seconds of a statement in a new interpreter: median over runs, after one that warms the disk."""
    command = [sys.executable, "-c", CLOCK.format(statement)]
    runs = [
        float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        for _ in range(REPEATS + 1)
    ]
    return statistics.median(runs[1:])


def test_import_is_within_its_budget():
    assert cpu_seconds("import fpsolve") - cpu_seconds(BASE) <= BUDGET


if __name__ == "__main__":
    ours, base = cpu_seconds("import fpsolve"), cpu_seconds(BASE)
    print(f"import fpsolve {ours:.2f} s CPU, the libraries {base:.2f} s: {ours - base:.2f} s more, budget {BUDGET} s")
