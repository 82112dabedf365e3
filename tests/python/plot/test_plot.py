import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import secondlook as sl

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def labelled(n=1000):
    y = np.arange(n) % 2
    return np.random.default_rng(0).normal(2.0 * y), y


def series(n=300):
    index = pd.date_range("2024-03-30", periods=n, freq="h", tz="Europe/Berlin")
    values = np.random.default_rng(0).normal(size=n)
    values[100:104] = -8
    return pd.Series(values, index=index)


def learner():
    X = np.random.default_rng(0).normal(size=(1600, 3))
    forest = sl.IsolationForest(20, random_state=0).fit(X[:400])
    found = sl.IncrementalLearner(forest, X[400:800], random_state=0, suspicion_rate=0.05)
    found.update(X[800:1200])
    found.update(X[1200:] + 9)
    return found


def cells():
    readings = 3.3 + 0.001 * np.random.default_rng(0).normal(size=(60, 8))
    readings[20:30, 3] -= 0.2
    return pd.DataFrame(readings, columns=[f"cell {i}" for i in range(8)])


def coverings():
    """What `plot.reliance` uses of a `RegionReliance`, which needs torch."""
    found = [("as it is", 0.9), ("region covered", 0.5), ("all else covered", 0.9)]
    return SimpleNamespace(
        coverings=[
            SimpleNamespace(shown=shown, name=shown, roc_auc=sl.Estimate(area, area - 0.1, 1.0))
            for shown, area in found
        ]
    )


def drawings():
    score, y = labelled()
    probability = 1 / (1 + np.exp(1 - score))
    band = sl.SuspiciousBand().fit(score, y)
    network = sl.Autoencoder(hidden=(4, 2), max_epochs=3, random_state=0).fit(
        np.random.default_rng(0).normal(size=(300, 5))
    )
    return {
        "scores": lambda ax: sl.plot.scores(series(), threshold=-5, ax=ax),
        "contributions": lambda ax: sl.plot.contributions([0.1, 3.0], ["flow", "heat"], ax=ax),
        "history": lambda ax: sl.plot.history(network, ax=ax),
        "peers": lambda ax: sl.plot.peers(sl.PeerDeviation(floor=0.05), cells(), ax=ax),
        "band": lambda ax: sl.plot.band(band, score, y, ax=ax),
        "prices": lambda ax: sl.plot.prices(band.price_list(score, y), ax=ax),
        "roc": lambda ax: sl.plot.roc(sl.roc_curve(y, score), ax=ax),
        "precision_recall": lambda ax: sl.plot.precision_recall(
            sl.precision_recall_curve(y, score), name="forest", ax=ax
        ),
        "confusion": lambda ax: sl.plot.confusion(band.report(score, y), ax=ax),
        "reliability": lambda ax: sl.plot.reliability(y, probability, ax=ax),
        "drift": lambda ax: sl.plot.drift(score, score + 1, ax=ax),
        "reliance": lambda ax: sl.plot.reliance(coverings(), ax=ax),
        "versions": lambda ax: sl.plot.versions(learner(), ax=ax),
    }


@pytest.mark.parametrize("name", sorted(set(sl.plot.__all__) - {"Display"}))
def test_draws_into_given_axes_or_new_ones(name):
    draw = drawings()[name]
    _, ax = plt.subplots()
    display = draw(ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert ax.has_data()
    other = draw(None)
    assert other.ax_ is not ax
    other.figure_.canvas.draw()


def test_scores_mark_what_is_beyond_the_threshold_by_the_series_own_times():
    values = series()
    ax = sl.plot.scores(values, threshold=-5).ax_
    marked = ax.lines[-1]
    assert list(marked.get_ydata()) == [-8.0] * 4
    assert len(ax.patches) == 1  # one episode
    with pytest.raises(ValueError, match="expected 300 times, got 2"):
        sl.plot.scores(values.to_numpy(), time=[1, 2])


def test_confusion_has_a_referred_column_only_for_a_band():
    score, y = labelled()
    two = sl.plot.confusion(sl.confusion_matrix(y, score)).ax_
    assert [tick.get_text() for tick in two.get_xticklabels()] == ["negative", "positive"]
    report = sl.SuspiciousBand().fit(score, y).report(score, y)
    three = sl.plot.confusion(report).ax_
    assert [tick.get_text() for tick in three.get_xticklabels()] == [
        "negative",
        "refer",
        "positive",
    ]
    assert three.texts[1].get_text().startswith(f"{report.counts[0, 1]:,}\n")


def test_peers_are_named_and_the_side_counts():
    low = sl.plot.peers(sl.PeerDeviation(floor=0.05, side="low"), cells()).ax_
    assert "cell 3" in [text.get_text() for text in low.get_legend().get_texts()]
    high = sl.plot.peers(sl.PeerDeviation(floor=0.05, side="high"), cells()).ax_
    assert "cell 3" not in [text.get_text() for text in high.get_legend().get_texts()]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: sl.plot.history(3), "expected a fitted Autoencoder"),
        (lambda: sl.plot.prices([]), "at least one price"),
        (lambda: sl.plot.reliability([0, 1], [0.1, 1.2]), "calibrate the scores first"),
        (lambda: sl.plot.contributions([1.0], ["a", "b"]), "expected 1 names, got 2"),
    ],
)
def test_bad_input_is_named(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()


def test_importing_needs_no_matplotlib_and_drawing_says_what_is_missing():
    code = (
        "import sys; sys.modules['matplotlib'] = None; sys.modules['matplotlib.pyplot'] = None\n"
        "import secondlook as sl\n"
        "try: sl.plot.contributions([1.0])\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'secondlook[plot]'" in done.stdout


def test_labels_of_far_scores_do_not_overlap():
    values = np.random.default_rng(0).normal(0, 0.4, 500)
    values[7] = -700
    ax = sl.plot.scores(values, threshold=-3).ax_
    assert ax.get_yscale() == "symlog"
    low, high = ax.get_ylim()
    pixels = [ax.transData.transform((0, y))[1] for y in ax.get_yticks() if low <= y <= high]
    assert len(pixels) >= 2
    assert np.diff(np.sort(pixels)).min() > 15


def test_a_display_is_one_short_line():
    assert repr(sl.plot.scores([1.0, 2.0])) == "<Display of 1 axes>"
