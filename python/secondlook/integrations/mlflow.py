"""Trainings in MLflow."""

import time
from pathlib import Path
from typing import Any

from secondlook._shared.required import required
from secondlook.integrations.training_logger import TrainingLogger

with required("secondlook.integrations.mlflow", "mlflow"):
    import mlflow
    from mlflow.entities import Metric, Param


class MLflowLogger(TrainingLogger):
    """Records a training in a run of MLflow.

    As a callback of ``ImageClassifier.fit`` it records each epoch when it ends; `log_model` records
    the parameters, the remaining epochs, the model file and figures.

    Parameters
    ----------
    run : mlflow.ActiveRun, mlflow.entities.Run, str or None, default=None
        The run or its id. None: the active run.

    Raises
    ------
    ValueError
        If `run` is None and no run is active.

    Examples
    --------
    ::

        with mlflow.start_run():
            logger = MLflowLogger()
            model = ImageClassifier().fit(images, labels, callback=logger)
            logger.log_model(model)
    """

    def __init__(self, run: Any = None) -> None:
        super().__init__()
        run = mlflow.active_run() if run is None else run
        if run is None:
            raise ValueError(
                "MLflowLogger: expected an active run, got none; use mlflow.start_run(), or run=…"
            )
        self.run_id: str = run if isinstance(run, str) else run.info.run_id
        self._client = mlflow.MlflowClient()

    def _log_parameters(self, parameters: dict[str, Any]) -> None:
        params = [Param(name, str(value)) for name, value in parameters.items()]
        self._client.log_batch(self.run_id, params=params)

    def _log_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        now_ms = int(1000 * time.time())
        metrics = [Metric(name, value, now_ms, epoch) for name, value in figures.items()]
        self._client.log_batch(self.run_id, metrics=metrics)

    def _log_file(self, path: Path) -> None:
        self._client.log_artifact(self.run_id, str(path))

    def _log_figure(self, name: str, figure: Any) -> None:
        self._client.log_figure(self.run_id, figure, f"{name}.png")
