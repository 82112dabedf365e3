"""The exceptions and warnings that are secondlook's own."""

__all__ = ["ModelFileError", "StaleDecisionWarning"]


class ModelFileError(ValueError):
    """A model file is cut off, damaged, hostile, or of another kind than expected."""


class StaleDecisionWarning(UserWarning):
    """A decision rests on a cut-off that was computed before the model learned on."""
