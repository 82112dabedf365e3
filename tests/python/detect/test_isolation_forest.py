import pickle
import signal
import threading
import time
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_blobs, make_moons
from sklearn.ensemble import IsolationForest as ReferenceForest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import secondlook as sl


@parametrize_with_checks([sl.IsolationForest(n_estimators=10), sl.IsolationForest(missing="route")])
def test_follows_the_conventions_of_scikit_learn(estimator, check):
    check(estimator)


def gaussian(rows=1000, cols=5, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, cols))


# --- the ranking agrees with that of scikit-learn


def one_class_against_the_rest(X, y, normal, seed=0):
    """Normal rows of some classes, with a few rows of the other classes as anomalies."""
    is_normal = np.isin(y, normal)
    random = np.random.default_rng(seed)
    n_anomalies = max(10, int(0.05 * is_normal.sum()))
    anomalies = random.choice(np.flatnonzero(~is_normal), n_anomalies, replace=False)
    rows = np.concatenate([np.flatnonzero(is_normal), anomalies])
    return X[rows], ~is_normal[rows]


def ranked_sets():
    cancer = load_breast_cancer()
    digits = load_digits()
    wine = load_wine()
    blobs, _ = make_blobs(2000, 8, centers=3, random_state=1)
    noise = np.random.default_rng(2).uniform(-12, 12, size=(100, 8))
    moons, _ = make_moons(1500, noise=0.08, random_state=3)
    around = np.random.default_rng(4).uniform((-2.5, -2), (3.5, 2.5), size=(75, 2))
    sparse = np.random.default_rng(6).poisson(0.3, size=(3000, 40)).astype(float)
    sparse[:60, ::4] += 3
    return {
        "breast cancer": one_class_against_the_rest(*cancer_pair(cancer), normal=[1]),
        "digits": one_class_against_the_rest(digits.data, digits.target, normal=[0, 1, 2]),
        "wine": one_class_against_the_rest(wine.data, wine.target, normal=[0, 1]),
        "blobs in noise": (np.vstack([blobs, noise]), np.arange(2100) >= 2000),
        "moons in noise": (np.vstack([moons, around]), np.arange(1575) >= 1500),
        "counts": (sparse, np.arange(3000) < 60),
    }


def cancer_pair(cancer):
    return cancer.data, cancer.target


def assert_ranks_alike(X, is_anomaly):
    # With this many trees, the mean of 10 seeds is known to a few thousandths for both libraries.
    n_trees = 400
    ours, theirs = [], []
    for seed in range(10):
        mine = sl.IsolationForest(n_trees, random_state=seed).fit(X)
        ours.append(roc_auc_score(is_anomaly, -mine.score_samples(X)))
        reference = ReferenceForest(
            n_estimators=n_trees, max_samples=min(256, len(X)), random_state=seed
        ).fit(X)
        theirs.append(roc_auc_score(is_anomaly, -reference.score_samples(X)))
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ranked_sets()))
def test_ranks_like_scikit_learn(name):
    assert_ranks_alike(*ranked_sets()[name])


@pytest.mark.slow
def test_ranks_like_scikit_learn_on_real_sensors(real_data):
    folder = real_data / "skab" / "data"
    files = sorted((folder / "valve2").glob("*.csv")) if folder.is_dir() else []
    if not files:
        pytest.skip(f"no SKAB files under {folder}")
    tables = [np.genfromtxt(f, delimiter=";", skip_header=1, usecols=range(1, 10)) for f in files]
    rows = np.vstack(tables)
    assert_ranks_alike(rows[:, :8], rows[:, 8] == 1)


# --- properties


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_layout_and_type_do_not_change_scores(rows, cols, seed):
    X = np.random.default_rng(seed).normal(size=(rows, cols)).astype(np.float32)
    forest = sl.IsolationForest(n_estimators=7, random_state=seed).fit(X)
    scores = forest.score_samples(X)
    padded = np.zeros((rows, cols + 3), np.float32)
    padded[:, 1 : cols + 1] = X
    for other in (X.astype(float), np.asfortranarray(X), padded[:, 1 : cols + 1], X.tolist()):
        np.testing.assert_array_equal(forest.score_samples(other), scores)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_contributions_sum_to_the_expected_depth_minus_the_depth_of_the_sample(dtype):
    X = gaussian(300, 6).astype(dtype)
    forest = sl.IsolationForest(n_estimators=20, random_state=0).fit(X)
    contributions = forest.feature_contributions(X[:50])
    normaliser = 2 * (np.log(255) + np.euler_gamma) - 2 * 255 / 256
    depths = -np.log2(-forest.score_samples(X[:50])) * normaliser
    np.testing.assert_allclose(
        contributions.sum(axis=1), forest.expected_path_length_ - depths, atol=1e-6
    )


