"""Parameters of the image classifier: from its attributes to those of the core, and back."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.arguments import as_numbers
from secondlook._shared.random_state import seed_of
from secondlook._shared.threads import requested_threads
from secondlook.image.augmentation import Augmentation
from secondlook.image.options import one_or_three, rows_and_columns
from secondlook.image.pretrained import Network

_WHO = "ImageClassifier"

# Parameters with the same name and meaning in the core, which checks them.
_UNCHANGED = (
    *("contrast", "clipped_fraction", "padding", "optimizer", "schedule"),
    *("learning_rate", "weight_decay", "label_smoothing", "mixup", "weight_averaging"),
    *("batch_size", "max_epochs", "patience", "validation_fraction", "precision"),
    *("inference_precision", "device", "replay_size"),
)
_BLOCKS = {"all": -1, "head": 0}
_TEST_TIME_VARIATIONS = ("flip", "vertical_flip", "shift")


def to_core(model: Any, network: Network, classes: NDArray[Any]) -> dict[str, Any]:
    """Return the parameters of the core for an `ImageClassifier`, its network and its classes.

    Raises
    ------
    ValueError
        If a parameter is invalid; the core checks the ranges of numbers.
    """
    rows, columns = rows_and_columns(_WHO, "image_size", model.image_size)
    return {
        **{name: getattr(model, name) for name in _UNCHANGED},
        "architecture": network.architecture,
        "weights": network.weights,
        "height": rows,
        "width": columns,
        "channels": model.channels or 0,
        "value_range": as_numbers(_WHO, "value_range", model.value_range, 2),
        "mean": _scale("mean", model.mean),
        "standard_deviation": _scale("standard_deviation", model.standard_deviation),
        "augmentation": _augmentation(model.augmentation),
        "trained_blocks": _trained_blocks(model.trainable),
        **_class_weights(model.class_weight, classes.tolist()),
        "positive_class": _positive_class(model.pos_label, classes),
        "seed": seed_of(model.random_state),
        "n_jobs": requested_threads(_WHO, model.n_jobs),
    }


def from_core(parameters: Mapping[str, Any], classes: list[Any]) -> dict[str, Any]:
    """Return the keyword arguments of `ImageClassifier` for parameters of the core."""
    p = parameters
    rows, columns = p["height"], p["width"]
    augmentation = Augmentation(**p["augmentation"])
    blocks, positive = p["trained_blocks"], p["positive_class"]
    class_weight: Any = "balanced" if p["class_weighting"] == "balanced" else None
    if p["class_weights"]:
        class_weight = dict(zip(classes, p["class_weights"], strict=True))
    return {
        **{name: p[name] for name in _UNCHANGED},
        "architecture": p["architecture"],
        "weights": p["weights"] or None,
        "image_size": rows if rows == columns else (rows, columns),
        "channels": p["channels"] or None,
        "value_range": tuple(p["value_range"]),
        "mean": _number_or_three(p["mean"]),
        "standard_deviation": _number_or_three(p["standard_deviation"]),
        "augmentation": None if augmentation == Augmentation() else augmentation,
        "trainable": {n: name for name, n in _BLOCKS.items()}.get(blocks, blocks),
        "class_weight": class_weight,
        "pos_label": None if positive < 0 else classes[positive],
        "n_jobs": p["n_jobs"] or None,
        "random_state": p["seed"],
    }


def variations_of(who: str, names: Iterable[str] | None) -> dict[str, bool]:
    """Return `TestTimeAugmentation` of the core for names of variations."""
    wanted = () if names is None else (names,) if isinstance(names, str) else names
    chosen = list(wanted) if isinstance(wanted, Iterable) else [wanted]
    if not all(name in _TEST_TIME_VARIATIONS for name in chosen):
        raise ValueError(
            f"{who}: test_time_augmentation: expected some of {_TEST_TIME_VARIATIONS}, "
            f"got {names!r}"
        )
    return dict.fromkeys(chosen, True)


def _scale(name: str, value: Any) -> list[float]:
    return [] if value is None else one_or_three(_WHO, name, value)


def _augmentation(value: Any) -> dict[str, float]:
    if not isinstance(value, Augmentation | None):
        raise ValueError(f"{_WHO}: augmentation: expected an Augmentation or None, got {value!r}")
    return {} if value is None else asdict(value)


def _trained_blocks(trainable: Any) -> Any:
    blocks = _BLOCKS.get(str(trainable), trainable)
    if isinstance(blocks, bool) or not isinstance(blocks, int | np.integer):
        raise ValueError(
            f"{_WHO}: trainable: expected 'all', 'head' or a number of blocks, got {blocks!r}"
        )
    return blocks


def _class_weights(class_weight: Any, classes: list[Any]) -> dict[str, Any]:
    if class_weight is None:
        return {"class_weighting": "none", "class_weights": []}
    if isinstance(class_weight, str) and class_weight == "balanced":
        return {"class_weighting": "balanced", "class_weights": []}
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            f"{_WHO}: class_weight: expected 'balanced', a dict or None, got {class_weight!r}"
        )
    for label, weight in class_weight.items():
        if label not in classes:
            raise ValueError(f"{_WHO}: class_weight: expected classes of {classes}, got {label!r}")
        if not isinstance(weight, int | float | np.number) or not 0 < weight < np.inf:
            raise ValueError(
                f"{_WHO}: class_weight: expected a number above 0 for {label!r}, got {weight!r}"
            )
    weights = [class_weight.get(label, 1) for label in classes]
    return {"class_weighting": "none", "class_weights": weights}


def _positive_class(pos_label: Any, classes: NDArray[Any]) -> int:
    if pos_label is None:
        return -1
    found = np.flatnonzero(classes == pos_label)
    if len(found) != 1:
        raise ValueError(
            f"{_WHO}: pos_label: expected one of {classes.tolist()} or None, got {pos_label!r}"
        )
    return int(found[0])


def _number_or_three(values: list[float]) -> Any:
    return None if not values else values[0] if len(values) == 1 else tuple(values)
