import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import warnings
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_blobs, make_moons
from sklearn.ensemble import IsolationForest as ReferenceForest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import secondlook as sl

# Weights change which rows are drawn, so that two forests are alike on average only: see
# `test_weights_count_as_repetitions`.
ALIKE_ON_AVERAGE = {
    "check_sample_weight_equivalence_on_dense_data": "the rows of a tree are drawn at random",
    "check_sample_weight_equivalence_on_sparse_data": "the rows of a tree are drawn at random",
}


@parametrize_with_checks(
    [sl.IsolationForest(n_estimators=10), sl.IsolationForest(missing="route")],
    expected_failed_checks=lambda _: ALIKE_ON_AVERAGE,
)
def test_follows_the_conventions_of_scikit_learn(estimator, check):
    check(estimator)


# Those that look into scikit-learn's own module.
PRIVATE = [
    "test_max_samples_consistency",  # _max_samples
    "test_iforest_chunks_works1",  # a patched get_chunk_n_rows
    "test_iforest_chunks_works2",
]


@pytest.mark.slow
def test_the_tests_of_scikit_learn_pass_with_another_import(tmp_path):
    text = (resources.files("sklearn.ensemble.tests") / "test_iforest.py").read_text("utf-8")
    wanted = "from sklearn.ensemble import IsolationForest\n"
    assert text.count(wanted) == 1
    path = tmp_path / "test_iforest.py"
    path.write_text(text.replace(wanted, "from secondlook import IsolationForest\n"))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "sklearn.conftest",
        "-p",
        "no:cacheprovider",
    ]
    command += [f"--deselect={path.name}::{name}" for name in PRIVATE]
    done = subprocess.run([*command, path.name], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout and "skipped" not in done.stdout


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
        sl.IsolationForest(missing="refuse").fit(X)
    scores = sl.IsolationForest(missing="route", random_state=0).fit(X).score_samples(X)
    assert np.isfinite(scores).all()


def test_missing_values_are_learned_if_the_training_rows_have_some(tmp_path):
    X = gaussian()
    holed = X.copy()
    holed[::7, 2] = np.nan
    routed = sl.IsolationForest(missing="route", random_state=0).fit(holed).score_samples(holed)
    for rows in (holed, sparse.csr_array(holed)):
        forest = sl.IsolationForest(random_state=0).fit(rows)
        np.testing.assert_array_equal(forest.score_samples(rows), routed)
        assert forest.__sklearn_tags__().input_tags.allow_nan
    forest.save(tmp_path / "forest.safetensors")
    loaded = sl.load(tmp_path / "forest.safetensors")
    np.testing.assert_array_equal(loaded.score_samples(holed), routed)

    began = sl.IsolationForest(random_state=0).partial_fit(holed[:400])
    assert np.isfinite(began.partial_fit(holed[400:]).score_samples(holed)).all()

    complete = sl.IsolationForest(random_state=0).fit(X)
    np.testing.assert_array_equal(
        complete.score_samples(X),
        sl.IsolationForest(missing="refuse", random_state=0).fit(X).score_samples(X),
    )
    assert not complete.__sklearn_tags__().input_tags.allow_nan
    for use in (complete.score_samples, complete.partial_fit):
        with pytest.raises(ValueError, match='NaN in row 0, column 2; fit with missing="route"'):
            use(holed)
    holed[5, 1] = np.inf
    with pytest.raises(ValueError, match="infinity in row 5, column 1"):
        sl.IsolationForest().fit(holed)


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


# --- sparse rows


def mostly_zero(rows=700, cols=60, seed=0):
    X = gaussian(rows, cols, seed)
    X[np.random.default_rng(seed).random(X.shape) > 0.1] = 0
    return X


FORMATS = ["csr", "csc", "coo", "lil", "bsr"]


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_sparse_rows_are_judged_as_dense_ones(kind, form, dtype):
    X = np.rint(3 * mostly_zero()).astype(dtype)
    rows = kind(X).asformat(form)
    dense = sl.IsolationForest(contamination=0.1, random_state=1).fit(X)
    forest = sl.IsolationForest(contamination=0.1, random_state=1).fit(rows)
    assert forest.offset_ == dense.offset_
    for use in ("score_samples", "decision_function", "predict", "feature_contributions"):
        np.testing.assert_array_equal(getattr(forest, use)(rows), getattr(dense, use)(X))
    np.testing.assert_array_equal(
        forest.partial_fit(kind(X[:300]).asformat(form)).score_samples(rows),
        dense.partial_fit(X[:300]).score_samples(X),
    )
    assert forest.fit_offset(rows).offset_ == dense.fit_offset(X).offset_


def test_sparse_rows_in_any_order_and_with_repeated_entries():
    X = mostly_zero(50, 5)
    rows = sparse.csr_array(X)
    columns, values = rows.indices.copy(), rows.data.copy()
    for begin, end in zip(rows.indptr, rows.indptr[1:], strict=False):
        columns[begin:end] = columns[begin:end][::-1]
        values[begin:end] = values[begin:end][::-1]
    doubled = sparse.csr_array(
        (np.repeat(values / 2, 2), np.repeat(columns, 2), 2 * rows.indptr), shape=X.shape
    )
    forest = sl.IsolationForest(random_state=0).fit(doubled)
    expected = sl.IsolationForest(random_state=0).fit(X).score_samples(X)
    np.testing.assert_array_equal(forest.score_samples(doubled), expected)
    assert doubled.nnz == 2 * rows.nnz  # the caller's matrix stays as it is


def test_a_wide_sparse_matrix_is_never_made_dense():
    X = sparse.random_array((20_000, 300_000), density=3e-5, format="csr", rng=0)  # 48 GB dense
    forest = sl.IsolationForest(n_estimators=10, contamination=0.1, random_state=0)
    tracemalloc.start()
    scores = forest.fit(X).score_samples(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(np.unique(scores)) > 5
    assert peak < 50e6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 8e6  # kilobytes


def test_sparse_rows_that_cannot_be_taken():
    X = sparse.csr_array(mostly_zero())
    forest = sl.IsolationForest(random_state=0).fit(X)
    with pytest.raises(ValueError, match="60 features"):
        forest.score_samples(X[:, :7])
    X.data[11] = np.nan
    forest.missing = "refuse"
    for use in (forest.fit, forest.partial_fit, forest.score_samples):
        with pytest.raises(ValueError, match="NaN in row"):
            use(X)
    with pytest.raises(ValueError, match=r"expected dense rows.*X.toarray\(\)"):
        sl.IncrementalLearner(forest, calibration=sparse.csr_array(mostly_zero()))
    with pytest.raises(TypeError, match="dense data is required"):
        sl.Autoencoder().fit(sparse.csr_array(mostly_zero()))


# --- weights, bootstrap, warm start, verbose


def test_weights_count_as_repetitions():
    # Few rows at the side: with a large weight they are as frequent as the others.
    X = np.vstack([gaussian(3000, 2), gaussian(150, 2, seed=1) * 0.3 + 6])
    weights = np.where(np.arange(3150) < 3000, 1, 20)
    repeated = np.repeat(X, weights, axis=0)
    for bootstrap in (False, True):
        settings = {"n_estimators": 500, "max_samples": 64, "bootstrap": bootstrap}
        scores = np.array(
            [
                sl.IsolationForest(**settings, random_state=0)
                .fit(*training)
                .score_samples(X[3000:])
                for training in ((X, None, weights), (repeated,), (X,))
            ]
        ).mean(axis=1)
        assert scores[0] == pytest.approx(scores[1], abs=0.01)
        assert scores[2] < scores[1] - 0.1


def test_contamination_counts_weights():
    X = gaussian(1000, 2)
    weights = np.where(np.arange(1000) < 500, 3.0, 1.0)
    forest = sl.IsolationForest(contamination=0.2, random_state=0).fit(X, sample_weight=weights)
    below = forest.decision_function(X) < 0
    assert weights[below].sum() / weights.sum() == pytest.approx(0.2, abs=0.003)
    scores = forest.score_samples(X)
    assert forest.offset_ == np.quantile(scores, 0.2, weights=weights, method="inverted_cdf")


def test_equal_weights_change_nothing():
    X = gaussian()
    plain = sl.IsolationForest(contamination=0.1, random_state=0).fit(X)
    weighted = sl.IsolationForest(contamination=0.1, random_state=0).fit(
        X, sample_weight=np.full(1000, 0.001)
    )
    np.testing.assert_array_equal(weighted.decision_function(X), plain.decision_function(X))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(9), "each of 1000 rows, got 9"),
        (-np.ones(1000), "at least 0, got -1"),
        (np.zeros(1000), "finite sum above zero, got 0"),
        (np.full(1000, np.nan), "got nan"),
        (["a"] * 1000, "expected numbers in sample_weight"),
        (np.ones((1000, 2)), "sample_weight of shape"),
    ],
)
def test_rejects_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        sl.IsolationForest().fit(gaussian(), sample_weight=weights)


