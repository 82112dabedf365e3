"""Searches of Optuna prune trainings by the figures of their epochs."""

import numpy as np
import pytest

import secondlook as sl
from secondlook.integrations import fit_in_rounds

optuna = pytest.importorskip("optuna", reason="the adapter needs optuna")
from secondlook.integrations import OptunaPruning  # noqa: E402

pytestmark = pytest.mark.slow  # each check trains or writes a database

optuna.logging.set_verbosity(optuna.logging.WARNING)
COMPLETE, PRUNED = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED


def test_a_hopeless_image_classifier_is_pruned(pictures, classifier_parameters):
    parameters = classifier_parameters | {"max_epochs": 3, "batch_size": 8}

    def objective(trial):
        # The second trial does not learn: its rate is practically 0.
        rate = trial.suggest_categorical("learning_rate", [3e-3, 1e-12])
        model = sl.ImageClassifier(**parameters, learning_rate=rate)
        model.fit(**pictures, callback=OptunaPruning(trial))
        return model.history_["validation_loss"].min()

    pruner = optuna.pruners.ThresholdPruner(upper=0.4, n_warmup_steps=2)
    study = optuna.create_study(pruner=pruner)
    study.enqueue_trial({"learning_rate": 3e-3})
    study.enqueue_trial({"learning_rate": 1e-12})
    study.optimize(objective, n_trials=2)
    good, bad = study.trials
    assert good.state == COMPLETE, good.intermediate_values
    assert bad.state == PRUNED, bad.intermediate_values
    # Measured: 0.04 in the second epoch of the first, 0.69 in that of the second.
    assert list(good.intermediate_values) == [1, 2, 3]
    assert list(bad.intermediate_values) == [1, 2]
    assert study.best_params == {"learning_rate": 3e-3}


def test_autoencoders_are_pruned_after_a_round_and_compared_with_the_default(rows):
    def fitted(trial, **parameters):
        model = sl.Autoencoder(max_epochs=27, random_state=0, **parameters)
        return fit_in_rounds(model, rows, OptunaPruning(trial))

    def objective(trial):
        model = fitted(
            trial,
            learning_rate=trial.suggest_float("learning_rate", 1e-5, 3e-2, log=True),
            dropout=trial.suggest_float("dropout", 0, 0.5),
        )
        return model.history_["validation_loss"].min()

    study = optuna.create_study(
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=2),
    )
    default = {"learning_rate": 1e-3, "dropout": 0.25}
    study.enqueue_trial(default)
    study.optimize(objective, n_trials=8)
    states = [trial.state for trial in study.trials]
    assert set(states) == {COMPLETE, PRUNED}
    assert study.trials[0].params == default
    # The default is among the trials, so the best cannot be worse.
    assert study.best_value <= study.trials[0].value
    pruned = study.trials[states.index(PRUNED)]
    assert max(pruned.intermediate_values) < 27


def test_the_value_reported_is_the_figure_of_the_epoch(rows):
    trial = optuna.create_study(pruner=optuna.pruners.NopPruner()).ask()
    model = sl.Autoencoder(max_epochs=3, random_state=0)
    fit_in_rounds(model, rows, OptunaPruning(trial, "loss"), rounds=1)
    reported = trial.study.trials[0].intermediate_values
    assert reported == {3: model.history_["loss"][2]}


def test_an_unknown_figure_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"expected monitor as one of \['epoch', 'loss'\]"):
        OptunaPruning(None, "accuracy")({"epoch": 1, "loss": 0.5})


def test_nan_is_reported_as_optuna_takes_it():
    trial = optuna.create_study().ask()
    OptunaPruning(trial)({"epoch": 1, "validation_loss": np.float64("nan")})
    assert np.isnan(trial.study.trials[0].intermediate_values[1])
