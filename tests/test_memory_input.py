"""Memory: what is refused, infinite or noted, and what it does not change."""

import numpy as np
import pytest
from mittag_leffler import E

import fpsolve as fp


def well(memory=0.7, **changes):
    grid = changes.pop("grid", fp.Grid(x=(-3, 3, 121)))
    return fp.Problem(fp.Process(lambda x: x - x**3, 0.25, memory=memory).replace(**changes), grid)


def moving(memory=0.7):
    return fp.Problem(fp.Process(lambda x, t: -x + np.cos(t), 0.25, memory=memory), fp.Grid(x=(-3, 3, 61)))


START = fp.Gaussian(1.0, 0.2)


@pytest.mark.parametrize("memory", [0.0, -0.5, 1.0001, np.nan, np.inf])
def test_memory_lies_between_0_and_1(memory):
    with pytest.raises(fp.InvalidInput, match="memory is"):
        well(memory)


@pytest.mark.parametrize("memory", ["0.7", None, 0.5j, [0.5, 0.7]])
def test_memory_is_a_number(memory):
    with pytest.raises(fp.InvalidInput, match="memory is"):
        well(memory)


@pytest.mark.parametrize("method", [fp.Krylov(), fp.TRBDF2(), fp.SDIRK2(), fp.BackwardEuler(dt=0.1)])
def test_methods_that_know_only_the_last_state_are_refused(method):
    with pytest.raises(fp.InvalidInput, match=r"knows only the last state.*memory 0.7.*fp.Contour"):
        fp.evolve(well(), START, [1.0], method=method)
    with pytest.raises(fp.InvalidInput, match="knows only the last state"):
        fp.survival(well(), START, [1.0], inside=(-2, 2), method=method)
    assert fp.evolve(well(1.0), START, [1.0], method=method).finished


def test_defaults_with_and_without_memory():
    for problem, name in (
        (well(), "Contour"),
        (moving(), "FastL1"),
        (well(1.0), "Krylov"),
        (moving(1.0), "TRBDF2"),
    ):
        assert fp.evolve(problem, START, [0.1]).info.method.startswith(name)


def test_nothing_goes_on_from_a_state_with_memory():
    path = fp.evolve(well(), START, [0.0, 1.0])
    for state in (path, path[-1]):
        with pytest.raises(
            fp.InvalidInput, match=r"start has the time t=1 .* how long its paths have waited|does not say"
        ):
            fp.evolve(well(), state, [2.0])
    assert fp.evolve(well(), path[0], [2.0]).mean() == pytest.approx(fp.evolve(well(), START, [2.0]).mean())
    anew = fp.evolve(well(), path[-1].replace(time=None), [1.0])
    onward = fp.evolve(well(), START, [2.0])
    assert abs(anew.mean()[0] - onward.mean()[0]) > 1e-3  # clocks set to 0 are another start