def test_bootstrap_draws_a_row_again():
    # Of 256 draws from 256 rows about 1 - 1/e are different ones: more trees end early.
    X = gaussian(256, 3)
    distinct = sl.IsolationForest(random_state=0).fit(X).estimators_
    drawn = sl.IsolationForest(bootstrap=True, random_state=0).fit(X).estimators_
    splits = [np.mean([(tree.feature >= 0).sum() for tree in trees]) for trees in (distinct, drawn)]
    assert splits[1] < 0.9 * splits[0]
    assert all(tree.n_node_samples[1] == 256 for tree in drawn)


def test_a_warm_start_keeps_its_trees_and_gives_those_of_one_fit():
    X = gaussian()
    forest = sl.IsolationForest(10, warm_start=True, random_state=3).fit(X)
    first = forest.estimators_
    forest.set_params(n_estimators=25, contamination=0.1).fit(X)
    assert len(forest.estimators_) == 25
    assert all(a is b for a, b in zip(first, forest.estimators_, strict=False))
    once = sl.IsolationForest(25, contamination=0.1, random_state=3).fit(X)
    np.testing.assert_array_equal(forest.decision_function(X), once.decision_function(X))
    with pytest.warns(UserWarning, match="warm_start keeps all the trees"):
        forest.fit(X)
    with pytest.raises(ValueError, match="n_estimators of at least 25"):
        forest.set_params(n_estimators=5).fit(X)
    with pytest.raises(ValueError, match="grown on 100 rows per tree, got 256"):
        forest.set_params(n_estimators=30).fit(X[:100])
    assert forest.set_params(warm_start=False).fit(X[:100]).estimators_[0] is not first[0]


