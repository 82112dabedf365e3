"""Trainings are recorded in a local store of MLflow."""

import numpy as np
import pytest

import secondlook as sl

mlflow = pytest.importorskip("mlflow", reason="the adapter needs mlflow")
pytest.importorskip("sqlalchemy", reason="MLflow's SQLite store needs sqlalchemy")
pytest.importorskip("alembic", reason="MLflow's SQLite store needs alembic")
from secondlook.integrations import MLflowLogger  # noqa: E402

pytestmark = pytest.mark.slow  # each check trains or writes a database


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return a client of an empty SQLite store, which takes seconds to create."""
    folder = tmp_path_factory.mktemp("mlflow")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.create_experiment("tests", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("tests")
    yield mlflow.MlflowClient()
    mlflow.set_tracking_uri(None)


def metric(store, run, name):
    return {m.step: m.value for m in store.get_metric_history(run.info.run_id, name)}


def test_an_image_classifier_is_recorded_epoch_by_epoch(
    store, pictures, classifier_parameters, tmp_path
):
    with mlflow.start_run() as run:
        logger = MLflowLogger()
        model = sl.ImageClassifier(**classifier_parameters)
        model.fit(**pictures, callback=logger)
        recorded = metric(store, run, "validation_loss")  # before log_model
        logger.log_model(model)
    assert recorded == dict(enumerate(model.history_["validation_loss"], start=1))
    # No epoch twice.
    history = store.get_metric_history(run.info.run_id, "loss")
    assert [m.step for m in history] == [1, 2]
    params = store.get_run(run.info.run_id).data.params
    assert params.keys() == model.get_params().keys()
    assert params["architecture"] == "small_cnn"
    assert params["value_range"] == "[0, 65535]"
    names = {file.path for file in store.list_artifacts(run.info.run_id)}
    assert names == {"model.safetensors", "history.png"}
    path = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="model.safetensors", dst_path=str(tmp_path)
    )
    loaded = sl.load(path)
    np.testing.assert_array_equal(
        loaded.predict_proba(pictures.X[:4]), model.predict_proba(pictures.X[:4])
    )


def test_epochs_of_an_autoencoder_are_recorded_after_training(store, rows):
    model = sl.Autoencoder(max_epochs=3, random_state=0).fit(rows)
    picture = sl.plot.scores(model.score_samples(rows), threshold=model.offset_)
    run = mlflow.start_run()
    mlflow.end_run()
    # Into a run that is not active, by its id.
    logger = MLflowLogger(run.info.run_id)
    logger.log_model(model, figures={"scores": picture}, file_name="autoencoder.safetensors")
    for name, values in model.history_.items():
        assert metric(store, run, name) == dict(enumerate(values, start=1))
    names = {file.path for file in store.list_artifacts(run.info.run_id)}
    assert names == {"autoencoder.safetensors", "history.png", "scores.png"}


def test_a_detector_without_epochs_is_recorded_and_nan_is_left_out(store, rows):
    with mlflow.start_run() as run:
        logger = MLflowLogger(run)
        logger({"epoch": 1, "loss": 0.5, "validation_recall": float("nan")})
        logger.log_model(sl.IsolationForest(random_state=0).fit(rows))
    data = store.get_run(run.info.run_id).data
    assert data.metrics == {"loss": 0.5}
    assert data.params["max_samples"] == "auto"
    assert [f.path for f in store.list_artifacts(run.info.run_id)] == ["model.safetensors"]


def test_nothing_is_recorded_of_an_unfitted_model_and_without_a_run(store):
    with mlflow.start_run() as run, pytest.raises(ValueError, match="not fitted yet"):
        MLflowLogger().log_model(sl.IsolationForest())
    assert not store.get_run(run.info.run_id).data.params
    with pytest.raises(ValueError, match=r"expected an active run, got none; use mlflow.start_run"):
        MLflowLogger()
