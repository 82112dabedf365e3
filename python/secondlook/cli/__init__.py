"""The command ``secondlook``: the jobs of `secondlook.jobs` for a terminal and for scripts."""

from secondlook.cli.app import app, main

__all__ = ["app", "main"]
