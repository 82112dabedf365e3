"""Choice of detectors for a frame that comes without one."""

from typing import Any

import numpy as np

from secondlook.detect.detector_ensemble import DetectorEnsemble
from secondlook.detect.isolation_forest import IsolationForest
from secondlook.detect.lstm_forecaster import LSTMForecaster
from secondlook.detect.surprise_stream import SurpriseStream
from secondlook.reports.frame import WHO, Frame

_MIN_ROWS = 20
_MIN_FOR_ENSEMBLE = 200  # an autoencoder needs some rows to learn from
_MIN_FOR_FORECAST = 1000
_MAX_FOR_FORECAST = 50_000  # training takes seconds
_CONTAMINATION = 0.01
_MIN_SEASONS = 3


def choose(frame: Frame) -> tuple[dict[str, Any], list[str]]:
    """Return fitted detectors for a frame by their names, and for each the reason.

    Raises
    ------
    ValueError
        If there are too few rows.
    """
    n, m = frame.values.shape
    if n < _MIN_ROWS:
        raise ValueError(
            f"{WHO}: expected at least {_MIN_ROWS} rows to learn what is usual, got {n}"
        )
    if m == 1:
        season = _samples_per_day(frame)
        daily = f" and takes {season} samples as a day" if season else ""
        stream = SurpriseStream(season=season)
        return {"SurpriseStream": stream}, [f"SurpriseStream: one series; needs no training{daily}"]

    detectors: dict[str, Any] = {}
    why = []
    missing = float(np.isnan(frame.values).mean())
    if missing:
        detectors["IsolationForest"] = IsolationForest(
            missing="route", contamination=_CONTAMINATION, random_state=0
        )
        why.append(f"IsolationForest: takes missing values as they are ({missing:.1%} are missing)")
    elif n < _MIN_FOR_ENSEMBLE:
        detectors["IsolationForest"] = IsolationForest(contamination=_CONTAMINATION, random_state=0)
        why.append(f"IsolationForest: learns from few rows ({n})")
    else:
        detectors["DetectorEnsemble"] = DetectorEnsemble(random_state=0)
        why.append("DetectorEnsemble: an autoencoder, an isolation forest and z-scores that vote")
    if _is_even_series(frame) and _MIN_FOR_FORECAST <= n <= _MAX_FOR_FORECAST:
        detectors["LSTMForecaster"] = LSTMForecaster(contamination=_CONTAMINATION, random_state=0)
        why.append("LSTMForecaster: the rows are evenly spaced, so their order says something")
    rows = _named(frame)
    for detector in detectors.values():
        detector.fit(rows)
    return detectors, why


def _named(frame: Frame) -> Any:
    import pandas as pd

    return pd.DataFrame(frame.values, columns=frame.names)


def _steps_ns(frame: Frame) -> Any:
    """Return the steps between times in nanoseconds; None without times."""
    if not hasattr(frame.index, "tz") or len(frame.index) < 2:
        return None
    return np.diff(frame.index.as_unit("ns").asi8)


def _is_even_series(frame: Frame) -> bool:
    steps = _steps_ns(frame)
    if steps is None:
        return False
    usual = np.median(steps)
    return bool(usual > 0 and (steps > 0).all() and np.mean(steps == usual) >= 0.95)


def _samples_per_day(frame: Frame) -> int:
    """Return the season of an even series that covers several days; otherwise 0."""
    if not _is_even_series(frame):
        return 0
    step = float(np.median(_steps_ns(frame)))
    samples = round(86_400e9 / step)
    is_whole = samples >= 2 and abs(samples * step - 86_400e9) < 1e-6 * 86_400e9
    return samples if is_whole and len(frame.index) >= _MIN_SEASONS * samples else 0
