"""PyOD takes our detectors through the adapter."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import secondlook as sl

pytest.importorskip("pyod", reason="the adapter needs pyod")
from pyod.models.base import BaseDetector
from pyod.models.iforest import IForest
from pyod.models.lscp import LSCP
from pyod.models.ts_od import TimeSeriesOD
from pyod.utils.data import evaluate_print, generate_data
from pyod.utils.utility import check_detector, precision_n_scores, standardizer

from secondlook.integrations import PyODAdapter


@pytest.fixture(scope="module")
def data():
    """Training and test rows with labels, by PyOD."""
    return generate_data(n_train=500, n_test=200, n_features=4, contamination=0.1, random_state=0)


@pytest.fixture(params=["IsolationForest", "Autoencoder"])
def model(request, data):
    detector = {
        "IsolationForest": sl.IsolationForest(random_state=0),
        "Autoencoder": sl.Autoencoder(hidden=(8, 2), max_epochs=10, random_state=0),
    }[request.param]
    return PyODAdapter(detector, contamination=0.1).fit(data[0])


def test_attributes_and_predictions_have_pyods_meaning(model, data):
    X, X_test, _, y_test = data
    assert isinstance(model, BaseDetector)
    check_detector(model)
    np.testing.assert_array_equal(model.decision_scores_, model.decision_function(X))
    np.testing.assert_array_equal(model.decision_scores_, -model.detector_.score_samples(X))
    assert model.labels_.sum() == 50  # a tenth of 500 rows, without ties
    assert model.threshold_ == np.quantile(model.decision_scores_, 0.9)
    expected = (model.decision_function(X_test) > model.threshold_).astype(int)
    np.testing.assert_array_equal(model.predict(X_test), expected)
    scores = model.decision_function(X_test)
    assert scores[y_test == 1].mean() > scores[y_test == 0].mean()


@pytest.mark.parametrize("method", ["linear", "unify"])
def test_probabilities_are_those_that_pyod_computes(model, data, method):
    p = model.predict_proba(data[1], method=method)
    assert p.shape == (200, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    rank = np.argsort(model.decision_function(data[1]))
    assert (np.diff(p[rank, 1]) >= 0).all()
    labels, confidence = model.predict(data[1], return_confidence=True)
    assert set(labels) == {0, 1}
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_pyods_evaluation_takes_the_scores(model, data, capsys):
    _, X_test, _, y_test = data
    evaluate_print("ours", y_test, model.decision_function(X_test))
    assert "ROC" in capsys.readouterr().out
    assert precision_n_scores(y_test, model.decision_function(X_test)) > 0.8


def test_pyods_ensembles_and_combinations_take_our_detectors(data):
    X, X_test, _, y_test = data
    ours = PyODAdapter(sl.IsolationForest(n_estimators=20, random_state=0))
    networks = [
        PyODAdapter(sl.Autoencoder(hidden=(8, 2), max_epochs=5, random_state=seed))
        for seed in range(2)
    ]
    combined = LSCP([ours, *networks, IForest(random_state=0)], random_state=0).fit(X)
    assert precision_n_scores(y_test, combined.decision_function(X_test)) > 0.8
    # Beside one of PyOD's own, scores standardised by PyOD and averaged.
    models = [ours.fit(X), IForest(n_estimators=20, random_state=0).fit(X)]
    train = np.column_stack([model.decision_scores_ for model in models])
    test = np.column_stack([model.decision_function(X_test) for model in models])
    _, scaled = standardizer(train, test)
    assert precision_n_scores(y_test, scaled.mean(axis=1)) > 0.8


def test_pyods_wrapper_of_series_takes_our_detectors():
    series = np.sin(np.arange(400) / 5)
    series[300:310] += 2
    ours = PyODAdapter(sl.IsolationForest(random_state=0))
    model = TimeSeriesOD(ours, window_size=10, contamination=0.05).fit(series)
    assert 295 <= np.argmax(model.decision_scores_) < 315


def test_it_is_an_estimator_of_scikit_learn(data):
    model = PyODAdapter(sl.IsolationForest(random_state=0), contamination=0.2)
    copy = clone(model).set_params(detector__n_estimators=10)
    assert copy.detector.n_estimators == 10
    assert model.detector.n_estimators == 100
    pipeline = make_pipeline(StandardScaler(), copy).fit(data[0])
    assert pipeline.predict(data[1]).mean() == pytest.approx(0.2, abs=0.15)
    assert not hasattr(copy.detector, "offset_")  # a copy is trained


def test_tables_keep_their_names(data):
    frame = pd.DataFrame(data[0], columns=list("abcd"))
    model = PyODAdapter(sl.IsolationForest(random_state=0)).fit(frame)
    assert model.detector_.feature_names_in_.tolist() == list("abcd")
    assert model.predict_proba(frame).shape == (500, 2)


def test_errors_name_what_was_expected(data):
    with pytest.raises(ValueError, match=r"contamination must be in \(0, 0.5\]"):
        PyODAdapter(sl.IsolationForest(), contamination=0.7)
    with pytest.raises(NotFittedError):
        PyODAdapter(sl.IsolationForest()).decision_function(data[0])
    forecaster = sl.LSTMForecaster(window=8, hidden=4, max_epochs=1, random_state=0)
    with pytest.raises(ValueError, match="LSTMForecaster has no score for 8 of 500"):
        PyODAdapter(forecaster).fit(data[0])


def test_constant_rows_are_all_normal():
    model = PyODAdapter(sl.IsolationForest(random_state=0)).fit(np.ones((100, 2)))
    assert not model.labels_.any()
