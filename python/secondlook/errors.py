"""The exceptions that are secondlook's own; the others are Python's and scikit-learn's."""

__all__ = ["ModelFileError"]


class ModelFileError(ValueError):
    """A model file is cut off, damaged, hostile, or of another kind than expected."""
