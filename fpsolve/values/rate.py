"""A transition rate: a number that knows the flux and the share of time it is made of."""

from __future__ import annotations

__all__ = ["TransitionRate"]


class TransitionRate(float):
    """The rate of transitions while paths come from the source; otherwise a float.

    value: the rate, flux/share.  flux: transitions per unit time, in the long run.
    share: of the time, that paths have last been in the source and not in the target since.

    >>> TransitionRate(0.25, flux=0.125, share=0.5)
    TransitionRate(0.25; 0.125 transitions per unit time, 0.5 of the time coming from the source)
    """

    flux: float
    share: float

    def __new__(cls, value: float, flux: float, share: float) -> TransitionRate:
        number = super().__new__(cls, value)
        object.__setattr__(number, "flux", float(flux))
        object.__setattr__(number, "share", float(share))
        return number

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a TransitionRate is frozen: {name} cannot be set")

    def __repr__(self) -> str:
        return (
            f"TransitionRate({float(self):.12g}; {self.flux:.6g} transitions per unit time, {self.share:.4g} of the "
            "time coming from the source)"
        )
