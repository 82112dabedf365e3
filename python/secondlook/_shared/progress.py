"""Progress bar for long work."""

import sys
from types import TracebackType
from typing import Any, Self


class ProgressBar:
    """Progress callback for the core that shows a tqdm bar after one second.

    The bar is only shown on a terminal or in a notebook, and only if tqdm is installed.
    """

    def __init__(self, description: str) -> None:
        self._description = description
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Report that `done` of `total` steps are done, with an optional note."""
        if self._bar is None:
            self._bar = self._open(total)
        if self._bar is not False:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(done - self._bar.n)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.close()

    def _open(self, total: int) -> Any:
        if not (sys.stderr.isatty() or "ipykernel" in sys.modules):
            return False
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return False
        return tqdm(total=total, desc=self._description, delay=1.0, leave=False)
