"""Tables of numbers from any library."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import secondlook as sl
from secondlook._shared.table import is_table, read_column, read_table

GAPS = [[1.0, np.nan], [2.0, 4.0], [np.nan, 5.0]]


class Arrow:
    """A column with Arrow's interface: nulls become NaN in its array."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def to_numpy(self, zero_copy_only=True):
        if zero_copy_only:
            raise ValueError("needs a copy")
        return np.array([np.nan if v is None else v for v in self.values])


class ArrowTable:
    """A table with Arrow's interface."""

    def __init__(self, **columns):
        self.column_names = list(columns)
        self.shape = (len(next(iter(columns.values()))), len(columns))
        self._columns = [Arrow(values) for values in columns.values()]

    def column(self, j):
        return self._columns[j]

    def __dataframe__(self):
        return self

    def __arrow_c_stream__(self):
        raise NotImplementedError


def frames():
    frame = pd.DataFrame(GAPS, columns=["a", "b"])
    yield frame
    yield frame.astype("Float64")
    yield frame.astype("Int64")
    yield frame.astype(object).where(frame.notna(), None)
    yield frame.astype({"a": "Float32", "b": object})
    yield frame.map(lambda x: pd.NA if np.isnan(x) else Decimal(int(x)))
    yield frame.astype(pd.SparseDtype(float))
    yield ArrowTable(a=[1, 2, None], b=[None, 4, 5])


@pytest.mark.parametrize("frame", list(frames()), ids=lambda f: type(f).__name__)
def test_reads_every_kind_of_column_with_gaps(frame):
    assert is_table(frame)
    values, columns = read_table("f", frame)
    assert columns == ["a", "b"]
    assert values.dtype == np.float64
    assert values.flags.c_contiguous
    np.testing.assert_array_equal(values, GAPS)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_reads_tables_of_other_libraries(library):
    module = pytest.importorskip(library)
    make = module.DataFrame if library == "polars" else module.table
    table = make({"a": [1, 2, None], "b": [None, 4.0, 5.0]})
    values, columns = read_table("f", table)
    assert columns == ["a", "b"]
    np.testing.assert_array_equal(values, GAPS)
    np.testing.assert_array_equal(read_column("f", table["b"], "b"), [np.nan, 4, 5])
    forest = sl.IsolationForest(missing="route", random_state=0).fit(table)
    assert list(forest.feature_names_in_) == ["a", "b"]


def test_arrays_are_not_copied_and_masked_values_are_missing():
    for kind in (np.float32, np.float64):
        array = np.zeros((3, 2), kind)
        assert read_table("f", array).values is array
    masked = np.ma.masked_invalid(GAPS)
    np.testing.assert_array_equal(read_table("f", masked).values, GAPS)
    integers = np.ma.array([[1, 2], [3, 4]], mask=[[True, False], [False, False]])
    np.testing.assert_array_equal(read_table("f", integers).values, [[np.nan, 2], [3, 4]])
    frame = pd.DataFrame(np.zeros((2, 2), np.float32))
    assert read_table("f", frame).values.dtype == np.float32


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["on", "off", "on"], "column 'state', got 'on' in row 0; leave it out, or encode it"),
        ([1.0, "off", None], "column 'state', got 'off' in row 1; leave it out"),
        (pd.Categorical([1, 2, 1]), "column 'state', got categories; leave it out, or encode it"),
        (pd.date_range("2026", periods=3), r"column 'state', got times .*; make it the index"),
        (pd.date_range("2026", periods=3, tz="UTC"), "column 'state', got times"),
        (pd.to_timedelta([1, 2, 3]), "column 'state', got times"),
        ([1.0, {}, 2.0], "column 'state', got {} in row 1"),
        ([1j, 2, 3], "column 'state', got complex128"),
    ],
)
def test_names_a_column_that_is_not_numeric(column, message):
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "state": column})
    for use in (
        sl.IsolationForest().fit,
        sl.LSTMForecaster().fit,
        sl.PeerDeviation().judge,
        lambda X: sl.TimeTable(pd.date_range("2026", periods=3), X),
    ):
        with pytest.raises(ValueError, match=f": expected numbers in {message}"):
            use(frame)


def test_a_list_of_arrays_is_not_a_table():
    rows = [np.zeros(50), np.ones(50), np.full(50, 2.0)]
    for use in (
        sl.IsolationForest().fit,
        sl.Autoencoder().fit,
        sl.PeerDeviation().judge,
        lambda X: sl.TimeTable(pd.date_range("2026", periods=3), X),
    ):
        for columns in (rows, tuple(rows), [pd.Series(row) for row in rows]):
            with pytest.raises(ValueError, match="a list of 3 one-dimensional arrays; use"):
                use(columns)


