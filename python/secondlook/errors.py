"""Exceptions and warnings defined by secondlook."""

__all__ = [
    "DriftWarning",
    "ModelFileError",
    "PretrainedWeightsWarning",
    "ReadingWarning",
    "StaleDecisionWarning",
    "TooFewCasesWarning",
]


class ModelFileError(ValueError):
    """A model file is truncated, damaged, malicious, or of another kind than expected."""


class PretrainedWeightsWarning(UserWarning):
    """A network is trained from random weights, because pretrained ones are not installed."""


class ReadingWarning(UserWarning):
    """A file was read, but most of its lines were lost or some contradict each other."""


class StaleDecisionWarning(UserWarning):
    """A decision uses a threshold that was computed before the model continued training."""


class DriftWarning(UserWarning):
    """Live scores differ from the scores that the thresholds were calibrated on."""


class TooFewCasesWarning(UserWarning):
    """There are too few labelled cases for the requested guarantee, so more cases are referred."""
