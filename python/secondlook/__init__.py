"""Find what is abnormal, say how sure that is, and refer the rest to a person."""

from importlib import import_module
from typing import TYPE_CHECKING

from secondlook._shared.first_use import names_on_first_use

if TYPE_CHECKING:
    from secondlook import decide as decide
    from secondlook import detect as detect
    from secondlook import image as image
    from secondlook import integrations as integrations
    from secondlook import jobs as jobs
    from secondlook import learn as learn
    from secondlook import plot as plot
    from secondlook import series as series
    from secondlook import store as store
    from secondlook.decide.anomaly_likelihood import AnomalyLikelihood as AnomalyLikelihood
    from secondlook.decide.band_per_group import BandPerGroup as BandPerGroup
    from secondlook.decide.band_per_group import BandPerGroupReport as BandPerGroupReport
    from secondlook.decide.binary_metrics import BinaryMetrics as BinaryMetrics
    from secondlook.decide.binary_metrics import binary_metrics as binary_metrics
    from secondlook.decide.binomial_interval import Estimate as Estimate
    from secondlook.decide.binomial_interval import binomial_interval as binomial_interval
    from secondlook.decide.calibration import Calibration as Calibration
    from secondlook.decide.calibration import fit_temperature as fit_temperature
    from secondlook.decide.conformal_p_values import ConformalPValues as ConformalPValues
    from secondlook.decide.conformal_sets import ConformalSets as ConformalSets
    from secondlook.decide.conformal_sets import ConformalSetsReport as ConformalSetsReport
    from secondlook.decide.conformal_sets import CoverageReport as CoverageReport
    from secondlook.decide.confusion_matrix import ConfusionMatrix as ConfusionMatrix
    from secondlook.decide.confusion_matrix import confusion_matrix as confusion_matrix
    from secondlook.decide.decision_rule import DecisionRule as DecisionRule
    from secondlook.decide.event_metrics import EventMetrics as EventMetrics
    from secondlook.decide.event_metrics import event_metrics as event_metrics
    from secondlook.decide.false_discovery import benjamini_hochberg as benjamini_hochberg
    from secondlook.decide.false_discovery import storey_null_fraction as storey_null_fraction
    from secondlook.decide.feature_distance import FeatureDistance as FeatureDistance
    from secondlook.decide.peaks_over_threshold import PeaksOverThreshold as PeaksOverThreshold
    from secondlook.decide.quantile_threshold import quantile_threshold as quantile_threshold
    from secondlook.decide.ranking_curves import PrecisionRecallCurve as PrecisionRecallCurve
    from secondlook.decide.ranking_curves import RocCurve as RocCurve
    from secondlook.decide.ranking_curves import precision_recall_curve as precision_recall_curve
    from secondlook.decide.ranking_curves import roc_curve as roc_curve
    from secondlook.decide.running_quantile import RunningQuantile as RunningQuantile
    from secondlook.decide.seasonal_threshold import SeasonalThreshold as SeasonalThreshold
    from secondlook.decide.seasonal_threshold import hours_of_day as hours_of_day
    from secondlook.decide.suspicious_band import BandPrice as BandPrice
    from secondlook.decide.suspicious_band import BandReport as BandReport
    from secondlook.decide.suspicious_band import PriceList as PriceList
    from secondlook.decide.suspicious_band import SuspiciousBand as SuspiciousBand
    from secondlook.decide.tail_surprise import TailSurprise as TailSurprise
    from secondlook.decide.tune_threshold import ThresholdTuning as ThresholdTuning
    from secondlook.decide.tune_threshold import tune_threshold as tune_threshold
    from secondlook.decide.tuned_threshold_classifier import (
        TunedThresholdClassifier as TunedThresholdClassifier,
    )
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
    from secondlook.errors import PretrainedWeightsWarning as PretrainedWeightsWarning
    from secondlook.errors import ReadingWarning as ReadingWarning
    from secondlook.errors import StaleDecisionWarning as StaleDecisionWarning
    from secondlook.errors import TooFewCasesWarning as TooFewCasesWarning
    from secondlook.image.augmentation import Augmentation as Augmentation
    from secondlook.image.image_classifier import ImageClassifier as ImageClassifier
    from secondlook.learn.drift import Adwin as Adwin
    from secondlook.learn.drift import PageHinkley as PageHinkley
    from secondlook.learn.drift import kolmogorov_smirnov as kolmogorov_smirnov
    from secondlook.learn.incremental_learner import IncrementalLearner as IncrementalLearner
    from secondlook.learn.incremental_learner import UpdateReport as UpdateReport
    from secondlook.learn.incremental_learner import Version as Version
    from secondlook.reports import Report as Report
    from secondlook.reports import report as report
    from secondlook.series import BATTERY_FEATURES as BATTERY_FEATURES
    from secondlook.series import BatteryFeatures as BatteryFeatures
    from secondlook.series import TimeTable as TimeTable
    from secondlook.series import align as align
    from secondlook.series import battery_features as battery_features
    from secondlook.series import read_csv as read_csv
    from secondlook.store import load as load

