"""Time series of many sensors: reading them, bringing them to one step, filling short gaps."""

from secondlook.series.csv import CsvProblem, read_csv
from secondlook.series.time_table import TimeTable, align

__all__ = ["CsvProblem", "TimeTable", "align", "read_csv"]
