"""Reports: what is odd in a frame, why, and how it looks."""

from secondlook.reports.frame_report import Report, report

__all__ = ["Report", "report"]
