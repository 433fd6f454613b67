"""Temperature T = learning_rate/batch: given as such, or by its two parts."""

from __future__ import annotations

from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput

__all__ = ["checked_temperature"]


def checked_temperature(temperature: float | None, learning_rate: float | None, batch: int | None) -> float:
    """T, from itself or from learning_rate and batch.

    Raises InvalidInput for numbers out of range, where nothing is given, and where both are and disagree.

    >>> checked_temperature(None, 0.04, 4), checked_temperature(0.2, None, None)
    (0.01, 0.2)
    """
    if temperature is not None and not number("temperature", temperature) > 0:
        raise InvalidInput(f"temperature is {temperature}; give a finite number > 0 (learning rate over batch size)")
    if learning_rate is None:
        if temperature is None or batch is not None:
            raise InvalidInput("learning_rate is missing; give it with batch, or the temperature alone")
        return float(temperature)
    if not number("learning_rate", learning_rate) > 0:
        raise InvalidInput(f"learning_rate is {learning_rate}; give a finite number > 0")
    found = float(learning_rate) / whole("batch", 1 if batch is None else batch, 1)
    if temperature is not None and abs(temperature - found) > 1e-9 * found:
        raise InvalidInput(
            f"temperature is {temperature:g} but learning_rate/batch = {learning_rate:g}/{batch or 1} = {found:g}; "
            f"leave temperature out, or set learning_rate={temperature * (batch or 1):g}"
        )
    return found
