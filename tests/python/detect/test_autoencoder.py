import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import secondlook as sl


@parametrize_with_checks([sl.Autoencoder(hidden=(8, 2), max_epochs=5, random_state=0)])
def test_follows_the_conventions_of_scikit_learn(estimator, check):
    check(estimator)


def on_a_plane(rows=1500, seed=0):
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, rows))
    X = np.c_[a, b, a + b, a - b, 50 + 3 * a]
    return X + 0.05 * random.normal(size=X.shape)


@pytest.fixture(scope="module")
def model():
    return sl.Autoencoder(
        hidden=(16, 4), dropout=0.0, learning_rate=5e-3, max_epochs=40, random_state=0
    ).fit(on_a_plane())


def test_finds_rows_that_break_the_relation_between_features(model):
    X = on_a_plane(400, seed=1)
    X[:40, 2] = np.random.default_rng(2).permutation(X[:40, 2]) + 2
    y = np.arange(400) < 40
    assert roc_auc_score(y, model.anomaly_score(X)) > 0.9
    forest = sl.IsolationForest(random_state=0).fit(on_a_plane())
    assert roc_auc_score(y, model.anomaly_score(X)) > roc_auc_score(y, forest.anomaly_score(X))


def test_contributions_sum_to_the_error_and_point_at_the_feature(model):
    X = on_a_plane(50, seed=3)
    X[0, 4] += 30
    parts = model.feature_contributions(X)
    np.testing.assert_allclose(parts.sum(axis=1), -model.score_samples(X), rtol=1e-5)
    assert parts[0].argmax() == 4


def test_score_is_the_reconstruction_error(model):
    X = on_a_plane(100, seed=4)
    training = on_a_plane()
    error = (model.reconstruct(X) - X) / training.std(axis=0)
    np.testing.assert_allclose(model.score_samples(X), -(error**2).mean(axis=1), rtol=1e-3)


def test_feature_weights_of_0_exclude_features_from_the_score():
    X = on_a_plane()
    model = sl.Autoencoder(
        hidden=(8,), dropout=0.0, max_epochs=3, feature_weights=[1, 1, 1, 1, 0], random_state=0
    ).fit(X)
    parts = model.feature_contributions(X)
    assert (parts[:, 4] == 0).all()
    assert (parts[:, 0] > 0).any()


@given(
    rows=st.integers(1, 200),
    order=st.sampled_from("CF"),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_a_row_scores_the_same_alone_and_among_others(model, rows, order, dtype):
    X = np.array(on_a_plane(rows, seed=rows), dtype=dtype, order=order)
    together = model.score_samples(X)
    alone = [model.score_samples(X[i : i + 1])[0] for i in range(0, rows, 7)]
    np.testing.assert_array_equal(alone, together[::7])


def test_copies_clones_and_files_are_the_same_model(model, tmp_path):
    X = on_a_plane(50, seed=5)
    scores = model.score_samples(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).score_samples(X), scores)
    model.save(tmp_path / "site.safetensors")
    loaded = sl.load(tmp_path / "site.safetensors")
    np.testing.assert_array_equal(loaded.score_samples(X), scores)
    assert loaded.get_params() == model.get_params()
    np.testing.assert_array_equal(clone(model).fit(on_a_plane()).score_samples(X), scores)


def test_tensors_match_linear_layers_of_torch(model, tmp_path):
    from safetensors.numpy import load_file

    model.save(tmp_path / "site.safetensors")
    tensors = load_file(tmp_path / "site.safetensors")
    assert tensors["layers.0.weight"].shape == (16, 5)
    assert tensors["layers.3.weight"].shape == (5, 16)
    x = (on_a_plane(20, seed=6) - tensors["scaler.mean"]) / tensors["scaler.scale"]
    y = x
    for layer in range(3):
        y = y @ tensors[f"layers.{layer}.weight"].T
        y = (y - tensors[f"layers.{layer}.mean"]) / np.sqrt(
            tensors[f"layers.{layer}.variance"] + 1e-5
        )
        y = y * tensors[f"layers.{layer}.gain"] + tensors[f"layers.{layer}.shift"]
        y = np.where(y > 0, y, 0.01 * y)
    y = y @ tensors["layers.3.weight"].T + tensors["layers.3.bias"]
    np.testing.assert_allclose(
        model.score_samples(on_a_plane(20, seed=6)), -((y - x) ** 2).mean(axis=1), rtol=1e-4
    )


def test_the_requested_fraction_of_scores_is_below_the_offset(model):
    assert (model.predict(on_a_plane()) == -1).mean() == pytest.approx(0.01, abs=0.001)


def test_continued_training_makes_the_offset_stale(model):
    grown = pickle.loads(pickle.dumps(model)).partial_fit(on_a_plane(200, seed=7))
    with pytest.warns(sl.StaleDecisionWarning):
        grown.predict(on_a_plane(5))
    grown.fit_offset(on_a_plane(500, seed=8)).predict(on_a_plane(5))


def test_training_stops_early_without_improvement(model):
    history = model.history_
    best = history["validation_loss"].argmin()
    assert history["validation_loss"][best] < 0.5 * history["validation_loss"][0]
    assert len(history["loss"]) in (best + 1 + model.patience, model.max_epochs)
    assert history["learning_rate"][-1] < history["learning_rate"][0]


def test_feature_names_are_kept(tmp_path):
    table = pd.DataFrame(on_a_plane(), columns=list("abcde"))
    model = sl.Autoencoder(hidden=(4,), max_epochs=2, random_state=0).fit(table)
    model.save(tmp_path / "site.safetensors")
    loaded = sl.load(tmp_path / "site.safetensors")
    assert list(loaded.feature_names_in_) == list("abcde")
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(table.rename(columns={"a": "z"}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": ()}, "hidden layer"),
        ({"hidden": (0,)}, "hidden units"),
        ({"dropout": 1.0}, "dropout"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"batch_size": 1}, "batch_size"),
        ({"validation_fraction": 0.9}, "validation_fraction"),
        ({"contamination": 0}, "contamination"),
        ({"feature_weights": [1, 2]}, "expected 2 features"),
        ({"n_jobs": 0}, "n_jobs"),
        ({"learning_rate": 1e30}, "diverged"),
    ],
)
def test_rejects_bad_parameters(change, message):
    with pytest.raises(ValueError, match=message):
        sl.Autoencoder(**change).fit(on_a_plane(100))


def test_an_unfitted_autoencoder_raises():
    with pytest.raises(NotFittedError, match="call fit first"):
        sl.Autoencoder().score_samples([[1.0]])
    assert not hasattr(sl.Autoencoder(), "offset_")
