"""Particles of the rescaling pair: exact laws, printed values, orders of the two ways, and the same bits however run.

Tolerances are in standard errors of the samples; every law is seen to fail at a wrong temperature.
"""

import math
import zlib

import numba
import numpy as np
import pytest
from scipy import stats
from sgd_twin import philox_twin

import fpsolve as fp
from fpsolve.errors import FpsolveWarning, InvalidInput
from fpsolve.models import Moments, RescalingPair

plenty = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="more steps than plain Python makes in a minute")
REFERENCE = Moments(1.0, 0.5, 1.0, 1.0, 1.0)
WAYS = [dict(dtau=0.05), dict(dt=0.1)]


def ideal(temperature=0.3, weight_decay=0.0, sign=1, moments=REFERENCE):
    return RescalingPair.from_moments(moments, temperature, weight_decay, sign)


def run(pair, start, times, n=None, seed=7, **way):
    return pair.simulate(start, times, n=n, seed=seed, progress=False, **way)


def off(sample, mean):
    """Distance of the sample mean from `mean`, in standard errors."""
    return abs(sample.mean() - mean) / (sample.std() / np.sqrt(sample.size))


# laws


@plenty
@pytest.mark.parametrize("way", WAYS, ids=["clock", "euler"])
def test_constant_noise_has_its_exact_law(way):
    """With C = 1 and beta1 -> 0 zeta is Brownian with drift 4 beta2, and q falls by 4 (T + gamma) t."""
    n, t, temperature, gamma = 20_000, 0.7, 0.2, 0.1
    pair = ideal(temperature, gamma, moments=Moments(0, 0, 1, 1e-12, 0.5))
    swarm = run(pair, (1.2, 0.1), [t / 3, t], n, **way)
    zeta, q = swarm.at(t).T
    start = pair.coordinates(1.2, 0.1)
    assert q == pytest.approx(np.full(n, start[1] - 4 * (temperature + gamma) * t), abs=1e-12)
    moved = zeta - start[0] - 2 * t
    assert off(moved, 0.0) < 4
    assert off(moved**2, 16 * temperature * t) < 4
    assert off(moved**2, 16 * 1.05 * temperature * t) > 4
    first = swarm.at(t / 3)[:, 0] - start[0]
    assert abs(np.corrcoef(first, zeta - start[0] - first)[0, 1]) < 4 / np.sqrt(n)  # each stretch has its own noise


@plenty
@pytest.mark.parametrize(("temperature", "n"), [pytest.param(0.3, 100_000, marks=pytest.mark.slow), (0.27, 20_000)])
def test_the_reference_case(temperature, n):
    """Independently computed numbers for alpha = (1, .5, 1), beta = (1, 1), T = .3."""
    pair = ideal(temperature)
    swarm = run(pair, pair.initial(), [0.5, 4.0], n, seed=5)
    errors = []
    for t, mean, below, median in ((0.5, 1.15883, 0.7595, 1.2687), (4.0, 0.014132, 0.8283, 0.01209)):
        place = swarm.at(t).T
        v, z = pair.v(*place), pair.z(*place)
        errors += [off(z, mean), off(v < 1, below), abs((z < median).mean() - 0.5) * 2 * np.sqrt(n)]
    assert max(errors) < 2.5 if temperature == 0.3 else min(errors[::3]) > 10


@plenty
def test_late_particles_have_the_balanced_law_and_its_rate():
    pair = ideal(0.2)
    swarm = run(pair, (1.1, 0.8), [6.0, 8.0], 12_000, dtau=0.04)
    v = pair.v(*swarm.at(8.0).T)
    assert stats.kstest(v, pair.exact_density().cdf).pvalue > 1e-3
    assert stats.kstest(v, ideal(0.22).exact_density().cdf).pvalue < 1e-6
    fall = (swarm.at(8.0) - swarm.at(6.0))[:, 1] / 2.0
    assert off(fall, pair.rate_of_ln_z) < 4
    assert off(fall, ideal(0.22).rate_of_ln_z) > 8


@plenty
def test_weight_decay_drives_both_to_the_balanced_law():
    pair = ideal(0.2, 0.3)
    swarm = run(pair, (1.1, 0.8), [4.0, 5.0], 12_000, dtau=0.04)
    assert stats.kstest(pair.v(*swarm.at(5.0).T), pair.exact_density().cdf).pvalue > 1e-3
    assert stats.kstest(pair.v(*swarm.at(5.0).T), ideal(0.2, 0.25).exact_density().cdf).pvalue < 1e-6
    assert off((swarm.at(5.0) - swarm.at(4.0))[:, 1], pair.rate_of_ln_z) < 4


