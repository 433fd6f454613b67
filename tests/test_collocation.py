"""Collocation of random maps: kernels against plain twins, what rows reproduce, batch laws, singularities."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsolve.branches import branches
from fpsolve.collocation import collocation
from fpsolve.errors import InvalidInput
from fpsolve.kernels.collocation import collocate, deposit_means
from fpsolve.random_map import Power, RandomMap
from fpsolve.random_map_ends import lower_exponent, upper_exponent

RANDOM = np.random.Generator(np.random.Philox(8))
NODES = 40


def lagrange(offsets, theta):
    """Values at theta of the basis polynomials that are 1 at one of the offsets and 0 at the others."""
    return np.array([np.prod([(theta - b) / (a - b) for b in offsets if b != a]) for a in offsets])


def rows_twin(first, shifts, weights, reach, n):
    rows, leaks = np.zeros((len(shifts), n)), np.zeros((len(shifts), 3))
    for j, line in enumerate(shifts):
        for a, shift in enumerate(line):
            weight, target = weights[min(j, len(weights) - 1), a], first + j + shift
            if target < 0:
                leaks[j, 0] += weight
                if reach:
                    rows[j, 0] += weight * (1 - target / reach)
                    rows[j, reach] += weight * target / reach
            elif target > n - 1:
                leaks[j, 1] += weight
            else:
                base = int(np.clip(np.floor(target) - 3, 0, n - 8))
                rows[j, base : base + 8] += weight * lagrange(np.arange(8), target - base)
    return rows, leaks


@pytest.mark.parametrize("reach", [0, 9])
@pytest.mark.parametrize("shared", [True, False])
def test_rows_agree_with_plain_numpy(reach, shared):
    shifts = RANDOM.uniform(-30, 30, (12, 25))
    shifts[0, :3] = 0.0, 1.0, -1e-17
    weights = RANDOM.random((1 if shared else 12, 25))
    rows, leaks = np.zeros((12, NODES)), np.zeros((12, 3))
    collocate(14, shifts, weights, reach, rows, leaks)
    expected = rows_twin(14, shifts, weights, reach, NODES)
    assert rows == pytest.approx(expected[0], rel=1e-11, abs=1e-12)
    assert leaks == pytest.approx(expected[1], rel=1e-13)
    assert leaks[:, :2].sum(axis=0).min() > 0
    assert rows != pytest.approx(rows_twin(14, shifts + 1e-6, weights, reach, NODES)[0], rel=1e-11, abs=1e-12)


def test_a_target_is_found_without_the_digits_of_its_node():
    tiny = 1e-9 * np.array([[1.0 / 3.0]])
    rows, leaks = np.zeros((1, 2000)), np.zeros((1, 3))
    collocate(1700, tiny, np.ones((1, 1)), 0, rows, leaks)
    exact = lagrange(np.arange(-3, 5), tiny[0, 0])
    assert rows[0, 1697:1705] == pytest.approx(exact, rel=1e-12, abs=1e-20)
    absolute = lagrange(np.arange(-3, 5), (1700 + tiny[0, 0]) - 1700)
    assert absolute != pytest.approx(exact, rel=1e-12, abs=1e-20)


def test_deposits_keep_three_moments():
    values, weights = RANDOM.random((3, 20)), RANDOM.dirichlet(np.ones(20))
    low, width = values.min(axis=1), np.ptp(values, axis=1) / 13
    bins = np.zeros((3, 16))
    deposit_means(values, weights, low, width, bins)
    places = low[:, None] + (np.arange(16) - 1) * width[:, None]
    for order in range(4):
        assert (bins * places**order).sum(axis=1) == pytest.approx(values**order @ weights, rel=1e-12)
    assert (bins * places**6).sum(axis=1) != pytest.approx(values**6 @ weights, rel=1e-12)


def drifting(**changes):
    """A map with three branches that stays well inside its domain."""
    return RandomMap(
        lambda x, a: 0.6 * x + 0.3 * np.sin(x) + a, [-0.5, 0.1, 0.6], (-6.0, 6.0), weights=[0.3, 0.5, 0.2], **changes
    )


@pytest.mark.parametrize("degree", range(8))
def test_rows_reproduce_polynomials_up_to_degree_7(degree):
    K = collocation(drifting(), -6.0, 6.0, NODES)
    inside = np.abs(K.s) < 4.5
    found = branches(drifting(), K.s)
    exact = (found.weights * (K.s[:, None] + found.displacements) ** degree).sum(axis=1)
    assert (K.operator @ K.s**degree)[inside] == pytest.approx(exact[inside], rel=1e-11, abs=1e-9)
    if degree == 7:
        exact = (found.weights * (K.s[:, None] + found.displacements) ** 8).sum(axis=1)
        assert (K.operator @ K.s**8)[inside] != pytest.approx(exact[inside], rel=1e-11, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(0.05, 3.0), st.sampled_from(["log", "linear"]))
def test_rows_sum_to_what_stays(shift, spread, coordinate):
    model = RandomMap(
        lambda u, a: u * np.exp(a) if coordinate == "log" else u + a,
        shift + spread * np.array([-1.0, 0.2, 1.3]), (1.0, 20.0), coordinate,
    )  # fmt: skip
    K = collocation(model, *model.span, NODES)
    assert np.asarray(K.operator.sum(axis=1)).ravel() == pytest.approx(1.0 - K.lost, abs=1e-12)
    assert (K.reach > 0) == (coordinate == "log")


def test_the_error_falls_with_the_eighth_power():
    smooth = RandomMap(drifting().step, np.linspace(-0.5, 0.6, 300), (-2.0, 2.0))

    def error(nodes):
        K = collocation(smooth, -2.6, 2.6, nodes)
        return abs(K.stationary()[0] @ np.cos(3.0 * K.s) - exact)

    K = collocation(smooth, -2.6, 2.6, 400)
    exact = K.stationary()[0] @ np.cos(3.0 * K.s)
    order = np.log2(error(24) / error(48))
    assert order > 6.5


@pytest.mark.parametrize("batch", [2, 3])
def test_a_batchs_law_is_that_of_all_draws(batch):
    atoms, weights = np.array([-1.0, 0.3, 2.0]), np.array([0.5, 0.2, 0.3])
    model = RandomMap(
        lambda x, g: x - 0.1 * g, atoms, (0.5, 2.0), weights=weights, batch=batch, statistic=lambda x, a: a * x
    )
    s = np.array([0.7, 1.1])
    found = branches(model, s)
    for power in (1.0, 2.0, np.sqrt(2.0)):
        got = (found.weights * np.exp(power * found.displacements)).sum(axis=1)
        draws = list(product(range(3), repeat=batch))
        chance = np.array([np.prod(weights[list(draw)]) for draw in draws])
        means = np.array([atoms[list(draw)].mean() for draw in draws])
        assert got == pytest.approx(np.exp(-0.1 * power * s[:, None] * means) @ chance, rel=1e-12)
    assert found.mean != pytest.approx(-0.1 * s * (weights @ atoms) * 1.0001, rel=1e-9)


@pytest.mark.parametrize("batch", [5, 60, 1000])
def test_a_batchs_cumulants_are_those_of_a_sum(batch):
    atoms = RANDOM.gamma(0.3, size=400)
    model = RandomMap(lambda x, g: x + g, atoms, (0.0, 1.0), batch=batch, statistic=lambda x, a: a + 0.0 * x)
    found = branches(model, np.array([0.5]))
    mean = found.mean[0]
    centred = found.displacements[0] - mean
    assert mean == pytest.approx(atoms.mean(), rel=1e-12)
    assert found.weights[0] @ centred**2 == pytest.approx(atoms.var() / batch, rel=1e-11)
    third = np.mean((atoms - atoms.mean()) ** 3)
    assert found.weights[0] @ centred**3 == pytest.approx(third / batch**2, rel=1e-9)


def test_a_sample_statistic_that_never_varies_is_one_branch():
    model = RandomMap(lambda x, g: 0.5 * x + g, [1.0, 2.0], (0.0, 4.0), batch=3, statistic=lambda x, a: x + 0.0 * a)
    assert branches(model, np.array([1.0])).mean == pytest.approx([0.5])


def test_logarithmic_singularities_are_summed_right():
    model = RandomMap(lambda u, a: u * (u - a), [1.0], (0.05, 20.0), "log", mirrored=True)

    def total(offset, nodes, smoothed):
        s = np.linspace(-3.0, 3.0, nodes + 1)[:-1] + offset * 6.0 / nodes
        bump = np.exp(-4.0 * s**2)
        return (bump * branches(model, s, smoothed=smoothed).displacements[:, 0]).sum() * 6.0 / nodes

    exact = np.mean([total(k / 64, 4000, True) for k in range(64)])
    assert max(abs(total(k / 5, 200, True) - exact) for k in range(5)) < 3e-5
    assert max(abs(total(k / 5, 100, True) - exact) for k in range(5)) > 1.5e-4  # of third order
    assert max(abs(total(k / 5, 200, False) - exact) for k in range(5)) > 2e-3
    on_a_node = branches(model, np.linspace(-3.0, 3.0, 201))
    assert np.isfinite(on_a_node.displacements).all()
    assert on_a_node.displacements.min() > -20
    assert on_a_node.singular.sum() == 1.0


def test_a_map_that_crosses_zero_loses_what_does():
    crossing = RandomMap(lambda u, a: u * (1.0 - a * u), [0.1, 2.0], (0.05, 2.0), "log")
    found = branches(crossing, np.log(np.array([0.3, 1.5])))
    assert found.crossing.tolist() == [0.0, 0.5]
    assert branches(crossing.replace(mirrored=True), np.log(np.array([0.3, 1.5]))).crossing.tolist() == [0.0, 0.0]


def test_exponents_solve_their_equations():
    model = RandomMap(
        lambda u, a, b: a * u + b, (np.array([0.3, 0.9, 1.4]), np.array([1.0, 0.5, 0.8])), (0.3, 99.0), "log"
    )
    kappa = upper_exponent(model)
    assert np.mean(np.array([0.3, 0.9, 1.4]) ** kappa) == pytest.approx(1.0, abs=1e-12)
    assert lower_exponent(model) is None
    assert upper_exponent(model.replace(coordinate="linear")) == pytest.approx(kappa, rel=1e-6)
    squared = model.replace(readout=Power(1.0, 2.0))
    assert upper_exponent(squared) == pytest.approx(0.5 * kappa, rel=1e-12)
    growing = RandomMap(lambda u, a: a * u / (1.0 + u), [0.7, 2.5], (0.01, 10.0), "log")
    kappa = lower_exponent(growing)
    assert np.mean(np.array([0.7, 2.5]) ** -kappa) == pytest.approx(1.0, abs=1e-9)
    assert upper_exponent(growing) is None
    assert (model.tail_exponent, growing.tail_exponent) == (1.0 + upper_exponent(model), np.inf)
    assert lower_exponent(growing.replace(atoms=[1.5, 2.5])) == np.inf


BAD = [
    (dict(atoms=[]), "atoms\\[0\\] has shape \\(0,\\)"),
    (dict(atoms=[1.0, np.nan]), "atoms\\[0\\]\\[1\\] is nan"),
    (dict(atoms=([1.0, 2.0], [1.0])), "columns of \\[2, 1\\]"),
    (dict(atoms=["a", "b"]), "give real numbers"),
    (dict(weights=[0.5, 0.6, 0.1]), "sum is 1"),
    (dict(weights=[1.5, -0.5, 0.0]), "numbers >= 0"),
    (dict(domain=(1.0, 0.0)), "lo must be smaller"),
    (dict(domain=(0.0, 1.0), coordinate="log"), "give lo > 0"),
    (dict(domain=3.0), "give \\(lo, hi\\)"),
    (dict(coordinate="sqrt"), "use 'log' or 'linear'"),
    (dict(batch=2), "without a statistic"),
    (dict(batch=0), "batch is 0"),
    (dict(time=0.0), "takes a positive time"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_bad_maps_are_refused(changes, message):
    with pytest.raises(InvalidInput, match=message):
        drifting().replace(**changes)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda x, a: np.log(x) + a, "step is nan at u=-6, branch 0"),
        (lambda x, a: np.ones((3, 5, 2)), "must broadcast"),
        (lambda x, a: np.ones(7), "must broadcast"),
    ],
)
def test_steps_that_cannot_be_are_refused(step, message):
    with np.errstate(invalid="ignore"), pytest.raises(InvalidInput, match=message):
        collocation(drifting().replace(step=step), -6.0, 6.0, NODES)
