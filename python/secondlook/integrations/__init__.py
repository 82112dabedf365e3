"""Adapters for Optuna, MLflow, Weights & Biases, PyOD and river.

Each needs the package that it adapts to, which is imported with the name on first use.
"""

from typing import TYPE_CHECKING

from secondlook._shared.first_use import names_on_first_use

if TYPE_CHECKING:
    from secondlook.integrations.mlflow import MLflowLogger as MLflowLogger
    from secondlook.integrations.optuna import OptunaPruning as OptunaPruning
    from secondlook.integrations.pyod import PyODAdapter as PyODAdapter
    from secondlook.integrations.river import RiverAdapter as RiverAdapter
    from secondlook.integrations.rounds import fit_in_rounds as fit_in_rounds
    from secondlook.integrations.wandb import WandbLogger as WandbLogger

# The module of each name (PEP 562).
_HOME = {
    "MLflowLogger": "mlflow",
    "OptunaPruning": "optuna",
    "PyODAdapter": "pyod",
    "RiverAdapter": "river",
    "WandbLogger": "wandb",
    "fit_in_rounds": "rounds",
}

# A name whose package is missing must not break `from secondlook.integrations import *`.
__all__ = ["fit_in_rounds"]


__getattr__ = names_on_first_use(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
