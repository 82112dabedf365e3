"""Training in rounds equals training at once, and can be stopped between the rounds."""

import numpy as np
import pytest

import secondlook as sl
from secondlook.integrations import fit_in_rounds


def autoencoder(**parameters):
    return sl.Autoencoder(**{"hidden": (8, 2), "max_epochs": 9, "random_state": 0} | parameters)


def test_the_result_and_the_figures_equal_those_of_fit(rows):
    whole, seen = autoencoder().fit(rows), []
    model = fit_in_rounds(autoencoder(), rows, seen.append)
    np.testing.assert_array_equal(model.score_samples(rows), whole.score_samples(rows))
    assert model.get_params() == whole.get_params()
    assert [figures["epoch"] for figures in seen] == [1, 3, 9]
    for figures in seen:
        for name, values in whole.history_.items():
            assert figures[name] == values[figures["epoch"] - 1]


def test_a_forecaster_trains_in_rounds_too(rows):
    model = sl.LSTMForecaster(window=8, hidden=4, max_epochs=3, random_state=0)
    whole = sl.LSTMForecaster(window=8, hidden=4, max_epochs=3, random_state=0).fit(rows[:200])
    fit_in_rounds(model, rows[:200], lambda figures: None, rounds=2)
    np.testing.assert_array_equal(model.score_samples(rows), whole.score_samples(rows))


def test_true_or_an_error_ends_training_and_the_detector_is_fitted(rows):
    model = fit_in_rounds(autoencoder(), rows, lambda figures: True)
    assert len(model.history_["loss"]) == 1
    assert model.max_epochs == 9
    failing = autoencoder()
    with pytest.raises(RuntimeError, match="enough"):
        fit_in_rounds(failing, rows, lambda figures: (_ for _ in ()).throw(RuntimeError("enough")))
    assert len(failing.history_["loss"]) == 1
    assert failing.max_epochs == 9


def test_rounds_end_once_patience_has_ended_training(rows):
    seen = []
    model = autoencoder(max_epochs=900, patience=1, learning_rate=0.1)
    fit_in_rounds(model, rows, seen.append)
    whole = autoencoder(max_epochs=900, patience=1, learning_rate=0.1).fit(rows)
    assert seen[-1]["epoch"] == len(whole.history_["loss"]) < 900
    assert len({figures["epoch"] for figures in seen}) == len(seen)


def test_what_cannot_be_trained_in_rounds_is_refused(rows):
    with pytest.raises(TypeError, match="expected an Autoencoder or LSTMForecaster, got Isolation"):
        fit_in_rounds(sl.IsolationForest(), rows, print)
    with pytest.raises(ValueError, match="expected an integer random_state, got None"):
        fit_in_rounds(autoencoder(random_state=None), rows, print)
    with pytest.raises(ValueError, match="factor of at least 2, got 3 and 1"):
        fit_in_rounds(autoencoder(), rows, print, factor=1)
