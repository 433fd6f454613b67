"""The import direction: a file imports only from entries above it in LAYOUT; other packages are imported lazily."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# the package from the bottom up: an entry is a file, or a folder whose files may import each other (without a circle)
LAYOUT = """
kernels
errors asking checks schemes memory progress version exponentials
maps axis grid
functions
jumps downhill
gaussian_jumps
process
problem
starts initial
values
operators
solvers
resolvent slowest jump_resolvent
generator
methods
relaxation resolution half_grid upwind
stationary_line stationary_space stationary_jumps stationary_jumps_plane
killed reversal
stationary evolve
passage_sets passage_line passage_jumps passage_space passage_open passage_exits metastable mode_ends
passage transition quasi survival spectrum
flows jump_flows hodge current residual
laws partition transport plane_transport sliced noise distance compare tails refine convergence
particles
random_map branches collocation random_map_ends random_map_domain ulam transfer_density transfer_steps transfer_law
transfer
measure
models
validity rungs rungs_plane paired_scores ladder_runs ladder_table ladder_plane ladder
plot_band plot_line plot_plane plot_corner plot plot_current plot_evolution animation plot_passage plot_ladder
plot_measure
export facts formats store blame casefile verdict claim_checks claims claim_files statements
runner doctor provenance
evidence gather report
cli
__main__ __init__
""".split()

# one-line delegates on values: (file, function, what it may reach up to)
DELEGATES = (
    {
        (f"values/{value}.py", method, target)
        for value in ("density", "field", "evolution", "swarm", "exact", "spectrum", "survival")
        for method, target in (("plot", "plot"), ("save", "store"), ("to_xarray", "export"))
    }
    | {
        (f"measure/{value}.py", "plot", "plot_measure")
        for value in (
            "alignment",
            "autocorrelation",
            "covariance",
            "displacement",
            "kramers_moyal",
            "kramers_moyal_plane",
            "tail_index",
        )
    }
    | {
        ("measure/kramers_moyal.py", "plot_diffusion", "plot_measure"),
        ("random_map.py", "tail_exponent", "random_map_ends"),
        ("tails.py", "plot", "plot"),
        ("ladder_table.py", "plot", "plot_ladder"),
        ("ladder_table.py", "plot_densities", "plot_ladder"),
        ("ladder_plane.py", "plot", "plot_ladder"),
        ("values/density.py", "corner", "plot_corner"),
        ("values/evolution.py", "plot", "plot_evolution"),
        ("values/evolution.py", "distance_to", "distance"),
        ("values/evolution.py", "animate", "animation"),
        ("values/spectrum.py", "plot", "plot_passage"),
        ("values/survival.py", "plot", "plot_passage"),
        ("values/survival.py", "plot_density", "plot_passage"),
        ("current.py", "plot", "plot_current"),
        ("current.py", "plot_stream", "plot_current"),
        ("current.py", "save", "store"),
    }
)
EAGER = {"numpy", "scipy", "numba"}  # what `import fpsolve` may load; every other package is imported where it is used
CASE_MAY_IMPORT = {"fpsolve", "numpy", "matplotlib"}

SOURCES = sorted((ROOT / "fpsolve").rglob("*.py"))


def imports(path, source=None):
    """(module, function it stands in or None, line) of every import, those under TYPE_CHECKING left out."""
    found = []

    def visit(node, function):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = node.name
        if isinstance(node, ast.Import):
            found.extend((alias.name, function, node.lineno) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).with_suffix("").parts[: -node.level] if node.level else ()
            module = ".".join((*package, *([node.module] if node.module else [])))
            if module == "fpsolve" or node.module is None:  # from fpsolve import kernels; from . import jit
                found.extend((f"{module}.{alias.name}", function, node.lineno) for alias in node.names)
            else:
                found.append((module, function, node.lineno))
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    visit(ast.parse(source if source is not None else path.read_text()), None)
    return found


def entry(module):
    """Its place in LAYOUT: "fpsolve.values.density" -> "values"."""
    return module.split(".")[1] if "." in module else "__init__"


def own_entry(path):
    return path.relative_to(ROOT / "fpsolve").with_suffix("").parts[0]


def violations(path, source=None):
    """What in this file breaks the direction, as sentences."""
    name, own, wrong = path.relative_to(ROOT / "fpsolve").as_posix(), own_entry(path), []
    for module, function, line in imports(path, source):
        top = module.split(".")[0]
        if top in ("cases", "validation"):
            wrong.append(f"{name}:{line} imports {module}")
        if top == "fpsolve":
            target = entry(module)
            if target not in LAYOUT:
                wrong.append(f"{name}:{line} imports {module}, which LAYOUT does not know")
            elif LAYOUT.index(target) > LAYOUT.index(own) and (name, function, target) not in DELEGATES:
                wrong.append(f"{name}:{line} ({own}) imports {module}, which stands below it")
        elif own == "kernels" and top not in sys.stdlib_module_names | {"numpy", "numba"}:
            wrong.append(f"{name}:{line} imports {module}: kernels import numpy and numba only")
        elif function is None and top not in sys.stdlib_module_names | EAGER:
            wrong.append(f"{name}:{line} imports {module} eagerly")
    return wrong


def circle(edges):
    """A file that reaches itself through `edges` (file -> files), or None."""
    done = set()

    def follow(node, trail):
        if node in trail:
            return node
        if node in done:
            return None
        done.add(node)
        return next((hit for other in edges.get(node, ()) if (hit := follow(other, (*trail, node)))), None)

    return next((hit for node in edges if (hit := follow(node, ()))), None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_import_only_from_above(path):
    assert own_entry(path) in LAYOUT, f"{path.name} is not in the layout: put it where its imports allow"
    assert violations(path) == []


def test_files_of_one_folder_do_not_import_in_a_circle():
    edges = {}
    for path in SOURCES:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if path.name != "__init__.py":
            edges[module] = {m for m, _, _ in imports(path) if m.startswith("fpsolve.") and entry(m) == own_entry(path)}
    assert circle(edges) is None


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("grid.py", "from fpsolve.problem import Problem"),
        ("grid.py", "def f():\n    from fpsolve.problem import Problem"),
        ("grid.py", "from fpsolve import problem"),
        ("grid.py", "import cases.double_well"),
        ("grid.py", "import matplotlib.pyplot"),
        ("kernels/chain.py", "from fpsolve.errors import InvalidInput"),
        ("kernels/chain.py", "from ..errors import InvalidInput"),
        ("kernels/chain.py", "def f():\n    import scipy"),
        ("values/density.py", "from fpsolve.store import save"),
        ("values/density.py", "def cdf():\n    from fpsolve.store import save"),
        ("values/density.py", "def save():\n    from fpsolve.claims import Exact"),
    ],
)
def test_a_wrong_import_is_noticed(file, source):
    assert violations(ROOT / "fpsolve" / file, source)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("grid.py", "import numpy\nfrom fpsolve.errors import InvalidInput"),
        ("values/density.py", "def save():\n    from fpsolve.store import save"),
        ("values/density.py", "if TYPE_CHECKING:\n    from matplotlib.axes import Axes"),
        ("kernels/chain.py", "from .jit import jit\nimport numba"),
        ("plot.py", "def density():\n    import matplotlib.pyplot"),
    ],
)
def test_a_right_import_is_accepted(file, source):
    assert violations(ROOT / "fpsolve" / file, source) == []


def test_a_circle_is_noticed():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert circle({"a": {"b", "c"}, "b": {"c"}}) is None


@pytest.mark.parametrize("path", sorted((ROOT / "cases").glob("*.py")), ids=lambda path: path.name)
def test_cases_import_only_fpsolve(path):
    tops = {module.split(".")[0] for module, _, _ in imports(path)}
    assert tops <= CASE_MAY_IMPORT | sys.stdlib_module_names


@pytest.mark.parametrize("path", sorted((ROOT / "validation").glob("*.py")), ids=lambda path: path.name)
def test_validation_imports_only_fpsolve_and_cases(path):
    tops = {module.split(".")[0] for module, _, _ in imports(path)}
    assert tops <= CASE_MAY_IMPORT | {"cases", "scipy", "mpmath"} | sys.stdlib_module_names


def test_import_loads_no_heavy_package():
    heavy = {"matplotlib", "findiff", "sympy", "tqdm", "xarray", "pandas", "ot", "pyamg", "jinja2", "IPython"}
    code = "import sys, fpsolve; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "fpsolve" in loaded.split()
    assert heavy & set(loaded.split()) == set()