@plenty
def test_both_sheets_have_one_law():
    right, left = (ideal(sign=sign) for sign in (1, -1))
    one = run(right, (1.6, 0.3), [1.0], 500)
    other = run(left, (0.3, 1.6), [1.0], 500)
    assert np.array_equal(one.positions, other.positions)
    assert np.array_equal(right.z(*one.at(1.0).T), -left.z(*other.at(1.0).T))
    assert np.array_equal(right.u(*one.at(1.0).T), left.w(*other.at(1.0).T))


@plenty
def test_steps_in_time_are_of_first_order_and_meet_those_of_the_clock():
    pair, n = ideal(), 200_000
    exact, found = 1.15883, []
    for dt in (0.4, 0.2):
        z = pair.z(*run(pair, pair.initial(), [0.5], n, dt=dt).at(0.5).T)
        found.append(z.mean())
    error = 0.36 / np.sqrt(n)
    assert found[1] < exact - 20 * error
    assert (exact - found[0]) / (exact - found[1]) == pytest.approx(2.0, abs=0.25)
    assert abs(2 * found[1] - found[0] - exact) < 5 * error + 2e-3


def test_noise_that_vanishes_stops_the_clock_and_is_stepped_in_time():
    pair = ideal(0.1, moments=Moments(1, 1, 1, 1, 1))  # C = (v - 1)^2: v = 1 fits every sample
    with pytest.raises(InvalidInput, match=r"C\(v\) vanishes at some v .* give dt"):
        run(pair, (1.2, 0.4), [1.0], 3)
    swarm = run(pair, (1.2, 0.4), [4.0, 5.0], 20, dt=0.1)
    assert pair.v(*swarm.at(5.0).T) == pytest.approx(np.ones(20), abs=1e-2)
    assert swarm.at(5.0)[:, 1] == pytest.approx(swarm.at(4.0)[:, 1], abs=1e-3)


# bits


