"""Progress of long work."""

import logging
import sys
import time
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self

_LOG = logging.getLogger("secondlook")
_LOG_INTERVAL_S = 10.0


class ProgressBar:
    """Progress callback for the core.

    On a terminal or in a notebook it shows a tqdm bar after one second, if tqdm is installed. In
    other programs it logs a line of level INFO every ten seconds, by the logger ``secondlook``.

    Parameters
    ----------
    description : str
        What is being done.
    verbose : bool, default=False
        Whether to show it in every program, from the beginning.
    """

    def __init__(self, description: str, *, verbose: bool = False) -> None:
        self._description = description
        self._verbose = verbose
        self._bar: Any = None
        self._logged = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report that `done` of `total` steps are done, with an optional note."""
        if self._bar is None:
            self._bar = self._open(total)
        if self._bar is not False:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._logged >= _LOG_INTERVAL_S:
            self._logged = time.monotonic()
            _LOG.info("%s: %d of %d%s", self._description, done, total, note and f", {note}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.close()

    def _open(self, total: int) -> Any:
        in_notebook = "ipykernel" in sys.modules
        if not (self._verbose or sys.stderr.isatty() or in_notebook):
            return False
        try:
            # Without ipywidgets, tqdm's bar for notebooks warns and then shows this one.
            if in_notebook and find_spec("ipywidgets") is not None:
                from tqdm.notebook import tqdm
            else:
                from tqdm import tqdm
        except ImportError:
            return False
        return tqdm(
            total=total,
            desc=self._description,
            delay=0.0 if self._verbose else 1.0,
            leave=self._verbose,
            file=sys.stdout if in_notebook else sys.stderr,  # a notebook shows stderr as an error
        )
