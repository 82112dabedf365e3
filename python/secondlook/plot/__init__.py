"""Pictures of results. Each function draws into `ax`, or a new figure, and returns a `Display`."""

from secondlook.plot.band import band, prices
from secondlook.plot.confusion import confusion
from secondlook.plot.curves import precision_recall, reliability, roc
from secondlook.plot.display import Display
from secondlook.plot.drift import drift, versions
from secondlook.plot.peers import peers
from secondlook.plot.reliance import reliance
from secondlook.plot.scores import contributions, scores
from secondlook.plot.training import history

__all__ = [
    "Display",
    "band",
    "confusion",
    "contributions",
    "drift",
    "history",
    "peers",
    "precision_recall",
    "prices",
    "reliability",
    "reliance",
    "roc",
    "scores",
    "versions",
]
