"""Models of SGD, random maps and measurements under bad input: an error that names the argument, never a number."""

import numpy as np
import pytest

import fpsolve as fp

RNG = np.random.default_rng(0)
X = RNG.normal(size=50)
Y = X + 0.5 * RNG.normal(size=50)
DATA = fp.Regression(X, Y)
NETWORK_DATA = fp.models.Samples(RNG.normal(size=(20, 2)), RNG.normal(size=20))


def slope(w, x, y):
    return 2 * (w * x - y) * x


def own(gradient=slope, data=DATA, learning_rate=0.05, batch=1, **rest):
    return fp.models.FromGradients(gradient, data, learning_rate, batch, **rest)


GRADIENTS = [
    (lambda w, x, y: 1 / 0, "gradient raised ZeroDivisionError"),
    (lambda w, x, y: 2 * (float(w) * x - y) * x, "gradient raised TypeError.*numpy functions"),
    (lambda w, x, y: slope(w, x, y) + 1j, "gradient is complex"),
    (lambda w, x, y: slope(w, x, y) + np.random.default_rng().normal(size=(w * x).shape), "gave .* and then"),
    (lambda w, x, y: slope(w - w.mean(), x, y), "gave .* and then"),
    (lambda w, x, y: slope(w, x, y).mean(axis=1), "one number per place and sample, not their mean"),
    (lambda w, x, y: None, "gradient is NoneType"),
    (lambda w, x, y: "a", "gradient is str"),
    (lambda w, x, y: (slope(w, x, y),) * 2, "2 parts for 1 parameters"),
    (lambda w: w, r"gradient takes \(w\), but it is called as gradient\(theta, x, y\)"),
    (3, "gradient is 3"),
]


@pytest.mark.parametrize(("gradient", "message"), GRADIENTS)
def test_gradients_that_fail_are_told_at_once(gradient, message):
    with pytest.raises(fp.InvalidInput, match=message):
        own(gradient)


def test_gradients_that_are_not_finite_are_told():
    with pytest.raises(fp.InvalidInput, match="finite at no theta"):
        _ = own(lambda w, x, y: np.nan * w * x).minimum
    with pytest.raises(fp.InvalidInput, match="gradient is nan at theta="):
        own(lambda w, x, y: np.where(w > 3, np.nan, slope(w, x, y))).problem()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((), "data has columns of"),
        (([], []), "data has columns of"),
        ((X, Y[:-1]), r"columns of \[50, 49\]"),
        ((X * np.nan, Y), r"data\[0\] is nan in sample 0"),
        ((X + 1j, Y), "complex128"),
        (np.array([X, Y]), "data is a ndarray"),
        (None, "data is a NoneType"),
    ],
)
def test_row_37_data_that_are_none_are_refused(data, message):
    with pytest.raises(fp.InvalidInput, match=message):
        own(data=data)


@pytest.mark.parametrize("data", [(X[:1], Y[:1]), (np.ones(50), np.ones(50)), (X, X), (np.zeros(50), Y)])
def test_row_37_data_without_noise_or_minimum_have_no_density(data):
    with pytest.raises(fp.InvalidInput, match="vanishes at the minimum|no minimum found"):
        own(data=data).problem()


def test_the_whole_data_set_without_replacement_is_gradient_descent():
    with pytest.raises(fp.InvalidInput, match="gradient descent, whose density is a point"):
        own(batch=50, replacement=False).problem()
    assert own(batch=50).problem().grid.size > 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(replacement="no"), "replacement is 'no'"),
        (dict(names=(3,)), r"names is \(3,\)"),
        (dict(names="a"), "names is 'a'"),
        (dict(start=(0.0, 1.0), names=("a", "a")), "names is"),
        (dict(start=np.nan), "start is"),
        (dict(batch=51), "batch is 51"),
        (dict(learning_rate=0), "learning_rate is 0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(fp.InvalidInput, match=message):
        own(**arguments)


@pytest.mark.parametrize("cells", [(10,), (10, 10, 10), 1.5, "ab", 2])
def test_cells_of_a_plane_are_one_number_or_two(cells):
    plane = own(lambda th, x, y: (2 * (th[0] + th[1] * x - y), 2 * (th[0] + th[1] * x - y) * x), start=(0.0, 0.0))
    with pytest.raises(fp.InvalidInput, match="cells"):
        plane.grid(cells)
    assert plane.grid(np.int64(10)).shape == (10, 10)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("a", "start is str"),
        (1j, "start is complex"),
        (np.nan, "start has shape"),
        (np.ones((0, 1)), "start has shape"),
        (np.ones((4, 1)), "n is 3 but start has 4 rows"),
        (np.ones((3, 2)), "start has 2 numbers per replica"),
    ],
)
def test_starts_of_replicas(start, message):
    with pytest.raises(fp.InvalidInput, match=message):
        own().sgd(5, 3, seed=1, start=start)


