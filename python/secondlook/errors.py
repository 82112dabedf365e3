"""The exceptions and warnings that are secondlook's own."""

__all__ = [
    "DriftWarning",
    "ModelFileError",
    "ReadingWarning",
    "StaleDecisionWarning",
    "TooFewCasesWarning",
]


class ModelFileError(ValueError):
    """A model file is cut off, damaged, hostile, or of another kind than expected."""


class ReadingWarning(UserWarning):
    """A file was read, but most of its lines are lost or some contradict each other."""


class StaleDecisionWarning(UserWarning):
    """A decision rests on a threshold that was computed before the model learned on."""


class DriftWarning(UserWarning):
    """Live scores have left the range that the model was calibrated on."""


class TooFewCasesWarning(UserWarning):
    """Labelled cases are too few for the guarantee asked for, so more is referred."""
