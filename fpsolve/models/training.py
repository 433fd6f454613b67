"""What a model of one regression is trained on: data with a learning rate and a batch, or moments and a temperature."""

from __future__ import annotations

from fpsolve.checks import whole
from fpsolve.errors import InvalidInput
from fpsolve.models.regression import Moments, Regression
from fpsolve.models.temperature import checked_temperature

__all__ = ["checked_moments", "checked_training", "described", "moments_of", "trained"]


def checked_training(
    data: Regression | Moments, temperature: float | None, learning_rate: float | None, batch: int | None
) -> float:
    """T = learning_rate/batch of a model on these data.

    Raises InvalidInput for data of another kind, a batch larger than the data, and as `checked_temperature` does.
    """
    if not isinstance(data, (Regression, Moments)):
        raise InvalidInput(f"data is {type(data).__name__}; give fp.Regression(x, y), or use from_moments")
    found = checked_temperature(temperature, learning_rate, batch)
    size = 0 if learning_rate is None else whole("batch", batch, 1)
    if isinstance(data, Regression) and size > data.n:
        raise InvalidInput(f"batch is {batch} but the data have {data.n} samples; at most that many")
    return found


def trained(
    model: str, data: Regression | Moments, learning_rate: float | None, batch: int | None
) -> tuple[Regression, float, int]:
    """Data, learning rate and batch of a model that has them.

    model: what to call it.  Raises InvalidInput where it is known by moments.
    """
    if not isinstance(data, Regression) or learning_rate is None or batch is None:
        raise InvalidInput(f"this {model} has moments but no data to draw minibatches from; build it on fp.Regression")
    return data, learning_rate, batch


def checked_moments(moments: Moments) -> Moments:
    """The moments a model is made from.  Raises InvalidInput for anything else."""
    if not isinstance(moments, Moments):
        raise InvalidInput(
            f"moments is {type(moments).__name__}; give fp.Moments(alpha1, alpha2, alpha3, beta1, beta2)"
        )
    return moments


def moments_of(data: Regression | Moments) -> Moments:
    """alpha1, alpha2, alpha3, beta1, beta2 of the data."""
    return data.moments if isinstance(data, Regression) else data


def described(data: Regression | Moments, learning_rate: float | None, batch: int | None) -> str:
    """How SGD goes and on how many samples, or that only their moments are known."""
    if not isinstance(data, Regression):
        return "from moments"
    pace = "" if learning_rate is None else f"learning rate {learning_rate:g}, batch {batch}; "
    return f"{pace}{data.n} samples"
