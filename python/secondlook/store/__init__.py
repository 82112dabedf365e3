"""Model files: one safetensors file per model, without pickle and without code."""

from secondlook._core.store import ModelFile
from secondlook.store.load import load, register_model

__all__ = ["ModelFile", "load", "register_model"]
