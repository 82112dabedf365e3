"""Time series of many sensors: read them, resample them to one grid, fill short gaps."""

from secondlook.series.battery import (
    BATTERY_FEATURES,
    BatteryFeatures,
    battery_features,
)
from secondlook.series.csv import CsvProblem, read_csv
from secondlook.series.time_table import TimeTable, align

__all__ = [
    "BATTERY_FEATURES",
    "BatteryFeatures",
    "CsvProblem",
    "TimeTable",
    "align",
    "battery_features",
    "read_csv",
]
