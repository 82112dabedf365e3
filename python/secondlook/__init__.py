"""Find what is abnormal, say how sure that is, and refer the rest to a person."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secondlook.decide.anomaly_likelihood import AnomalyLikelihood as AnomalyLikelihood
    from secondlook.decide.conformal_p_values import ConformalPValues as ConformalPValues
    from secondlook.decide.event_metrics import EventMetrics as EventMetrics
    from secondlook.decide.event_metrics import event_metrics as event_metrics
    from secondlook.decide.false_discovery import benjamini_hochberg as benjamini_hochberg
    from secondlook.decide.false_discovery import storey_null_share as storey_null_share
    from secondlook.decide.peaks_over_threshold import PeaksOverThreshold as PeaksOverThreshold
    from secondlook.decide.quantile_threshold import quantile_threshold as quantile_threshold
    from secondlook.decide.running_quantile import RunningQuantile as RunningQuantile
    from secondlook.decide.seasonal_threshold import SeasonalThreshold as SeasonalThreshold
    from secondlook.decide.seasonal_threshold import hours_of_day as hours_of_day
    from secondlook.decide.tail_surprise import TailSurprise as TailSurprise
    from secondlook.detect.autoencoder import Autoencoder as Autoencoder
    from secondlook.detect.detector_ensemble import DetectorEnsemble as DetectorEnsemble
    from secondlook.detect.ensemble_stream import EnsembleRecord as EnsembleRecord
    from secondlook.detect.ensemble_stream import EnsembleStream as EnsembleStream
    from secondlook.detect.isolation_forest import IsolationForest as IsolationForest
    from secondlook.detect.lstm_forecaster import LSTMForecaster as LSTMForecaster
    from secondlook.detect.peer_deviation import PeerDeviation as PeerDeviation
    from secondlook.detect.peer_deviation import PeerDeviationStream as PeerDeviationStream
    from secondlook.detect.peer_deviation import PeerRecord as PeerRecord
    from secondlook.detect.peer_deviation import PeerVerdicts as PeerVerdicts
    from secondlook.detect.peer_deviation import plant_state as plant_state
    from secondlook.detect.stream import DetectorStream as DetectorStream
    from secondlook.detect.stream import StreamRecord as StreamRecord
    from secondlook.detect.surprise_stream import SurpriseRecord as SurpriseRecord
    from secondlook.detect.surprise_stream import SurpriseRecords as SurpriseRecords
    from secondlook.detect.surprise_stream import SurpriseStream as SurpriseStream
    from secondlook.errors import DriftWarning as DriftWarning
    from secondlook.errors import ModelFileError as ModelFileError
    from secondlook.errors import StaleDecisionWarning as StaleDecisionWarning
    from secondlook.image.augmentation import Augmentation as Augmentation
    from secondlook.image.image_classifier import ImageClassifier as ImageClassifier
    from secondlook.learn.drift import Adwin as Adwin
    from secondlook.learn.drift import PageHinkley as PageHinkley
    from secondlook.learn.drift import kolmogorov_smirnov as kolmogorov_smirnov
    from secondlook.learn.incremental_learner import IncrementalLearner as IncrementalLearner
    from secondlook.learn.incremental_learner import UpdateReport as UpdateReport
    from secondlook.learn.incremental_learner import Version as Version
    from secondlook.series import BATTERY_FEATURES as BATTERY_FEATURES
    from secondlook.series import BatteryFeatures as BatteryFeatures
    from secondlook.series import TimeTable as TimeTable
    from secondlook.series import align as align
    from secondlook.series import battery_features as battery_features
    from secondlook.series import read_csv as read_csv
    from secondlook.store import load as load

__version__ = "0.1.0"

# Where each public name lives: nothing heavy is imported before it is needed (PEP 562).
_HOME = {
    "Adwin": "learn.drift",
    "AnomalyLikelihood": "decide.anomaly_likelihood",
    "Augmentation": "image",
    "Autoencoder": "detect.autoencoder",
    "BATTERY_FEATURES": "series",
    "BatteryFeatures": "series",
    "ConformalPValues": "decide.conformal_p_values",
    "DetectorEnsemble": "detect.detector_ensemble",
    "DetectorStream": "detect.stream",
    "DriftWarning": "errors",
    "EnsembleRecord": "detect.ensemble_stream",
    "EnsembleStream": "detect.ensemble_stream",
    "EventMetrics": "decide.event_metrics",
    "ImageClassifier": "image",
    "IncrementalLearner": "learn.incremental_learner",
    "IsolationForest": "detect.isolation_forest",
    "LSTMForecaster": "detect.lstm_forecaster",
    "ModelFileError": "errors",
    "PageHinkley": "learn.drift",
    "PeaksOverThreshold": "decide.peaks_over_threshold",
    "PeerDeviation": "detect.peer_deviation",
    "PeerDeviationStream": "detect.peer_deviation",
    "PeerRecord": "detect.peer_deviation",
    "PeerVerdicts": "detect.peer_deviation",
    "RunningQuantile": "decide.running_quantile",
    "SeasonalThreshold": "decide.seasonal_threshold",
    "StaleDecisionWarning": "errors",
    "StreamRecord": "detect.stream",
    "SurpriseRecord": "detect.surprise_stream",
    "SurpriseRecords": "detect.surprise_stream",
    "SurpriseStream": "detect.surprise_stream",
    "TailSurprise": "decide.tail_surprise",
    "TimeTable": "series",
    "UpdateReport": "learn.incremental_learner",
    "Version": "learn.incremental_learner",
    "align": "series",
    "battery_features": "series",
    "benjamini_hochberg": "decide.false_discovery",
    "event_metrics": "decide.event_metrics",
    "hours_of_day": "decide.seasonal_threshold",
    "kolmogorov_smirnov": "learn.drift",
    "load": "store",
    "plant_state": "detect.peer_deviation",
    "quantile_threshold": "decide.quantile_threshold",
    "read_csv": "series",
    "storey_null_share": "decide.false_discovery",
}

# Without the names that need torch: `from secondlook import *` works where it is missing.
__all__ = ["__version__", *sorted(name for name, home in _HOME.items() if home != "image")]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'secondlook' has no attribute {name!r}")
    value = getattr(import_module(f"secondlook.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
