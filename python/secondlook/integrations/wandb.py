"""Trainings in Weights & Biases."""

from pathlib import Path
from typing import Any

from secondlook._shared.required import required
from secondlook.integrations.training_logger import TrainingLogger

with required("secondlook.integrations.wandb", "wandb"):
    import wandb


class WandbLogger(TrainingLogger):
    """Records a training in a run of Weights & Biases, online or offline.

    As a callback of ``ImageClassifier.fit`` it records each epoch when it ends; `log_model` records
    the parameters as the run's config, the remaining epochs, the model file as an artifact of type
    ``model``, and figures.

    Parameters
    ----------
    run : wandb.Run or None, default=None
        None: the current run.

    Raises
    ------
    ValueError
        If `run` is None and there is no current run.

    Examples
    --------
    ::

        with wandb.init(project="modules", mode="offline") as run:
            logger = WandbLogger(run)
            model = ImageClassifier().fit(images, labels, callback=logger)
            logger.log_model(model)
    """

    def __init__(self, run: Any = None) -> None:
        super().__init__()
        self.run: Any = wandb.run if run is None else run
        if self.run is None:
            raise ValueError(
                "WandbLogger: expected a current run, got none; use wandb.init(), or run=…"
            )
        # The epoch is the axis, not the run's own step, which may not decrease.
        self.run.define_metric("epoch")
        self.run.define_metric("*", step_metric="epoch")

    def _log_parameters(self, parameters: dict[str, Any]) -> None:
        self.run.config.update(parameters, allow_val_change=True)

    def _log_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        self.run.log({"epoch": epoch, **figures})

    def _log_file(self, path: Path) -> None:
        artifact = wandb.Artifact(f"{path.stem}-{self.run.id}", type="model")
        artifact.add_file(str(path))
        self.run.log_artifact(artifact)

    def _log_figure(self, name: str, figure: Any) -> None:
        self.run.log({name: wandb.Image(figure)})
