"""User functions: how they are called, and what a bad one gets (ROBUSTNESS rows 1-4, 7-12, 52)."""

import math

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.functions import Points

LINE = fp.Grid(x=(-6, 6, 80))
PLANE = fp.Grid(u=(-3, 3, 12), w=(-3, 3, 10))


def solve(drift=lambda x: -x, diffusion=1.0, grid=LINE, **more):
    return fp.stationary(fp.Problem(fp.Process(drift, diffusion, **more), grid))


def plane_points():
    u, w = np.broadcast_arrays(*PLANE.mesh())
    return Points(PLANE.names, (u.ravel(), w.ravel()), (("cell", PLANE.shape),))


def test_row_1_nan_in_the_drift_is_located():
    with pytest.raises(fp.InvalidInput, match=r"drift is nan at x=0\.15 \(face 40\)"):
        solve(lambda x: np.where(np.isclose(x, 0.15), np.nan, -x))
    with pytest.raises(fp.InvalidInput, match=r"drift is nan at x=0\.075 \(cell 40\)"):
        solve(lambda x: np.where(np.isclose(x, 0.075), np.nan, -x))
    with pytest.raises(fp.InvalidInput, match=r"drift is -?inf at x=0 "):
        solve(lambda x: 1 / x)


def test_row_2_negative_diffusion_is_located_at_its_minimum():
    with pytest.raises(fp.InvalidInput, match=r"is negative \(-3\.01056\) at x=-5\.925.*check the function's sign"):
        solve(diffusion=lambda x: 0.5 - 0.1 * x**2)


def test_row_3_an_asymmetric_tensor_is_refused():
    process = fp.Process(lambda u, w: (-u, -w), ((1.0, 0.3), (0.2, 1.0)))
    with pytest.raises(fp.InvalidInput, match=r"not symmetric: entries differ by 0\.1 at u=.*\(cell 0, 0\)"):
        process.diffusion_at(plane_points())


def test_row_4_an_indefinite_tensor_is_refused():
    process = fp.Process(lambda u, w: (-u, -w), ((1.0, lambda u, w: u), (lambda u, w: u, 1.0)))
    with pytest.raises(fp.InvalidInput, match=r"negative eigenvalue \(-1\.75\) at u=-2\.75"):
        process.diffusion_at(plane_points())


@pytest.mark.parametrize(
    "diffusion",
    [
        0.5,
        (0.5, 0.5),
        ((0.5, 0.0), (0.0, 0.5)),
        lambda u, w: 0.5 + 0 * u,
        lambda u, w: (0.5, 0.5 + 0 * w),
        lambda u, w: ((0.5 + 0 * u, 0.0), (0.0, 0.5)),
        ((lambda u, w: 0.5 + 0 * u, 0.0), (0.0, 0.5)),
        np.array([[0.5, 0.0], [0.0, 0.5]]),
    ],
)
def test_a_tensor_may_be_given_in_many_ways(diffusion):
    values = fp.Process(lambda u, w: (-u, -w), diffusion).diffusion_at(plane_points())
    assert values.shape == (2, 2, PLANE.size)
    assert np.array_equal(values, np.broadcast_to(0.5 * np.eye(2)[..., None], values.shape))


def test_row_7_wrong_shapes_and_component_counts_are_told():
    with pytest.raises(fp.InvalidInput, match=r"drift returned shape \(3,\).*expected"):
        solve(lambda x: np.zeros(3))
    with pytest.raises(fp.InvalidInput, match="drift has 2 components; expected 1"):
        solve(lambda x: (-x, x))
    with pytest.raises(fp.InvalidInput, match="drift has 3 components; expected 2"):
        fp.Process(lambda u, w: (u, w, u), 1.0).drift_at(plane_points())


def test_row_8_scalar_functions_are_called_point_by_point():
    with pytest.warns(fp.DegenerateWarning, match="drift accepts scalars only"):
        p = solve(lambda x: -math.sinh(x))
    assert p.values == pytest.approx(solve(lambda x: -np.sinh(x)).values, rel=1e-12)