def test_trees_can_be_looked_at():
    X = np.array([[0.0], [1.0], [10.0]])
    forest = sl.IsolationForest(5, random_state=0).fit(X)
    tree = forest.estimators_[0]
    assert tree.max_depth == 2
    assert tree.feature[1] == 0
    assert 0 < tree.threshold[1] <= 10
    assert tree.n_node_samples[1] == 3
    assert repr(tree) == "<IsolationTree of 2 splits on 2 levels>"
    assert forest.partial_fit(np.vstack([X] * 100)).estimators_[0] is not tree


def test_verbose_shows_progress_without_a_terminal(capfd):
    sl.IsolationForest(random_state=0).fit(gaussian())
    assert capfd.readouterr().err == ""
    sl.IsolationForest(random_state=0, verbose=1).fit(gaussian())
    assert "Growing trees: 100%" in capfd.readouterr().err


def test_more_rows_per_tree_than_rows_warns():
    X = gaussian(50)
    for silent in ("auto", 50, 0.5):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            sl.IsolationForest(max_samples=silent).fit(X)
    with pytest.warns(UserWarning, match="max_samples will be set to n_samples") as caught:
        forest = sl.IsolationForest(max_samples=51).fit(X)
    assert caught[0].filename == __file__
    assert forest.max_samples_ == 50


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
        ({"missing": "ignore"}, 'missing must be "auto", "refuse" or "route"'),
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
    forest.missing = "refuse"
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
