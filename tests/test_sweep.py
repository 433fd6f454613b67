"""Sweeps along a one-signed transport are the resolvents of dense algebra, keep mass and signs, and refuse the rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import fpsolve as fp
from fpsolve.solvers.sweep import Bands, sweepable

DIRECTIONS = [(0, 1), (0, -1), (1, 1), (1, -1)]


def cells_by_rows(shape, axis, direction):
    return np.moveaxis(np.arange(np.prod(shape)).reshape(shape), axis, 0)[::direction]


def one_signed(shape, axis, direction, *, reach=1, killing=0.0, spread=1.0, seed=1):
    """Random rates along rows, upwind between them; (rates, killing rates)."""
    rng = np.random.default_rng(seed)
    by_rows = cells_by_rows(shape, axis, direction)

    def random(shape):
        return np.exp(spread * rng.normal(size=shape))

    onward = random(by_rows.shape)
    parts = [
        (by_rows[:, 1:], by_rows[:, :-1], random(by_rows[:, 1:].shape)),
        (by_rows[:, :-1], by_rows[:, 1:], random(by_rows[:, 1:].shape)),
        (by_rows[1:], by_rows[:-1], reach * onward[:-1]),
    ]
    if reach == 2:
        parts.append((by_rows[2:], by_rows[:-2], -0.5 * onward[:-2]))
    into, source, rates = (np.concatenate([part[k].ravel() for part in parts]) for k in range(3))
    off = sparse.coo_matrix((rates, (into, source)), shape=(by_rows.size, by_rows.size)).tocsc()
    kills = killing * random(by_rows.size)
    return (off - sparse.diags(np.asarray(off.sum(axis=0)).ravel() + kills)).tocsc(), kills


def swept(system, shape, axis, direction, z):
    rates, kills = system
    return Bands.of(rates, shape, axis, direction, kills).resolvent(z)


@pytest.mark.parametrize(("axis", "direction"), DIRECTIONS)
@pytest.mark.parametrize("reach", [1, 2])
@pytest.mark.parametrize("killing", [0.0, 0.3])
def test_solves_are_those_of_dense_algebra(axis, direction, reach, killing):
    shape, rng = (6, 5), np.random.default_rng(2)
    system = one_signed(shape, axis, direction, reach=reach, killing=killing)
    assert sweepable(system[0], shape) == (axis, direction)
    for z in (0.01, 3.0, *((0.0,) if killing else ())):
        dense, sweep = z * np.eye(30) - system[0].toarray(), swept(system, shape, axis, direction, z)
        b = rng.normal(size=(30, 2))
        assert sweep.solve(b[:, 0]) == pytest.approx(np.linalg.solve(dense, b[:, 0]), rel=1e-10, abs=1e-11)
        assert sweep.solve(b) == pytest.approx(np.linalg.solve(dense, b), rel=1e-10, abs=1e-11)
        assert sweep.solve(b[:, 0] * (1 - 2j)) == pytest.approx((1 - 2j) * sweep.solve(b[:, 0]), rel=1e-15)
        assert sweep.solve_adjoint(b) == pytest.approx(np.linalg.solve(dense.T, b), rel=1e-10, abs=1e-11)


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(1, 7), st.integers(1, 7)),
    st.sampled_from(DIRECTIONS),
    st.sampled_from([1, 2]),
    st.floats(0.01, 100.0),
    st.integers(0, 10_000),
)
def test_any_one_signed_system_is_solved(shape, where, reach, z, seed):
    axis, direction = where
    system = one_signed(shape, axis, direction, reach=reach, seed=seed)
    found = sweepable(system[0], shape)
    assert found is not None  # another direction where the grid is so small that both fit
    b = np.random.default_rng(seed).random(system[0].shape[0])
    dense = z * np.eye(b.size) - system[0].toarray()
    for chosen in {found, where}:
        assert swept(system, shape, *chosen, z).solve(b) == pytest.approx(
            np.linalg.solve(dense, b), rel=1e-9, abs=1e-12
        )


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(DIRECTIONS), st.floats(1e-6, 1e6), st.integers(0, 10_000))
def test_markov_rates_keep_mass_and_signs_however_far_they_spread(where, z, seed):
    shape = (9, 8)
    system = one_signed(shape, *where, spread=12.0, seed=seed)
    b = np.random.default_rng(seed).random(72)
    y = swept(system, shape, *where, z).solve(b)
    assert y.min() > 0
    assert z * y.sum() == pytest.approx(b.sum(), rel=1e-13)


def test_without_the_killing_rates_the_mass_would_be_rounding():
    """The control: column sums of rates that spread over ten decades are known to their rounding only."""
    shape = (9, 8)
    rates, _ = one_signed(shape, 0, 1, spread=12.0, seed=3)
    b, z = np.ones(72), 1e-3
    assert abs(z * Bands.of(rates, shape, 0, 1).resolvent(z).solve(b).sum() / 72 - 1) > 1e-12


@pytest.mark.parametrize("scheme", [fp.Positive(), fp.Accurate()])
def test_a_transported_axis_of_a_process_is_swept(scheme):
    process = fp.Process(lambda x, q: (-x, -(1 + x**2)), lambda x, q: (1.0 + 0 * x, 0 * x))
    ends = ("reflecting", "open")
    grid = fp.Grid(x=(-4, 4, 20), q=fp.Axis.uniform(-3, 1, 30, ends=ends))
    L = fp.generator(fp.Problem(process, grid, scheme))
    assert sweepable(L.rates(), L.shape) == (1, -1)
    b = np.random.default_rng(1).random(L.size)
    y = swept((L.rates(), L.killing), L.shape, 1, -1, 2.5).solve(b)
    assert 2.5 * y - L.apply(y) == pytest.approx(b, abs=1e-12)


def test_what_is_not_one_signed_is_refused():
    shape = (6, 5)
    forth, back = one_signed(shape, 0, 1)[0], one_signed(shape, 0, -1)[0]
    assert sweepable((forth + back).tocsc(), shape) is None
    with pytest.raises(fp.InvalidInput, match=r"25 rates lie outside the bands.*axis 0 in direction 1.*leads -1 rows"):
        Bands.of((forth + back).tocsc(), shape, 0, 1)
    with pytest.raises(fp.InvalidInput, match="outside the bands"):
        Bands.of(forth, shape, 0, -1)


@pytest.mark.parametrize(
    ("into", "source"), [(29, 0), (6, 0), (15, 0), (4, 0)]
)  # far, slanted, 3 rows on, round a ring
def test_one_rate_outside_the_bands_is_seen(into, source):
    rates = one_signed((6, 5), 0, 1)[0].tolil()
    rates[into, source] += 1e-30
    assert sweepable(rates.tocsc(), (6, 5)) is None
    with pytest.raises(fp.InvalidInput, match="1 rates lie outside"):
        Bands.of(rates.tocsc(), (6, 5), 0, 1)


def test_other_dimensions_and_shapes_are_refused():
    rates = one_signed((6, 5), 0, 1)[0]
    assert sweepable(rates, (30,)) is None
    assert sweepable(rates, (3, 2, 5)) is None
    with pytest.raises(fp.InvalidInput, match="a grid of shape .6, 6. has 36 cells"):
        Bands.of(rates, (6, 6), 0, 1)
    with pytest.raises(fp.InvalidInput, match="two axes"):
        Bands.of(rates, (6, 5), 2, 1)
    with pytest.raises(fp.InvalidInput, match=r"right-hand side has shape \(3,\)"):
        Bands.of(rates, (6, 5), 0, 1).resolvent(1.0).solve(np.ones(3))


@pytest.mark.parametrize("z", [-1.0, np.nan, np.inf, complex(1.0, np.inf)])
def test_a_sweep_takes_finite_z_off_the_negative_axis(z):
    bands = Bands.of(*one_signed((6, 5), 0, 1)[:1], (6, 5), 0, 1)
    with pytest.raises(fp.InvalidInput, match="finite z, real ones >= 0"):
        bands.resolvent(z)


@pytest.mark.parametrize("z", [1j, 2.0 - 0.5j, -3.0 + 1j])
@pytest.mark.parametrize(("axis", "direction"), DIRECTIONS)
def test_complex_z_is_solved_and_keeps_mass(axis, direction, z):
    shape, rng = (6, 5), np.random.default_rng(2)
    system = one_signed(shape, axis, direction)
    dense, sweep = z * np.eye(30) - system[0].toarray(), swept(system, shape, axis, direction, z)
    b = rng.random(size=(30, 2))
    assert sweep.solve(b) == pytest.approx(np.linalg.solve(dense, b), rel=1e-10)
    assert sweep.solve_adjoint(b[:, 0] * 1j) == pytest.approx(np.linalg.solve(dense.T, b[:, 0] * 1j), rel=1e-10)
    assert z * sweep.solve(b).sum(axis=0) == pytest.approx(b.sum(axis=0), rel=1e-12)


def test_a_singular_matrix_is_told():
    system = one_signed((6, 5), 0, 1)
    with pytest.raises(fp.NotConverged, match="singular at z = 0"):
        swept(system, (6, 5), 0, 1, 0.0).solve(np.ones(30))


def test_killing_rates_that_contradict_the_columns_are_refused():
    rates, kills = one_signed((6, 5), 0, 1, killing=0.5)
    with pytest.raises(fp.InvalidInput, match="out of cell 7 .* killing rate"):
        Bands.of(rates, (6, 5), 0, 1, np.where(np.arange(30) == 7, 9.0, kills))