def test_row_9_complex_output_is_refused_unless_it_is_real():
    with pytest.raises(fp.InvalidInput, match="drift is complex at x="):
        solve(lambda x: -x + 1e-9j * x)
    assert solve(lambda x: -x + 0j).var() == pytest.approx(solve().var())


def test_row_10_integers_and_float32_are_cast_and_objects_refused():
    assert solve(lambda x: np.asarray(-x, dtype=np.float32)).values == pytest.approx(solve().values, rel=1e-5)
    assert solve(lambda x: -np.sign(x).astype(int)).mean() == pytest.approx(0, abs=1e-14)
    with pytest.raises(fp.InvalidInput, match="object values"):
        solve(lambda x: np.array([None] * len(x)))


def test_row_11_an_exception_is_chained_with_the_point():
    def drift(x):
        raise KeyError("missing table")

    with pytest.raises(fp.InvalidInput, match=r"raised KeyError: 'missing table' at x=-5\.925 \(cell 0\)") as caught:
        solve(drift)
    assert isinstance(caught.value.__cause__, KeyError)


def test_row_12_a_function_that_changes_its_mind_is_noticed():
    rng = np.random.default_rng(1)
    with pytest.raises(fp.InvalidInput, match=r"drift gave .* and then .* must depend on the coordinates alone"):
        solve(lambda x: -x + rng.normal(size=x.shape))
    with pytest.raises(fp.InvalidInput, match="depend on the coordinates alone"):
        solve(lambda x: -(x - x.mean() + len(x)))


def test_row_52_coordinates_in_another_order_are_refused():
    process = fp.Process(lambda w, u: (-u, -w), 1.0)
    with pytest.raises(fp.InvalidInput, match=r"takes \(w, u\) but the grid's axes are \(u, w\)"):
        fp.Problem(process, PLANE)
    with pytest.raises(fp.InvalidInput, match=r"drift takes 2 coordinates \(x, y\) but the grid has 1"):
        fp.Problem(fp.Process(lambda x, y: -x, 1.0), LINE)


def test_parameters_with_defaults_and_functions_without_signature_are_left_alone():
    assert solve(lambda x, k=1.0: -k * x).var() == pytest.approx(solve().var())
    assert solve(np.negative).var() == pytest.approx(solve().var())
    assert solve(lambda *args: -args[0]).var() == pytest.approx(solve().var())


def test_a_parameter_named_t_makes_the_process_time_dependent():
    process = fp.Process(lambda x, t: -(1 + t) * x, 1.0)
    assert process.time_dependent
    assert not process.at(1.0).time_dependent
    assert fp.stationary(fp.Problem(process.at(1.0), LINE)).values == pytest.approx(solve(lambda x: -2 * x).values)
    with pytest.raises(fp.InvalidInput, match=r"depends on t.*process\.at\(t\)"):
        fp.stationary(fp.Problem(process, LINE))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: fp.Process(lambda x: -x, 1.0, convention="hanggi"), "'hanggi'; use 'ito'"),
        (lambda: fp.Process("x", 1.0), "drift is 'x'; give a function"),
        (lambda: fp.Process.gibbs(lambda x: x, temperature=0), "temperature is 0"),
        (lambda: fp.Process.gibbs(3.0, temperature=1), "loss is 3.0; give a function"),
        (lambda: fp.Process(lambda x: -x, 1.0).replace(noise=2), "no field"),
        (lambda: fp.Problem("well", LINE), "process is 'well'"),
        (lambda: fp.Problem(fp.Process(lambda x: -x, 1.0), (-3, 3, 40)), "fp.Grid"),
        (lambda: fp.Problem(fp.Process(lambda x: -x, 1.0), LINE, scheme="positive"), r"fp\.Positive\(\)"),
    ],
)
def test_bad_processes_and_problems_are_refused(build, message):
    with pytest.raises(fp.InvalidInput, match=message):
        build()


def test_lists_and_booleans_are_numbers_too():
    assert solve(lambda x: [-float(v) for v in np.atleast_1d(x)]).var() == pytest.approx(1.0, rel=1e-6)
    bounded = fp.Grid(x=fp.Axis.uniform(0, 4, 80, ends="reflecting"))
    assert solve(lambda x: x > 2, grid=bounded).mass == pytest.approx(1.0)