def test_contributions_point_at_the_deviating_feature():
    X = gaussian()
    X[0, 3] = 12
    contributions = sl.IsolationForest(random_state=0).fit(X).feature_contributions(X[:1])
    assert contributions[0].argmax() == 3


def test_scores_do_not_depend_on_the_number_of_threads():
    X = gaussian(5000)
    one = sl.IsolationForest(n_jobs=1, random_state=3, contamination=0.1).fit(X)
    many = sl.IsolationForest(n_jobs=4, random_state=3, contamination=0.1).fit(X)
    np.testing.assert_array_equal(one.score_samples(X), many.score_samples(X))
    assert one.offset_ == many.offset_


def test_scoring_is_safe_from_many_threads():
    X = gaussian(20000)
    forest = sl.IsolationForest(random_state=0).fit(X)
    expected = forest.score_samples(X)
    failures = []

    def score():
        for _ in range(5):
            if not np.array_equal(forest.score_samples(X), expected):
                failures.append("scores differ")

    threads = [threading.Thread(target=score) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_merged_forests_rank_like_one_trained_on_all_rows():
    X = gaussian(4000, 4)
    X[:40] *= 4
    is_anomaly = np.arange(4000) < 40
    parts = [sl.IsolationForest(50, random_state=i).fit(X[i::2]) for i in range(2)]
    merged = parts[0].merge(parts[1])
    whole = sl.IsolationForest(100, random_state=9).fit(X)
    assert roc_auc_score(is_anomaly, merged.anomaly_score(X)) == pytest.approx(
        roc_auc_score(is_anomaly, whole.anomaly_score(X)), abs=0.02
    )


def test_partial_fit_follows_a_shift():
    old, new = gaussian(3000), gaussian(3000, seed=1) + 15
    forest = sl.IsolationForest(random_state=0).fit(old)
    before = forest.score_samples(new).mean()
    forest.partial_fit(new)
    assert forest.score_samples(new).mean() > before + 0.1


def test_a_stale_offset_warns():
    X = gaussian()
    forest = sl.IsolationForest(contamination=0.1, random_state=0).fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forest.predict(X)
    forest.partial_fit(X)
    with pytest.warns(sl.StaleDecisionWarning, match="call fit_offset"):
        forest.predict(X)
    forest.fit_offset(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (forest.predict(X) == -1).mean() == pytest.approx(0.1, abs=0.002)


def test_missing_values_are_routed_on_request():
    X = gaussian()
    X[::7, 2] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        sl.IsolationForest().fit(X)
    scores = sl.IsolationForest(missing="route", random_state=0).fit(X).score_samples(X)
    assert np.isfinite(scores).all()


def test_pandas_columns_are_remembered():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(gaussian(300, 2), columns=["current", "voltage"])
    forest = sl.IsolationForest(random_state=0).fit(table)
    assert list(forest.feature_names_in_) == ["current", "voltage"]
    np.testing.assert_array_equal(
        forest.score_samples(table),
        sl.IsolationForest(random_state=0).fit(table.to_numpy()).score_samples(table.to_numpy()),
    )
    with pytest.raises(ValueError, match="feature names"):
        forest.score_samples(table[["voltage", "current"]])


def test_clones_and_pickles():
    X = gaussian()
    forest = sl.IsolationForest(contamination=0.2, random_state=1).fit(X)
    assert clone(forest).get_params() == forest.get_params()
    copy = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(copy.decision_function(X), forest.decision_function(X))


def test_a_pickle_keeps_the_rows_that_partial_fit_has_collected():
    X = gaussian(300)
    forest = sl.IsolationForest(random_state=1).partial_fit(X[:100])
    copy = pickle.loads(pickle.dumps(forest)).partial_fit(X[100:])
    np.testing.assert_array_equal(
        copy.score_samples(X), forest.partial_fit(X[100:]).score_samples(X)
    )


def test_a_saved_forest_loads_completely(tmp_path):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(gaussian(700, 3), columns=["a", "b", "c"])
    table.iloc[::9, 1] = np.nan
    forest = sl.IsolationForest(contamination=0.1, missing="route", random_state=2).fit(table)
    forest.partial_fit(table[:100])
    forest.save(tmp_path / "forest.safetensors")
    loaded = sl.load(tmp_path / "forest.safetensors")
    assert list(loaded.feature_names_in_) == ["a", "b", "c"]
    assert loaded.missing == "route"
    np.testing.assert_array_equal(loaded.score_samples(table), forest.score_samples(table))
    # Training continues from the same state, with identical results.
    forest.partial_fit(table)
    loaded.partial_fit(table)
    np.testing.assert_array_equal(loaded.score_samples(table), forest.score_samples(table))
    with pytest.warns(sl.StaleDecisionWarning):
        loaded.predict(table)


@pytest.mark.parametrize("tensor", ["features", "thresholds", "path_lengths", "covers", "pending"])
def test_rejects_a_file_without_a_valid_forest(tmp_path, tensor):
    file = sl.IsolationForest(random_state=0).fit(gaussian())._to_model_file()
    without = type(file)(file.kind)
    for name, text in file.sections.items():
        without.set_section(name, text)
    for name, values in file.tensors.items():
        if name != tensor:
            without.add(name, values)
    without.write(tmp_path / "bad.safetensors")
    with pytest.raises(sl.ModelFileError, match=tensor):
        sl.load(tmp_path / "bad.safetensors")


def test_rejects_a_file_whose_trees_split_on_unknown_features(tmp_path):
    file = sl.IsolationForest(random_state=0).fit(gaussian())._to_model_file()
    hostile = type(file)(file.kind)
    for name, text in file.sections.items():
        hostile.set_section(name, text)
    for name, values in file.tensors.items():
        hostile.add(name, np.full_like(values, 2**20) if name == "features" else values)
    hostile.write(tmp_path / "bad.safetensors")
    with pytest.raises(sl.ModelFileError, match="got feature 1048576"):
        sl.load(tmp_path / "bad.safetensors")


# --- long work


@pytest.mark.usefixtures("ctrl_c_interrupts")
def test_ctrl_c_stops_fitting_within_a_second_and_keeps_the_model():
    X = gaussian(20_000, 1000)
    forest = sl.IsolationForest(random_state=0, n_jobs=2).fit(X[:1000])
    before = forest.score_samples(X[:10])
    forest.set_params(n_estimators=30_000)  # many seconds
    begin = []

    def interrupt():
        begin.append(time.process_time())
        signal.raise_signal(signal.SIGINT)

    threading.Timer(0.5, interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        forest.fit(X)
    # CPU time of two threads; unlike wall-clock time, it does not depend on other processes.
    assert time.process_time() - begin[0] < 2 * 1.0
    np.testing.assert_array_equal(forest.score_samples(X[:10]), before)


# --- bad input


def test_an_unfitted_forest_raises():
    for use in ("score_samples", "predict", "decision_function", "feature_contributions"):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            getattr(sl.IsolationForest(), use)(gaussian())
    forest = sl.IsolationForest().partial_fit(gaussian(100))
    with pytest.raises(NotFittedError, match="gathered 100 of 256 rows"):
        forest.predict(gaussian())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_estimators": 0}, "expected n_estimators as a number of at least 1, got 0"),
        ({"n_estimators": 2.5}, "expected n_estimators as a number"),
        ({"max_samples": 0}, "expected max_samples as a number"),
        ({"max_samples": 1.5}, r"or a fraction in \(0, 1\], got 1.5"),
        ({"max_features": -1}, "expected max_features"),
        ({"max_features": 9}, "expected at least max_features = 9 features, got 5"),
        ({"contamination": 0.7}, r"contamination must lie in \(0, 0.5\], got 0.7"),
        ({"contamination": "some"}, 'contamination must be "auto"'),
        ({"refresh_fraction": 0}, r"refresh_fraction must lie in \(0, 1\], got 0"),
        ({"missing": "ignore"}, 'missing must be "refuse" or "route"'),
        ({"n_jobs": 0}, "expected n_jobs as None or a non-zero integer, got 0"),
    ],
)
def test_rejects_parameters_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        sl.IsolationForest(**parameters).fit(gaussian())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_errors_name_values_that_are_not_finite(bad):
    X = gaussian()
    forest = sl.IsolationForest(random_state=0).fit(X)
    X[17, 3] = bad
    for use in (forest.fit, forest.partial_fit, forest.score_samples):
        with pytest.raises(ValueError, match="row 17, column 3"):
            use(X)


def test_rejects_wrong_shapes():
    forest = sl.IsolationForest().fit(gaussian())
    for bad in (gaussian()[0], gaussian()[:0], gaussian()[:, :3], gaussian()[None], [["a"] * 5]):
        with pytest.raises(ValueError):
            forest.score_samples(bad)
    with pytest.raises(ValueError, match="forest over 5 features, got 3"):
        forest.merge(sl.IsolationForest().fit(gaussian(cols=3)))
    with pytest.raises(TypeError, match="expected a secondlook IsolationForest, got"):
        forest.merge(ReferenceForest().fit(gaussian()))