def half(x, a):
    return 0.5 * x + a


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda x, a: 1 / 0, "step raised ZeroDivisionError"),
        (lambda x, a: 0.5 * float(x) + a, "step raised TypeError"),
        (lambda x, a: 0.5 * x + 1j * a, "step is complex"),
        (lambda x, a: np.nan * x, "step is nan at u="),
        (lambda x, a: np.ones(7), r"step returned shape \(7,\)"),
        (lambda x, a: None, "step is NoneType"),
        (lambda x, a: half(x, a) + 0.01 * np.random.default_rng().random((x + a).shape), "step gave .* and then"),
    ],
)
def test_random_maps_that_fail_are_told(step, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.transfer(fp.RandomMap(step, [-1.0, 1.0], (-2.5, 2.5)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(step=3), "step is 3"),
        (dict(statistic="mean"), "statistic 'mean'"),
        (dict(weights="ab"), "weights is str"),
        (dict(weights=[1j, 0]), "weights is complex"),
        (dict(weights=[0.5, 0.6]), "sum 1.1"),
        (dict(atoms=[]), r"atoms\[0\] has shape"),
        (dict(domain=(1, 1)), "lo must be smaller"),
    ],
)
def test_arguments_of_a_random_map(arguments, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.RandomMap(**(dict(step=half, atoms=[-1.0, 1.0], domain=(-2.5, 2.5)) | arguments))


def test_maps_without_a_law_and_models_without_a_map():
    with pytest.raises(fp.NotConverged, match="give atoms that differ, and a domain that holds the law"):
        fp.transfer(fp.RandomMap(half, [1.0, 1.0], (-2.5, 2.5)))
    for wrong in (3, fp.RandomMap):
        with pytest.raises(fp.InvalidInput, match="give an fp.RandomMap"):
            fp.transfer(wrong)
        with pytest.raises(fp.InvalidInput, match="give an fp.RandomMap"):
            fp.models.FiniteRate(wrong)
    with pytest.raises(fp.InvalidInput, match="steps is 1.5"):
        fp.transfer(fp.RandomMap(half, [-1.0, 1.0], (-2.5, 2.5)), 64).evolve(fp.Gaussian(0, 0.1), 1.5)


def test_finite_rate_takes_the_model_or_its_map():
    net = fp.models.DiagonalNetwork(fp.Regression([1.0, -1, 2, 0.5], [1.1, -0.7, 1.6, 0.9]), learning_rate=0.02)
    given = fp.models.FiniteRate(net, nodes=128)
    assert given.plain().mean() == fp.models.FiniteRate(net.random_map(), nodes=128).plain().mean()


def valley(x, y):
    return y**2 / 2 - 0.02, x * y


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(gradient=3), "gradient is 3"),
        (dict(gradient=lambda x, y: 1 / 0), "gradient raised ZeroDivisionError"),
        (dict(gradient=lambda x, y: (x + 1j, y)), "gradient is complex"),
        (dict(gradient=lambda x, y: (np.ones(5), y)), "gradient returned shapes"),
        (dict(gradient=lambda x: x), "gradient raised TypeError"),
        (dict(names=("x", "x")), "names is"),
        (dict(names=(1, 2)), "names is"),
    ],
)
def test_central_flows(arguments, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.models.CentralFlow(**(dict(gradient=valley, learning_rate=0.5) | arguments))


def test_paths_of_central_flows():
    flow = fp.models.CentralFlow(valley, 0.5)
    for start in ("ab", (1j, 0.0), (1.0,), (np.nan, 0.0)):
        with pytest.raises(fp.InvalidInput, match="start"):
            flow.path(start, [1.0])
    broken = flow.replace(gradient=lambda x, y: (np.where(x > 3.01, np.nan, y**2 / 2 - 0.02), x * y))
    with pytest.raises(fp.NotConverged, match="the gradient is not finite on the way"):
        broken.path((3.0, 0.0), [10.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(hidden=2), r"hidden is 2.*\(8,\)"),
        (dict(hidden=(0,)), "widths is 0"),
        (dict(batch=21), "batch is 21"),
        (dict(batch=0), "batch is 0"),
        (dict(clip=0), "clip is 0"),
        (dict(learning_rate="fast"), "learning_rate is 'fast'"),
    ],
)
def test_row_37_dense_networks(changes, message):
    with pytest.raises(fp.InvalidInput, match=message):
        fp.models.DenseNetwork(NETWORK_DATA, **(dict(hidden=(2,), learning_rate=0.01, batch=1) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(learning_rate="fast"), "learning_rate is str"),
        (dict(learning_rate=lambda k: 1 / 0), "learning_rate raised ZeroDivisionError.*for 0"),
        (dict(learning_rate=lambda k: "a"), "learning_rate is list of type"),
        (dict(learning_rate=lambda k: 1j), "learning_rate is complex"),
        (dict(learning_rate=lambda k: -1.0), "learning_rate is -1.0 at step 0"),
        (dict(replacement="no"), "replacement is 'no'"),
        (dict(max_diverged="some"), "max_diverged is 'some'"),
        (dict(seed=-1), "seed is -1"),
        (dict(seed=1.5), "seed is 1.5"),
        (dict(n=0), "n is 0"),
    ],
)
def test_rows_37_and_38_training(changes, message):
    dense = fp.models.DenseNetwork(NETWORK_DATA, hidden=(2,), learning_rate=0.01, batch=1)
    diagonal = fp.models.DiagonalNetwork(DATA, learning_rate=0.01, batch=1)
    for model in (dense, diagonal):
        with pytest.raises(fp.InvalidInput, match=message):
            model.sgd(**(dict(steps=10, n=3, seed=1, progress=False) | changes))