def test_an_lstm_accepts_a_list_of_arrays_as_series_of_one_channel():
    series = [np.sin(np.arange(40) / 3 + i) for i in range(3)]
    model = sl.LSTMForecaster(window=8, hidden=4, max_epochs=1, random_state=0, n_jobs=1)
    expected = model.fit([s[:, None] for s in series]).score_samples(series[0][:, None])
    assert model.n_features_in_ == 1
    scores = model.fit([series[0], pd.Series(series[1]), series[2]]).score_samples(
        series[0][:, None]
    )
    np.testing.assert_array_equal(scores, expected)


def test_errors_name_the_column_and_row_of_missing_values_and_the_remedy():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), columns=["air", "inlet"])
    forest = sl.IsolationForest(random_state=0).fit(frame)
    frame.loc[52:63, "inlet"] = np.nan
    for data in (frame, frame.astype("Float64")):
        with pytest.raises(
            ValueError,
            match=r"IsolationForest.fit: column 'inlet' has 12 missing values "
            r'\(first in row 52\); fit with missing="route"',
        ):
            sl.IsolationForest(missing="refuse").fit(data)
        with pytest.raises(
            ValueError, match=r"IsolationForest.score_samples: column 'inlet' has 12"
        ):
            forest.score_samples(data)
        with pytest.raises(ValueError, match=r"Autoencoder.fit: column 'inlet' .* fill short gaps"):
            sl.Autoencoder().fit(data)
    with pytest.raises(ValueError, match=r'row 52, column 1; fit with missing="route"'):
        sl.IsolationForest(missing="refuse").fit(frame.to_numpy())
    frame.loc[3, "air"] = np.inf
    with pytest.raises(ValueError, match=r"column 'air' has 1 infinite value \(first in row 3\)"):
        sl.IsolationForest(missing="route").fit(frame)


def test_detectors_score_nullable_tables_like_plain_ones():
    plain = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 4)), columns=list("abcd"))
    plain = plain.mask(plain > 1.5)
    gaps = plain.astype("Float64")
    for use in (
        lambda t: sl.IsolationForest(missing="route", random_state=0).fit(t).score_samples(t),
        lambda t: sl.SurpriseStream().push_many(t["a"]).surprise,
        lambda t: sl.PeerDeviation().bands(t),
        lambda t: sl.TimeTable(pd.date_range("2026", periods=60), t).values,
        lambda t: sl.plant_state(t["a"], 0.5),
    ):
        np.testing.assert_array_equal(use(gaps), use(plain))
    scores = plain.a.fillna(0)
    labels = np.arange(60) % 2
    expected = sl.binary_metrics(labels, scores, n_bootstrap=0)
    assert str(sl.binary_metrics(labels, scores.astype("Float64"), n_bootstrap=0)) == str(expected)
    with pytest.raises(ValueError, match="expected finite scores, got nan"):
        sl.binary_metrics(labels, gaps.a)


def test_a_feature_distance_and_a_learner_read_nullable_tables_like_plain_ones():
    X = np.random.default_rng(0).normal(size=(600, 2))
    frame = pd.DataFrame(X, columns=["a", "b"])
    nullable = frame.convert_dtypes()
    guard = sl.FeatureDistance(false_alarm_rate=0.1, random_state=0).fit(nullable)
    plain = sl.FeatureDistance(false_alarm_rate=0.1, random_state=0).fit(frame)
    np.testing.assert_array_equal(guard.distance(nullable), plain.distance(frame))
    missing = nullable.copy()
    missing.loc[3, "b"] = pd.NA
    with pytest.raises(ValueError, match=r"column 'b' has 1 missing value \(first in row 3\)"):
        guard.distance(missing)

    forest = sl.IsolationForest(20, random_state=0).fit(frame)
    learner = sl.IncrementalLearner(forest, nullable, suspicion_rate=0.05, random_state=0)
    np.testing.assert_array_equal(learner.score_samples(nullable), forest.score_samples(frame))
    for call in (learner.score_samples, learner.update):
        with pytest.raises(ValueError, match=r"column 'b' has 1 missing value \(first in row 3\)"):
            call(missing)


def test_a_time_table_takes_its_names_from_a_table():
    frame = pd.DataFrame(GAPS, columns=["cell 1", "cell 2"])
    table = sl.TimeTable(pd.date_range("2026", periods=3), frame)
    assert table.columns == ["cell 1", "cell 2"]