def test_memory_one_is_no_memory():
    krylov = fp.evolve(well(1.0), START, [0.5, 1.0])
    contour = fp.evolve(well(1.0), START, [0.5, 1.0], method=fp.Contour())
    assert contour.masses == pytest.approx(krylov.masses, abs=1e-10)
    nearly = fp.evolve(well(0.999999), START, [0.5, 1.0])
    assert nearly.masses == pytest.approx(krylov.masses, abs=1e-5)
    with pytest.raises(fp.InvalidInput, match="memory is 1: FastL1 is for memory < 1"):
        fp.evolve(well(1.0), START, [1.0], method=fp.FastL1())
    ring = fp.Problem(fp.Process(3.0, 0.1), fp.Grid(x=fp.Axis.uniform(0, 1, 30, ends="periodic")))
    with pytest.raises(fp.InvalidInput, match=r"no contour passes.*fp.Krylov"):
        fp.evolve(ring, fp.Gaussian(0.5, 0.05), [1.0], method=fp.Contour())
    slow = ring.replace(process=ring.process.replace(memory=0.9999))
    with pytest.raises(fp.InvalidInput, match=r"no contour passes.*fp.FastL1"):
        fp.evolve(slow, fp.Gaussian(0.5, 0.05), [1.0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(tol=0.0), "tol is"),
        (dict(tol=1e-15), "tol is"),
        (dict(tol="fine"), "tol is"),
        (dict(sector=1.0), "sector is 1.0"),
        (dict(sector=4.0), "sector is 4.0"),
        (dict(sector=np.nan), "sector is"),
    ],
)
def test_arguments_of_a_contour(arguments, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.Contour(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(steps=0), "steps is 0"),
        (dict(steps=1.5), "steps is 1.5"),
        (dict(rtol=0.0), "rtol is"),
        (dict(rtol=2.0), "rtol is"),
        (dict(grading=0.5), "grading is"),
        (dict(grading=99.0), "grading is"),
    ],
)
def test_arguments_of_fast_l1(arguments, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.FastL1(**arguments)


def test_a_contour_is_for_generators_at_rest():
    with pytest.raises(fp.InvalidInput, match=r"does not depend on time.*fp.FastL1"):
        fp.evolve(moving(), START, [1.0], method=fp.Contour())


def test_a_tolerance_that_steps_cannot_reach_is_told(monkeypatch):
    monkeypatch.setattr("fpsolve.methods.fast_l1.MOST", 128)
    with pytest.raises(fp.NotConverged, match="128 steps err by about") as caught:
        fp.evolve(well(), START, [1.0], method=fp.FastL1(rtol=1e-9))
    assert caught.value.best.shape == (1, 121)


def test_mean_exit_times_are_infinite():
    with pytest.warns(fp.DegenerateWarning, match=r"infinite: with the memory 0.7 .* t\^-0.7; use survival"):
        tau = fp.mean_exit_time(well(), inside=(-2, 2))
    x = tau.grid.nodes[0]
    assert np.all(np.isinf(tau.values[np.abs(x) < 1.99]))
    assert np.all(tau.values[np.abs(x) > 2.01] == 0)
    with pytest.warns(fp.DegenerateWarning, match="infinite"):
        fp.mean_exit_time(well(), inside=(-2, 2), moment=2, method=fp.GTH())
    S = fp.survival(well(), START, [1.0, 2.0], inside=(-2, 2))
    assert S.mean_exit_time() == np.inf
    assert fp.survival(well(1.0), START, [1.0, 2.0], inside=(-2, 2)).mean_exit_time() < np.inf


def test_where_paths_go_does_not_depend_on_their_clocks():
    for ask in (
        lambda pr: fp.exit_probability(pr, inside=(-2, 0.5), through="upper"),
        lambda pr: fp.committor(pr, source=(None, -1), target=(1, None)),
    ):
        assert np.array_equal(ask(well()).values, ask(well(1.0)).values)


def test_the_stationary_density_is_the_same_and_says_so():
    waiting, plain = fp.stationary(well()), fp.stationary(well(1.0))
    assert np.array_equal(waiting.values, plain.values)
    assert any("with and without memory (0.7)" in note for note in waiting.info.notes)
    assert not any("memory" in note for note in plain.info.notes)
    low, high = plain.info.relaxation_time
    assert waiting.info.relaxation_time == pytest.approx((low ** (1 / 0.7), high ** (1 / 0.7)))


def test_rates_that_memory_rules_out_are_refused():
    with pytest.raises(fp.InvalidInput, match=r"memory 0.7, and .* depends on their start for ever"):
        fp.quasi_stationary(well(), inside=(-2, 2))
    with pytest.raises(fp.InvalidInput, match=r"memory 0.7, and its transitions have no rate"):
        fp.transition_rate(well(), source=(None, -1), target=(1, None))


def test_a_spectrum_relaxes_as_mittag_leffler_functions():
    """The slowest mode, from the spectrum and in the evolution of a start that has it."""
    found, plain = fp.spectrum(well(), 2), fp.spectrum(well(1.0), 2)
    assert found.rates == pytest.approx(plain.rates)
    assert found.relaxation_time == pytest.approx(plain.relaxation_time ** (1 / 0.7))
    p, mode = fp.stationary(well()).on_grid(), found.modes[1]
    start = p.masses + 0.5 * mode.values * mode.grid.weights
    t = found.relaxation_time * np.array([0.1, 1.0, 10.0])
    left = [(m - p.masses).sum(where=mode.values > 0) for m in fp.evolve(well(), start, t).masses]
    begun = (start - p.masses).sum(where=mode.values > 0)
    assert np.array(left) / begun == pytest.approx(E(-found.gap * t**0.7, 0.7).real, abs=1e-6)
    assert left[1] / begun == pytest.approx(float(E(-1.0, 0.7).real), abs=1e-6)


def test_memory_is_saved(tmp_path):
    S = fp.survival(well(), START, [0.0, 1.0, 2.0], inside=(-2, 2))
    found = fp.load(S.save(tmp_path / "S.npz"))
    assert found.mean_exit_time() == np.inf
    assert np.array_equal(found.exit_density, S.exit_density)
    assert found.initial == S.initial
    modes = fp.spectrum(well(), 2)
    assert fp.load(modes.save(tmp_path / "modes.npz")).relaxation_time == modes.relaxation_time


def test_an_interrupted_exit_density_is_not_known():
    calls = []

    def stop(done, total):
        calls.append(done)
        if len(calls) > total:  # after the masses
            raise KeyboardInterrupt

    with pytest.warns(fp.FpsolveWarning, match="exit densities are not"):
        S = fp.survival(well(), START, [1.0], inside=(-2, 2), progress=stop)
    assert not S.finished
    assert np.isfinite(S.probability[0])
    assert np.isnan(S.exit_density[0])