__version__ = "0.1.0"

# The module of each public name, which is imported on first use (PEP 562).
_HOME = {
    "Adwin": "learn.drift",
    "AnomalyLikelihood": "decide.anomaly_likelihood",
    "Augmentation": "image",
    "Autoencoder": "detect.autoencoder",
    "BATTERY_FEATURES": "series",
    "BandPerGroup": "decide.band_per_group",
    "BandPerGroupReport": "decide.band_per_group",
    "BandPrice": "decide.suspicious_band",
    "BandReport": "decide.suspicious_band",
    "BatteryFeatures": "series",
    "BinaryMetrics": "decide.binary_metrics",
    "Calibration": "decide.calibration",
    "ConformalPValues": "decide.conformal_p_values",
    "ConformalSets": "decide.conformal_sets",
    "ConformalSetsReport": "decide.conformal_sets",
    "ConfusionMatrix": "decide.confusion_matrix",
    "CoverageReport": "decide.conformal_sets",
    "DecisionRule": "decide.decision_rule",
    "DetectorEnsemble": "detect.detector_ensemble",
    "DetectorStream": "detect.stream",
    "DriftWarning": "errors",
    "EnsembleRecord": "detect.ensemble_stream",
    "EnsembleStream": "detect.ensemble_stream",
    "Estimate": "decide.binomial_interval",
    "EventMetrics": "decide.event_metrics",
    "FeatureDistance": "decide.feature_distance",
    "ImageClassifier": "image",
    "IncrementalLearner": "learn.incremental_learner",
    "IsolationForest": "detect.isolation_forest",
    "LSTMForecaster": "detect.lstm_forecaster",
    "ModelFileError": "errors",
    "ReadingWarning": "errors",
    "PageHinkley": "learn.drift",
    "PeaksOverThreshold": "decide.peaks_over_threshold",
    "PeerDeviation": "detect.peer_deviation",
    "PeerDeviationStream": "detect.peer_deviation",
    "PeerRecord": "detect.peer_deviation",
    "PeerVerdicts": "detect.peer_deviation",
    "PriceList": "decide.suspicious_band",
    "PrecisionRecallCurve": "decide.ranking_curves",
    "PretrainedWeightsWarning": "errors",
    "Report": "reports",
    "RocCurve": "decide.ranking_curves",
    "RunningQuantile": "decide.running_quantile",
    "SeasonalThreshold": "decide.seasonal_threshold",
    "StaleDecisionWarning": "errors",
    "StreamRecord": "detect.stream",
    "SurpriseRecord": "detect.surprise_stream",
    "SurpriseRecords": "detect.surprise_stream",
    "SurpriseStream": "detect.surprise_stream",
    "SuspiciousBand": "decide.suspicious_band",
    "TailSurprise": "decide.tail_surprise",
    "ThresholdTuning": "decide.tune_threshold",
    "TimeTable": "series",
    "TooFewCasesWarning": "errors",
    "TunedThresholdClassifier": "decide.tuned_threshold_classifier",
    "UpdateReport": "learn.incremental_learner",
    "Version": "learn.incremental_learner",
    "align": "series",
    "battery_features": "series",
    "benjamini_hochberg": "decide.false_discovery",
    "binary_metrics": "decide.binary_metrics",
    "binomial_interval": "decide.binomial_interval",
    "confusion_matrix": "decide.confusion_matrix",
    "event_metrics": "decide.event_metrics",
    "fit_temperature": "decide.calibration",
    "hours_of_day": "decide.seasonal_threshold",
    "kolmogorov_smirnov": "learn.drift",
    "load": "store",
    "plant_state": "detect.peer_deviation",
    "precision_recall_curve": "decide.ranking_curves",
    "quantile_threshold": "decide.quantile_threshold",
    "read_csv": "series",
    "report": "reports",
    "roc_curve": "decide.ranking_curves",
    "storey_null_fraction": "decide.false_discovery",
    "tune_threshold": "decide.tune_threshold",
}

# Without the names that need torch, so that `from secondlook import *` works without it.
__all__ = ["__version__", *sorted(name for name, home in _HOME.items() if home != "image")]


_SUBPACKAGES = (
    "decide",
    "detect",
    "image",
    "integrations",
    "jobs",
    "learn",
    "plot",
    "series",
    "store",
)


_name_on_first_use = names_on_first_use(__name__, _HOME)


def __getattr__(name: str) -> object:
    if name in _SUBPACKAGES:
        return import_module(f"secondlook.{name}")
    return _name_on_first_use(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_SUBPACKAGES})
