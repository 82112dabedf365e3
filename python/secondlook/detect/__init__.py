"""Detectors: what is abnormal, as scores."""
