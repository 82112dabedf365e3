"""Decisions on scores: higher is more abnormal, and at or above the threshold is abnormal."""