def test_row_36_a_learning_rate_too_large_is_counted():
    net = fp.models.DenseNetwork(NETWORK_DATA, hidden=(2,), learning_rate=1e3, batch=1)
    with pytest.raises(fp.NotConverged, match="20 of 20 replicas diverged") as caught:
        net.sgd(200, 20, seed=1, progress=False)
    assert len(caught.value.best) == 20


def test_teachers_are_matrices_of_numbers():
    with pytest.raises(fp.InvalidInput, match="teacher is str"):
        fp.models.GaussianSamples("a")


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_measurements_in_impossible_units_are_refused(unit):
    x = unit * RNG.normal(size=600)
    for ask in (
        fp.measure.tail_index, fp.measure.autocorrelation, fp.measure.sample_covariance, fp.measure.third_cumulant,
        fp.measure.increment_covariance, fp.measure.gradient_covariance,
    ):  # fmt: skip
        with pytest.raises(fp.InvalidInput, match="give them in other units"):
            ask(x)
    assert fp.measure.tail_index(x / unit * 1e30).alpha == pytest.approx(
        fp.measure.tail_index(x / unit).alpha, abs=1e-9
    )


def test_measurements_with_arguments_that_are_none():
    with pytest.raises(fp.InvalidInput, match="bins is str"):
        fp.measure.kramers_moyal(RNG.normal(size=(50, 50)).cumsum(axis=0), bins="a")
    with pytest.raises(fp.InvalidInput, match="negative eigenvalue -2"):
        fp.measure.alignment(-np.diag([1.0, 2.0]), np.eye(2))
    for measure in (fp.measure.gradient_covariance, fp.measure.gradient_third_cumulant):
        with pytest.raises(fp.InvalidInput, match="replacement is 'no'"):
            measure(X, 2, replacement="no")
