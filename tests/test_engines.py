"""Every engine of real SGD: its conserved charges path by path, and what it says of bad input and divergence."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

import fpsolve as fp
from fpsolve.models import (
    DenseNetwork,
    DiagonalNetwork,
    FromGradients,
    GaussianSamples,
    NearlySymmetric,
    NormalisedRegression,
    RankOneFactorisation,
    RescalingPair,
    Samples,
    ScaleInvariant,
)

RANDOM = np.random.Generator(np.random.Philox(5))
X = RANDOM.standard_normal((12, 2))
Y = X @ [0.8, -0.3] + 0.4 * RANDOM.standard_normal(12)


@dataclass(frozen=True)
class Engine:
    """make(x, y, learning_rate, batch): the model on data x (n, 2), y (n,); run: its sgd, of steps, n, seed, start."""

    make: Any
    start: Any
    charge: Any = None  # of the weights (n, ...): what its symmetry conserves, (n, c)
    data: bool = True  # whether it draws from data that are given
    bounded: bool = False  # whether no learning rate makes it diverge

    def run(self, steps=1, n=3, seed=9, start=None, x=X, y=Y, learning_rate=0.03, batch=2):
        model = self.make(x, y, learning_rate, batch)
        n = None if isinstance(start, fp.Swarm) else n
        return model.sgd(steps=steps, n=n, seed=seed, start=self.start if start is None else start, progress=False)


def column(x):
    return np.asarray(x)[..., :1].ravel() if np.ndim(x) == 2 else x


def diagonal(depth, width, x, y, rate, batch):
    return DiagonalNetwork(fp.Regression(column(x), y), depth=depth, width=width, learning_rate=rate, batch=batch)


def dense(hidden, activation, how, x, y, rate, batch):
    return DenseNetwork(Samples(x, y), hidden, activation, learning_rate=rate, batch=batch, **how)


def fresh(x, y, rate, batch):
    return DenseNetwork(GaussianSamples([[0.8, -0.3]], 1.0, 0.16), (3,), learning_rate=rate, batch=batch)


def own(x, y, rate, batch):
    return FromGradients(lambda v, x, y: 2 * (v * x - y) * x, fp.Regression(column(x), y), rate, batch)


def layers_charge(weights):
    """Squared weights of the first layer less those of each other, column by column: (n, layers, width)."""
    squares = weights**2
    return (squares[:, :1] - squares[:, 1:]).reshape(len(weights), -1)


def dense_charge(hidden, activation, how, weights):
    return dense(hidden, activation, how, X, Y, 0.1, 1).charges(weights)


def a_dense(hidden, activation="linear", start="xavier", **how):
    shape = (hidden, activation, how)
    return Engine(partial(dense, *shape), start, partial(dense_charge, *shape), bounded=bool(how.get("normalised")))


ENGINES = {
    "diagonal, 2 layers": Engine(partial(diagonal, 1, 1), [[1.3], [0.4]], layers_charge),
    "diagonal, 3 layers": Engine(partial(diagonal, 2, 2), [[1.3, 0.2], [0.4, 0.9], [0.8, -0.7]], layers_charge),
    "rescaling pair": Engine(
        lambda x, y, rate, batch: RescalingPair(fp.Regression(column(x), y), learning_rate=rate, batch=batch),
        (1.3, 0.4),
        layers_charge,
    ),
    "rank one": Engine(
        lambda x, y, rate, batch: RankOneFactorisation.from_sgd(3, 2, 0.5, learning_rate=rate, batch=batch),
        0.7,
        lambda w: (w[:, :3] ** 2).sum(1, keepdims=True) - (w[:, 3:] ** 2).sum(1, keepdims=True),
        data=False,
    ),
    "scale-invariant": Engine(
        lambda x, y, rate, batch: ScaleInvariant.from_data(NormalisedRegression(x, y), rate, batch),
        (1.0, 0.5),
        lambda theta: (theta**2).sum(1, keepdims=True),
        bounded=True,
    ),
    "nearly symmetric": Engine(
        lambda x, y, rate, batch: NearlySymmetric(fp.Regression(column(x), y), 1.0, 1.0, rate, batch), (1.3, 0.4)
    ),
    "own gradient": Engine(own, 0.1),
    "two linear layers": a_dense((3,)),
    "linear chain": a_dense((3, 2)),
    "relu": a_dense((3,), "relu"),
    "leaky relu": a_dense((3,), "leaky_relu"),
    "tanh": a_dense((3,), "tanh"),
    "swish": a_dense((3,), "swish"),
    "Net-A": a_dense((3,), "tanh", normalised="together"),
    "Net-B": a_dense((3,), "tanh", normalised="each"),
    "fresh samples": Engine(
        fresh, "xavier", lambda w: fresh(None, None, 0.1, 1).charges(w), data=False
    ),
}  # fmt: skip
CHARGED = [name for name, engine in ENGINES.items() if engine.charge and name not in ("tanh", "swish")]
ON_DATA = [name for name, engine in ENGINES.items() if engine.data]
CAN_DIVERGE = [name for name, engine in ENGINES.items() if not engine.bounded]


def gaps(engine, charge, steps=25):
    """C(after) - C(before) - C(after - before), over |w|^2, of each step: (steps, n, c)."""
    before, found = engine.run(n=4), []
    for _ in range(steps):
        after = engine.run(start=before)
        old, new = (np.asarray(swarm.weights) for swarm in (before, after))
        size = (new.reshape(len(new), -1) ** 2).sum(axis=1)
        found.append((charge(new) - charge(old) - charge(new - old)) / size[:, None])
        before = after
    return np.abs(found)


@pytest.mark.parametrize("name", CHARGED)
def test_charges_obey_their_law_path_by_path_to_rounding(name):
    engine = ENGINES[name]
    assert gaps(engine, engine.charge).max() < 5e-15


@pytest.mark.parametrize("name", CHARGED)
def test_another_quadratic_form_does_not(name):
    engine = ENGINES[name]

    def first(weights):
        return weights.reshape(len(weights), -1)[:, :1] ** 2

    assert gaps(engine, first).max() > 1e-6


@pytest.mark.parametrize("name", ENGINES)
def test_the_same_seed_gives_the_same_bits_and_a_split_leaves_no_trace(name):
    engine = ENGINES[name]
    whole = engine.run(steps=12)
    assert np.array_equal(engine.run(steps=12).weights, whole.weights)
    assert np.array_equal(engine.run(steps=5, start=engine.run(steps=7)).weights, whole.weights)
    assert not np.array_equal(engine.run(steps=12, seed=10).weights, whole.weights)


@pytest.mark.parametrize("name", CAN_DIVERGE)
def test_diverging_replicas_are_counted_and_an_error(name):
    with pytest.raises(fp.NotConverged, match=r"of 20 replicas diverged") as caught:
        ENGINES[name].run(steps=4000, n=20, learning_rate=20.0)
    best = caught.value.best
    assert len(best) == 20  # none is dropped
    assert best.diverged.sum() > 0.01 * 20
    assert np.all(np.isfinite(best.lost_at) == best.diverged)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(learning_rate=0.0), r"learning_rate is 0"),
        (dict(learning_rate=-0.1), r"learning_rate is -0\.1"),
        (dict(learning_rate=np.nan), r"learning_rate is nan"),
        (dict(batch=0), "batch is 0"),
        (dict(batch=1.5), r"batch is 1\.5"),
        (dict(seed=-1), "seed is -1"),
        (dict(seed=0.5), r"seed is 0\.5"),
        (dict(seed=2**64), "seed is"),
        (dict(steps=0), "steps is 0"),
        (dict(n=0), "n is 0"),
    ],
    ids=str,
)
def test_bad_settings_are_named(name, changes, message):
    with pytest.raises(fp.InvalidInput, match=message):
        ENGINES[name].run(**changes)


@pytest.mark.parametrize("name", ON_DATA)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(batch=13), "batch is 13 but the data have 12 samples"),
        (dict(x=np.empty((0, 2)), y=np.empty(0)), r"empty|shape \(0"),
        (dict(x=np.where(np.arange(24).reshape(12, 2) == 6, np.nan, X)), "nan"),
        (dict(y=np.where(np.arange(12) == 5, np.inf, Y)), "inf"),
        (dict(x=np.ones((12, 2))), "constant"),
        (dict(y=Y[:11]), r"1[12]"),
    ],
    ids=["batch beyond the data", "empty", "NaN", "infinite", "constant", "unequal"],
)
def test_bad_data_are_named(name, changes, message):
    with pytest.raises(fp.InvalidInput, match=message):
        ENGINES[name].run(**changes)


MOMENTS = fp.Moments(1, 0.5, 1, 1, 1)


@pytest.mark.parametrize(
    "run",
    [
        lambda: DiagonalNetwork.from_moments(MOMENTS, temperature=0.1).sgd(1, 1, 0),
        lambda: RescalingPair.from_moments(MOMENTS, temperature=0.1).sgd(1, 1, 0, start=(1.0, 0.5)),
        lambda: NearlySymmetric.from_moments(MOMENTS, 1.0, 1.0, 0.1).sgd(1, 1, seed=0),
        lambda: ScaleInvariant(lambda phi: -np.cos(phi)).sgd(1, 1, seed=0),
        lambda: DenseNetwork(MOMENTS, (2,)),
        lambda: FromGradients(lambda v, x: v * x, MOMENTS, 0.1, 1),
    ],
)
def test_models_without_data_refuse_sgd(run):
    with pytest.raises(fp.InvalidInput, match="data"):
        run()


@pytest.mark.parametrize(
    "make",
    [
        lambda: DiagonalNetwork(fp.Regression(X[:, 0], Y), learning_rate=0.1, batch=2, temperature=0.1),
        lambda: NearlySymmetric(fp.Regression(X[:, 0], Y), 1.0, 1.0, 0.1, 2, temperature=0.1),
    ],
)
def test_a_temperature_in_conflict_with_its_parts_is_refused(make):
    with pytest.raises(fp.InvalidInput, match=r"temperature is 0\.1 but learning_rate/batch = 0\.1/2"):
        make()
