"""What a claim is made of, looked at when it is made: nothing is solved, and every sentence begins with its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput

__all__ = ["check_control", "check_function", "check_parameters", "check_run", "check_tolerance", "check_words"]


def check_words(name: object, source: object = "") -> None:
    """Of the claim and of its source; InvalidInput unless they are text."""
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"name is {name!r}, where a claim is: give its words, in a string")
    if not isinstance(source, str):
        raise InvalidInput(f"claim {name!r}: source is {source!r}; say where the expected value comes from, in words")


def check_function(claim: str, what: str, value: object) -> None:
    """InvalidInput unless `value` can be called."""
    if not callable(value):
        raise InvalidInput(f"claim {claim!r}: {what} is {value!r}; give a function, without calling it")


def check_tolerance(claim: str, value: object) -> None:
    """InvalidInput unless it is positive and finite."""
    if not number(f"claim {claim!r}: the tolerance", value) > 0:
        raise InvalidInput(f"claim {claim!r}: the tolerance is {value}; it must be positive and finite")


def check_parameters(claim: str, solve: Callable[..., Any], parameters: object, wrong: object) -> None:
    """InvalidInput unless solve(**parameters) can be called, and, where `wrong` is a mapping, with that in it too."""
    if not isinstance(parameters, Mapping):
        raise InvalidInput(f"claim {claim!r}: parameters is {parameters!r}; give a mapping, dict(name=value)")
    try:
        taken = inspect.signature(solve).parameters.values()
    except ValueError:  # built in: it does not tell
        return
    names = [one.name for one in taken if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    if not any(one.kind is one.VAR_KEYWORD for one in taken):
        for what, given in (("parameters", parameters), ("wrong", wrong)):
            for name in given if isinstance(given, Mapping) else ():
                if name not in names:
                    raise InvalidInput(
                        f"claim {claim!r}: there is {name!r} in {what}, which {_called(solve)} does not take; "
                        f"it takes {', '.join(names) or 'nothing'}"
                    )
    missing = [one.name for one in taken if one.name in names and one.default is one.empty]
    missing = [name for name in missing if name not in parameters]
    if missing:
        raise InvalidInput(f"claim {claim!r}: {_called(solve)} needs {missing[0]!r}, which parameters does not give")


def check_control(claim: str, wrong: object, *, quantity: bool) -> None:
    """InvalidInput unless `wrong` changes a parameter, or, where that is a control too, is another quantity."""
    if (quantity and callable(wrong)) or (isinstance(wrong, Mapping) and wrong):
        return
    other = ", or another quantity of the results," if quantity else ""
    raise InvalidInput(
        f"claim {claim!r}: wrong is {wrong!r}; give parameters{other} on which the check must fail: one that cannot "
        "fail proves nothing"
    )


def check_run(claim: str, until: object, n: object, dt: object) -> None:
    """InvalidInput unless they say how the SDE is run: a time, a number of particles, and steps (coarse, fine)."""
    if until is None or n is None or dt is None:
        raise InvalidInput(f"claim {claim!r} needs until, n and dt, or sgd")
    if not number(f"claim {claim!r}: until", until) > 0:
        raise InvalidInput(f"claim {claim!r}: until is {until}; give a time > 0")
    whole(f"claim {claim!r}: n", n, 1)
    advice = f"claim {claim!r}: dt is {dt!r}; give two steps, coarse and fine: dt=(0.04, 0.02)"
    if not isinstance(dt, (tuple, list)) or len(dt) != 2:
        raise InvalidInput(advice)
    coarse, fine = (number(f"claim {claim!r}: a step of dt", step) for step in dt)
    if not coarse > fine > 0:
        raise InvalidInput(advice)


def _called(solve: Callable[..., Any]) -> str:
    return f"{getattr(solve, '__name__', type(solve).__name__)}()"
