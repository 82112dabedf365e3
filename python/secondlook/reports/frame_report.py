"""One call for what is odd in a frame, why, and how it looks."""

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.arguments import as_whole_number
from secondlook._shared.plain_values import plain
from secondlook.detect.ensemble_stream import SEVERITIES
from secondlook.plot.display import Display
from secondlook.plot.scores import episodes_of
from secondlook.reports.choice import choose
from secondlook.reports.frame import WHO, Frame, read_frame
from secondlook.reports.judgement import Reason, features_of, judge
from secondlook.reports.page import html_fragment, write_page

if TYPE_CHECKING:
    import pandas as pd

_WIDTH = 100  # of the text in characters


class Report:
    """What is odd in a frame, by one detector or several; made by `report`.

    The margin of a row is its distance from the usual: 0 for the median row of the frame, 1 at the
    threshold, beyond which it is an anomaly. The severity is "medium", "high" from a margin of 2,
    and "critical" from 3. A `DetectorEnsemble` has its own margins. Of several detectors, the one
    with the largest margin speaks for a row.

    Attributes
    ----------
    detectors : dict of str to detector
        The detectors by their names, fitted, for further use.
    why : list of str
        Why these detectors were chosen; empty if one was given.
    top : DataFrame
        The most abnormal rows, with the frame's own index: score, verdict, severity, reasons (in
        words, separated by ``"; "``), the leading feature with its value, and the usual range of
        that feature: that of 90 % of the normal rows, or of its peers.
    episodes : DataFrame
        Runs of anomalies in a series, the most severe first: begin, end, number of samples,
        severity, and the reasons of the worst sample for the first `n`. Empty for rows without an
        order.
    n_anomalies, n_unknown : int
        Number of rows that are anomalies, and that could not be judged.
    left_out : list of str
        Columns of the frame that hold no numbers.
    """

    def __init__(self, detectors: dict[str, Any], why: list[str], frame: Frame, n: int) -> None:
        self.detectors = detectors
        self.why = why
        self.left_out = frame.left_out
        self._frame = frame
        self._n = n
        self._judgements = {name: judge(detector, frame) for name, detector in detectors.items()}
        margins = np.array([judgement.margin for judgement in self._judgements.values()])
        self._margin: NDArray[np.float64] = np.fmax.reduce(margins)
        self._speaker = np.argmax(np.nan_to_num(margins, nan=-np.inf), axis=0)
        self.n_anomalies = int((self._margin > 1).sum())
        self.n_unknown = int(np.isnan(self._margin).sum())

    @cached_property
    def top(self) -> "pd.DataFrame":
        """The most abnormal rows with reasons."""
        import pandas as pd

        known = np.flatnonzero(~np.isnan(self._margin))
        rows = known[np.argsort(-self._margin[known], kind="stable")[: self._n]]
        table = self.to_pandas().iloc[rows].copy()
        reasons = self._reasons_of(rows)
        table["reasons"] = pd.Series(
            ["; ".join(reason.words) for reason in reasons], index=table.index, dtype=object
        )
        table["feature"] = [reason.feature for reason in reasons]
        table["value"] = [reason.value for reason in reasons]
        table["usual_low"] = [reason.usual[0] for reason in reasons]
        table["usual_high"] = [reason.usual[1] for reason in reasons]
        return table

    @cached_property
    def episodes(self) -> "pd.DataFrame":
        """Runs of anomalies in a series, the most severe first."""
        import pandas as pd

        runs = episodes_of(self._margin > 1) if self._frame.is_series else []
        worst = [begin + int(np.argmax(self._margin[begin:end])) for begin, end in runs]
        order = sorted(range(len(runs)), key=lambda k: -self._margin[worst[k]])
        reasons = self._reasons_of(np.array([worst[k] for k in order[: self._n]], dtype=np.intp))
        words = ["; ".join(reason.words) for reason in reasons]
        labels = self._frame.index
        return pd.DataFrame(
            {
                "begin": labels.take([runs[k][0] for k in order]),
                "end": labels.take([runs[k][1] - 1 for k in order]),
                "n_samples": [runs[k][1] - runs[k][0] for k in order],
                "severity": self._severity.take([worst[k] for k in order]),
                "reasons": words + [""] * (len(order) - len(words)),
            }
        )

    def to_pandas(self) -> "pd.DataFrame":
        """Return score, verdict and severity of every row, with the frame's own index."""
        import pandas as pd

        unknown, odd = np.isnan(self._margin), self._margin > 1
        verdict = np.where(unknown, "unknown", np.where(odd, "anomaly", "normal"))
        columns = {"score": self._score, "verdict": verdict, "severity": self._severity}
        return pd.DataFrame(columns, index=self._frame.index)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, the top rows and the episodes as plain values, for `json.dumps`."""
        records = self.top.rename_axis("row").reset_index().to_dict("records")
        return {
            "detectors": list(self.detectors),
            "why": self.why,
            "n_rows": len(self._margin),
            "n_anomalies": self.n_anomalies,
            "n_unknown": self.n_unknown,
            "top": plain(records),
            "episodes": plain(self.episodes.to_dict("records")),
        }

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the report as one HTML page, with its pictures if matplotlib is installed.

        Parameters
        ----------
        path : str or os.PathLike
            The file is replaced only once the page is complete.
        """
        write_page(self, path)

    def plot(self) -> Display:
        """Draw the scores with threshold and anomalies, and the reasons of the top rows.

        Returns
        -------
        display : Display
            Its `ax_` is that of the scores; of several detectors, of the first.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        from secondlook.reports.picture import draw

        return draw(self)

    @property
    def headline(self) -> str:
        """One sentence: who judged how many rows, and what was found."""
        n = len(self._margin)
        rows = "samples" if self._frame.is_series else "rows"
        unknown = f", {self.n_unknown:,} not judged" if self.n_unknown else ""
        return (
            f"{' and '.join(self.detectors)} on {n:,} {rows}: {self.n_anomalies:,} "
            f"{'anomaly' if self.n_anomalies == 1 else 'anomalies'} "
            f"({self.n_anomalies / n:.1%}){unknown}"
        )

    def __repr__(self) -> str:
        names = [str(label) for label in self.top.index]
        width = max(map(len, names), default=0)
        lines = [
            f"{name:<{width}}  {row.score:9.4g}  {row.severity:<8}  {row.reasons}".rstrip()
            for name, row in zip(names, self.top.itertuples(), strict=True)
        ]
        head = f"{'':{width}}  {'score':>9}  severity  reasons"
        short = [line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…" for line in lines]
        return "\n".join([self.headline, *(f"  {line}" for line in self.why), head, *short])

    def _repr_html_(self) -> str:
        return html_fragment(self)

    @property
    def _score(self) -> NDArray[np.float64]:
        if len(self._judgements) == 1:
            return next(iter(self._judgements.values())).score
        return -self._margin

    @cached_property
    def _severity(self) -> "pd.Categorical":
        import pandas as pd

        margin = np.nan_to_num(self._margin)
        steps = (margin > 1).astype(np.int8) + (margin >= 2) + (margin >= 3)
        codes = np.where(np.isnan(self._margin), -1, steps)
        return pd.Categorical.from_codes(codes, SEVERITIES, ordered=True)

    def _reasons_of(self, rows: NDArray[np.intp]) -> list[Reason]:
        reasons: list[Reason] = [Reason(())] * len(rows)
        for number, (name, judgement) in enumerate(self._judgements.items()):
            places = np.flatnonzero(self._speaker[rows] == number)
            if not len(places):
                continue
            for place, reason in zip(places, judgement.explain(rows[places]), strict=True):
                words = reason.words
                if len(self._judgements) > 1 and words:
                    words = (f"{name}: {words[0]}", *words[1:])
                reasons[place] = Reason(words, reason.feature, reason.value, reason.usual)
        return reasons


def report(detector: Any, frame: Any = None, n: int = 10) -> Report:
    """Report what is odd in a frame: the top rows, why, and how it looks.

    ``report(frame)`` without a detector chooses detectors by what the frame is and fits them to it,
    on the assumption that most of its rows are normal: a `SurpriseStream` for one series; an
    `IsolationForest` for rows with missing values or few rows, otherwise a `DetectorEnsemble`; and
    in addition an `LSTMForecaster` for 1,000 to 50,000 evenly spaced times. `Report.why` says which
    and why.

    Parameters
    ----------
    detector : detector
        A fitted `IsolationForest`, `Autoencoder`, `LSTMForecaster` or `DetectorEnsemble`, an
        `IncrementalLearner` of one, a `PeerDeviation`, or a `SurpriseStream`, which continues from
        its state and is not changed. Or the frame, if there is no detector.
    frame : DataFrame, array-like of shape (n_rows, n_features), series or TimeTable
        Of pandas, polars, Arrow or NumPy; needs pandas. The columns are those that the detector was
        fitted on, by name if it knows names, otherwise all that hold numbers. An index of times, or
        the only column of times, makes the rows a series. NaN is missing.
    n : int, default=10
        Number of rows to list, at least 1.

    Returns
    -------
    report : Report

    Raises
    ------
    ImportError
        If pandas is not installed.
    TypeError
        If `detector` is none.
    ValueError
        If the frame does not fit the detector, or has fewer than 20 rows to learn from.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> import secondlook as sl
    >>> random = np.random.default_rng(0)
    >>> frame = pd.DataFrame(random.normal(size=(500, 3)), columns=["flow", "inlet", "outlet"])
    >>> frame.loc[123, "outlet"] = 9.0
    >>> found = sl.report(frame)
    >>> int(found.top.index[0]), found.top["feature"].iloc[0], str(found.top["severity"].iloc[0])
    (123, 'outlet', 'critical')
    """
    n = as_whole_number(WHO, "n", n, 1)
    if frame is None:
        if hasattr(detector, "score_samples") or hasattr(detector, "push_many"):
            raise TypeError(
                f"{WHO}: expected a frame for {type(detector).__name__}, got none; "
                "report(detector, frame)"
            )
        read = read_frame(detector)
        detectors, why = choose(read)
        return Report(detectors, why, read, n)
    read = read_frame(frame, features_of(detector))
    return Report({type(detector).__name__: detector}, [], read, n)
