"""Stubs and wrappers agree with the fields that the core lists."""

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest

import secondlook as sl
from secondlook import _core

STUBS = Path(sl.__file__).parent / "_core"


def keywords_in_stub(component: str, name: str) -> set[str]:
    """Return the keyword-only arguments of a function or constructor."""
    for node in ast.parse((STUBS / f"{component}.pyi").read_text("utf-8")).body:
        if getattr(node, "name", None) != name:
            continue
        if isinstance(node, ast.ClassDef):
            node = next(f for f in node.body if getattr(f, "name", None) == "__init__")
        return {argument.arg for argument in node.args.kwonlyargs}
    raise AssertionError(f"{name} is not in {component}.pyi")


def parameters_in_core(core: object) -> set[str]:
    if hasattr(core, "parameters"):
        return set(core.parameters)
    return set(core.__getstate__()["parameters"])


def tail() -> object:
    scores = np.random.default_rng(0).exponential(size=5000)
    return _core.decide.PeaksOverThreshold(scores)


@pytest.mark.parametrize(
    ("component", "core"),
    [
        ("detect", _core.detect.IsolationForest()),
        ("detect", _core.detect.Autoencoder()),
        ("detect", _core.detect.LstmForecaster()),
        ("detect", _core.detect.DetectorEnsemble([("forest", _core.detect.IsolationForest())])),
        ("detect", _core.detect.SurpriseStream()),
        ("decide", _core.decide.AnomalyLikelihood()),
        ("decide", _core.decide.TailSurprise()),
        ("decide", tail()),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_stub_lists_the_parameters_of_the_core(component, core):
    assert keywords_in_stub(component, type(core).__name__) == parameters_in_core(core)


SCORES, LABELS = np.array([0.1, 0.9]), np.array([0, 1], np.uint8)


@pytest.mark.parametrize(
    ("component", "name", "call"),
    [
        ("detect", "PeerDeviation", _core.detect.PeerDeviation),
        (
            "decide",
            "tune_threshold",
            lambda **given: _core.decide.tune_threshold(SCORES, LABELS, **given),
        ),
        (
            "decide",
            "binary_metrics",
            lambda **given: _core.decide.binary_metrics(SCORES, LABELS, **given),
        ),
        (
            "decide",
            "seasonal_threshold",
            lambda **given: _core.decide.seasonal_threshold(
                SCORES, LABELS.astype(np.int64), **given
            ),
        ),
        (
            "learn",
            "IncrementalLearner",
            lambda **given: _core.learn.IncrementalLearner(
                sl.IsolationForest().fit(np.zeros((5, 1)))._to_model_file(),
                np.zeros((5, 1)),
                None,
                [],
                **given,
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_keyword_of_a_stub_is_a_parameter_of_the_core(component, name, call):
    for keyword in keywords_in_stub(component, name):
        with pytest.raises(ValueError, match=f"{keyword}: expected"):
            call(**{keyword: object()})
    with pytest.raises(ValueError, match="unknown parameter 'colour'"):
        call(colour=1)


def test_a_band_and_a_rule_keep_every_parameter(tmp_path):
    band = sl.SuspiciousBand(
        0.1, 0.2, 0.9, guarantee="selective", threshold_grid=[-1, 0, 1], random_state=3
    )
    again = sl.SuspiciousBand._from_core_parameters(band._core_parameters())
    assert again.get_params() == band.get_params()
    costly = sl.SuspiciousBand(costs=(5, 1, 0.2))
    assert sl.SuspiciousBand._from_core_parameters(costly._core_parameters()).costs == (5, 1, 0.2)


@pytest.mark.parametrize(
    "stream",
    [
        sl.RunningQuantile(0.9),
        sl.AnomalyLikelihood(),
        sl.TailSurprise(two_sided=True),
        sl.SurpriseStream(24),
        sl.Adwin(),
        sl.PageHinkley(),
    ],
    ids=lambda stream: type(stream).__name__,
)
def test_a_pickle_continues_from_the_same_state(stream):
    random = np.random.default_rng(0)
    for value in random.uniform(size=500):
        stream.push(value)
    again = pickle.loads(pickle.dumps(stream))
    for value in random.uniform(size=500):
        assert again.push(value) == stream.push(value)
