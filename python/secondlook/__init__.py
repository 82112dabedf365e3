"""Find what is abnormal, say how sure that is, and refer the rest to a person."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secondlook.detect.autoencoder import Autoencoder as Autoencoder
    from secondlook.detect.isolation_forest import IsolationForest as IsolationForest
    from secondlook.detect.peer_deviation import PeerDeviation as PeerDeviation
    from secondlook.detect.peer_deviation import PeerDeviationStream as PeerDeviationStream
    from secondlook.detect.peer_deviation import PeerRecord as PeerRecord
    from secondlook.detect.peer_deviation import PeerVerdicts as PeerVerdicts
    from secondlook.detect.peer_deviation import plant_state as plant_state
    from secondlook.errors import ModelFileError as ModelFileError
    from secondlook.errors import StaleDecisionWarning as StaleDecisionWarning
    from secondlook.series import TimeTable as TimeTable
    from secondlook.series import align as align
    from secondlook.series import read_csv as read_csv
    from secondlook.store import load as load

__version__ = "0.1.0"

# Where each public name lives: nothing heavy is imported before it is needed (PEP 562).
_HOME = {
    "Autoencoder": "detect.autoencoder",
    "IsolationForest": "detect.isolation_forest",
    "ModelFileError": "errors",
    "PeerDeviation": "detect.peer_deviation",
    "PeerDeviationStream": "detect.peer_deviation",
    "PeerRecord": "detect.peer_deviation",
    "PeerVerdicts": "detect.peer_deviation",
    "StaleDecisionWarning": "errors",
    "TimeTable": "series",
    "align": "series",
    "load": "store",
    "plant_state": "detect.peer_deviation",
    "read_csv": "series",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'secondlook' has no attribute {name!r}")
    value = getattr(import_module(f"secondlook.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