def twin(pair, places, t, dtau, seed):
    """Heun's steps in the particle's own clock, in plain Python: the kernel's formulas, particle by particle."""
    m, temperature, gamma = pair.moments, pair.temperature, pair.weight_decay
    base, found = zlib.crc32(np.float64(0.0).tobytes()) << 32, []

    def local(zeta, q):
        v = math.exp(q) * math.sinh(zeta) / 2
        noise = temperature * (m.alpha1 * v * v - 2 * m.alpha2 * v + m.alpha3)
        return noise, (m.beta2 - m.beta1 * v) / noise, math.exp(q) * math.cosh(zeta) / 2

    for particle, (zeta, q) in enumerate(places):
        step, left = 0, t
        while left > 0:
            noise, a, slope = local(zeta, q)
            ahead = 4 * noise * left
            h = dtau * min(1, 5 * noise / (m.beta1 * slope))
            last = ahead <= dtau * h
            h = ahead if last else min(h, max(ahead / 4, dtau * h))
            words = philox_twin((step // 2, base >> 32, particle, 2), seed)
            first, second = ((x << 32 | y) >> 11 for x, y in (words[:2], words[2:]))
            angle = 2 * math.pi * second / 2**53
            normal = math.sqrt(-2 * math.log(1 - first / 2**53)) * (math.sin(angle) if step % 2 else math.cos(angle))
            kick = 2 * math.sqrt(h) * normal
            far = local(zeta + a * h + kick, q - (1 + gamma / noise) * h)
            zeta += (a + far[1]) / 2 * h + kick
            q -= h * (1 + gamma / noise / 2 + gamma / far[0] / 2)
            left = 0.0 if last else left - h / 8 * (1 / noise + 1 / local(zeta, q)[0])
            step += 1
        found.append((zeta, q))
    return np.array(found)


@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_the_kernel_does_what_plain_python_does(decay):
    pair = ideal(weight_decay=decay)
    start = np.stack(pair.coordinates(*pair.initial().draw(6, seed=3)), axis=-1)
    expected = twin(pair, start, 0.4, 0.05, 2**40 + 9)
    found = run(pair, pair.initial().draw(6, seed=3), [0.4], seed=2**40 + 9, dtau=0.05).at(0.4)
    assert found == pytest.approx(expected, rel=1e-9)
    assert expected != pytest.approx(twin(pair, start, 0.4, 0.049, 2**40 + 9), rel=1e-3)


@pytest.mark.parametrize("way", WAYS, ids=["clock", "euler"])
def test_bits_do_not_depend_on_threads_splits_or_company(way):
    pair = ideal()
    whole = run(pair, pair.initial(), [0.1, 0.5, 0.7], 40, **way)
    assert np.array_equal(run(pair, pair.initial(), [0.1, 0.5, 0.7], 40, threads=2, **way).positions, whole.positions)
    few = run(pair, pair.initial(), [0.1, 0.5, 0.7], 4, **way)
    assert np.array_equal(few.positions, whole.positions[:, :4])
    part = run(pair, pair.initial(), [0.1, 0.5], 40, **way)
    rest = run(pair, part, [0.7], **way)
    assert np.array_equal(rest.at(0.7), whole.at(0.7))
    assert not np.array_equal(run(pair, part, [0.7], seed=8, **way).at(0.7), whole.at(0.7))


def test_company_larger_than_one_batch_is_numbered_through(monkeypatch):
    pair = ideal()
    whole = run(pair, pair.initial(), [0.1], 40)
    monkeypatch.setattr("fpsolve.particles.pair.COMPANY", 7)
    assert np.array_equal(run(pair, pair.initial(), [0.1], 40).positions, whole.positions)


# starts and faults


def test_starts_are_recorded_as_given():
    pair = ideal()
    u, w = pair.initial().draw(9, seed=4)
    for start, n in ((pair.initial(), 9), ((u, w), None), (np.array([u, w]), None)):
        swarm = run(pair, start, [0.0, 0.1], n, seed=4)
        assert swarm.names == ("zeta", "q")
        assert pair.v(*swarm.at(0.0).T) == pytest.approx(u * w)
        assert pair.z(*swarm.at(0.0).T) == pytest.approx(u**2 - w**2)
    assert np.array_equal(run(pair, (1.6, 0.3), [0.0], 3).at(0.0), np.tile(pair.coordinates(1.6, 0.3), (3, 1)))
    assert run(pair, fp.Point(0.4, 0.9), [0.0], 3).at(0.0).tolist() == [[0.4, 0.9]] * 3
    assert run(pair, fp.Gaussian((0.4, 0.9), 0.01), [0.0], 400).at(0.0).mean(axis=0) == pytest.approx(
        [0.4, 0.9], abs=5e-3
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(n=None), "n is missing"),
        (dict(n=0), "n is 0"),
        (dict(start=(0.3, 1.6)), r"u, w = 0.3, 1.6 \(3 of 3\)"),
        (dict(start=(1.0, -1.0)), r"u\^2 = w\^2 are a DiagonalNetwork"),
        (dict(start=([1.0, 2.0], [0.1, 0.2])), "n is 3 but the start has 2"),
        (dict(start=([1.0, 2.0], [0.1])), "u has shape"),
        (dict(start=[1.0]), "start is"),
        (dict(start=fp.Point(0.4, 0.9), n=None), "n is missing"),
        (dict(times=[]), "one or more"),
        (dict(times=[1.0, 0.5]), "must rise"),
        (dict(times=[-1.0]), "later times"),
        (dict(dtau=0.0), "dtau is 0.0"),
        (dict(dtau=0.3), "dtau is 0.3; the own clock's step"),
        (dict(dtau=np.nan), "dtau is nan"),
        (dict(dt=0.0), "dt is 0.0"),
        (dict(dt=2.0), "dt is 2.0; Euler's step"),
        (dict(start=(1e80, 1.0)), r"starts at .v. = exp.368.4./4"),
        (dict(seed=-1), "seed is -1"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    arguments = dict(start=(1.6, 0.3), times=[0.1], n=3) | changes
    with pytest.raises(InvalidInput, match=message):
        run(ideal(), arguments.pop("start"), arguments.pop("times"), **arguments)


def test_only_a_swarm_of_this_kind_goes_on():
    pair = ideal()
    swarm = run(pair, (1.6, 0.3), [0.1], 3)
    with pytest.raises(InvalidInput, match="leave n out"):
        run(pair, swarm, [0.2], 4)
    with pytest.raises(InvalidInput, match="give one in"):
        run(pair, swarm.replace(names=("x", "y")), [0.2])
    with pytest.raises(InvalidInput, match=r"begins with 0.05, but the swarm ends at t=0.1"):
        run(pair, swarm, [0.05])
    broken = swarm.replace(positions=np.where([[[False], [True], [False]]], np.inf, swarm.positions))
    with pytest.raises(InvalidInput, match=r"particle 1 starts at .*balanced already"):
        run(pair, broken, [0.2])


def test_ctrl_c_keeps_what_is_recorded():
    pair, told = ideal(), []

    def impatient(done, total):
        told.append((done, total))
        if done > 2 * total // 3:
            raise KeyboardInterrupt

    with pytest.warns(FpsolveWarning, match=r"interrupted: a partial swarm up to t=0.2 of 0.3"):
        partial = pair.simulate((1.6, 0.3), [0.1, 0.2, 0.3], n=10, seed=1, progress=impatient)
    assert told == [(10, 30), (20, 30), (30, 30)]
    assert not partial.finished
    whole = run(pair, (1.6, 0.3), [0.1, 0.2, 0.3], 10, seed=1)
    assert np.array_equal(partial.positions, whole.positions[:2])
    assert np.array_equal(run(pair, partial, [0.3], seed=1).at(0.3), whole.at(0.3))
