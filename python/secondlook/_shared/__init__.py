"""Helpers shared by all subpackages."""
