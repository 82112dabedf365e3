"""How surprising a value is, compared with its own past."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.shown import Shown
from secondlook._shared.table import read_numbers


class TailSurprise(Shown):
    """How surprising a value is, compared with its past: -log10 of its tail probability.

    The tail is made up of the `largest` largest stored values. Beyond it, the excess is modelled as
    generalised Pareto with a fixed shape and the mean excess of these values; below it, the
    surprise is 0. The stored values are those of the current block and of the previous one, so a
    change of regime is surprising only once and an absurd value is forgotten. Each value is scored
    before it is stored.

    Surprises make the scores of different detectors comparable; the mean of several detectors'
    surprises is their joint evidence. Objects can be pickled.

    Parameters
    ----------
    two_sided : bool, default=False
        Whether low values are surprising, too.
    largest : int, default=50
        Number of values that make up the tail, at least 2.
    shape : float, default=0.25
        Shape of the tail, in [0, 1); 0 is exponential.
    warm_up : int, default=150
        Number of first values that are not judged, at least `largest`: their surprise is 0.
    block : int, default=2500
        Number of values per block, at least `largest`.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    J. Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3(1),
    1975.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import TailSurprise
    >>> tail = TailSurprise()
    >>> _ = tail.push_many(np.random.default_rng(0).exponential(size=5000))
    >>> [round(tail.push(score), 1) for score in (1.0, 5.0, 20.0)]
    [0.0, 2.2, 4.9]
    """

    def __init__(
        self,
        two_sided: bool = False,
        *,
        largest: int = 50,
        shape: float = 0.25,
        warm_up: int = 150,
        block: int = 2500,
    ) -> None:
        self.two_sided = two_sided
        self.largest = largest
        self.shape = shape
        self.warm_up = warm_up
        self.block = block
        self._tail = _core.decide.TailSurprise(
            two_sided=two_sided, largest=largest, shape=shape, warm_up=warm_up, block=block
        )

    def push(self, value: float) -> float:
        """Return the surprise of a value, and store the value.

        Parameters
        ----------
        value : float
            Higher is more abnormal, unless `two_sided`; finite, at most 1e300 in magnitude.

        Returns
        -------
        surprise : float
            -log10 of the tail probability, in [0, 300]: 2 is one in a hundred.

        Raises
        ------
        ValueError
            If the value is not finite or too large; it is then not counted.
        """
        return self._tail.push(value)

    def push_many(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the surprises of many values, equal to those of pushing them one by one.

        Parameters
        ----------
        values : array-like of shape (n_values,)

        Returns
        -------
        surprises : ndarray of shape (n_values,)

        Raises
        ------
        ValueError
            If a value is not finite or above 1e300 in magnitude; then none is counted.
        """
        array = read_numbers("TailSurprise.push_many", values, "values")
        if array.ndim != 1:
            raise ValueError(
                "TailSurprise.push_many: expected values of shape (n_values,), got shape "
                f"{array.shape}"
            )
        return self._tail.push_many(array)

    @property
    def n_samples(self) -> int:
        """Number of values so far."""
        return self._tail.count
