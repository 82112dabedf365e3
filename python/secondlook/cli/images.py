"""Commands for images; they need torch."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from secondlook._shared.whole_file import require_writable
from secondlook.cli.arguments import (
    LEFT_OUT,
    AsJson,
    Simulate,
    note,
    print_json,
    require_source,
)

__all__ = ["chest_xray", "decide", "modules", "train"]

Weights = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Initial weights of MobileNetV2, a safetensors file."),
]
OutFolder = Annotated[
    Path, typer.Option("--out", "-o", metavar="FOLDER", help="Output folder, created if needed.")
]


class Architecture(StrEnum):
    """Architectures of `secondlook.ImageClassifier`."""

    EFFICIENTNET_LITE0 = "efficientnet_lite0"
    EFFICIENTNET_LITE2 = "efficientnet_lite2"
    MOBILENET_V2 = "mobilenet_v2"
    SMALL_CNN = "small_cnn"
    VGG16 = "vgg16"
    MLP = "mlp"


class Variation(StrEnum):
    """Variations of `ImageClassifier.predict_proba`."""

    FLIP = "flip"
    VERTICAL_FLIP = "vertical_flip"
    SHIFT = "shift"


def decide(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Image model with a decision rule.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Images, also in subfolders.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="CSV file to write. Default: stdout."),
    ] = None,
    normal: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS", help="The normal class. Default: as stored, or the first of two."
        ),
    ] = None,
    test_time_augmentation: Annotated[
        list[Variation] | None,
        typer.Option(help="Average with this variation; repeatable. Default: as stored."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Decide on the images of a folder, or refer them to a person.

    The decision on an image that cannot be read is unknown; the exit status is then 3.
    """
    from secondlook.jobs.folder_decisions import decide_folder

    if output is not None:
        require_writable("--output", output)
    variations = [variation.value for variation in test_time_augmentation or ()] or None
    decisions = decide_folder(model, folder, normal=normal, test_time_augmentation=variations)
    if output is not None:
        decisions.write_csv(output)
    if json:
        print_json("decide", decisions.to_dict(), output=output)
    elif output is not None:
        typer.echo(f"{decisions}\nDecisions: {output}")
    else:
        typer.echo(decisions.to_csv(), nl=False)
        note(str(decisions))
    if decisions.counts["unknown"]:
        raise typer.Exit(LEFT_OUT)


def train(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder with a folder of images per class.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Model file to write.")
    ] = Path("model.safetensors"),
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Initial weights, a safetensors file.")
    ] = None,
    architecture: Annotated[
        Architecture | None,
        typer.Option(help="Default: the network that fits the weights."),
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="In pixels. Default: 224 with weights, otherwise 96.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the images.")] = 12,
    group_pattern: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="Finds the group, such as the patient, in file names."),
    ] = None,
    normal: Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="The normal class. Default: the first of two."),
    ] = None,
    max_miss_rate: Annotated[float, typer.Option(help="Guarantee of the decision rule.")] = 0.05,
    max_false_alarm_rate: Annotated[float, typer.Option(help="The same.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of split and training.")] = 0,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave out images that cannot be read.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Train an image classifier on a folder per class.

    A fifth of the images is held out, and judges the model.

    With two classes, or --normal, the model gets a decision rule, so that `decide` can use it.
    """
    from secondlook.jobs.folder_training import TrainOptions, train_folder

    options = TrainOptions(
        None if architecture is None else architecture.value,
        weights,
        image_size,
        epochs,
        group_pattern,
        normal,
        max_miss_rate,
        max_false_alarm_rate,
        seed,
        skip_broken,
    )
    trained = train_folder(folder, output, options)
    if json:
        print_json("train", trained.to_dict())
    else:
        typer.echo(f"{trained}\nModel: {trained.file}")


def chest_xray(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Folder with NORMAL and PNEUMONIA, also below train."),
    ] = None,
    out: OutFolder = Path(),
    simulate: Simulate = False,
    weights: Weights = None,
    epochs: Annotated[
        int | None, typer.Option(help="Of the networks that are kept. Default: 10 to 12.")
    ] = None,
    networks: Annotated[int, typer.Option(help="Networks kept and averaged, up to 3.")] = 3,
    size: Annotated[int, typer.Option(help="Image size of MobileNetV2 in pixels.")] = 160,
    patients: Annotated[int, typer.Option(help="Number of simulated patients.")] = 1200,
    json: AsJson = False,
) -> None:
    """Find pneumonia in X-rays, and refer the doubtful ones."""
    from secondlook.jobs.chest_xray import XrayOptions, train_chest_xray

    require_source("DIR, a folder of X-rays", directory, simulate)
    options = XrayOptions(weights, epochs, networks, size, patients)
    result = train_chest_xray(directory, out, options, announce=_announce(json))
    if json:
        print_json("chest-xray", result.to_dict())


def modules(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Folder with module_metadata.json and its images."),
    ] = None,
    out: OutFolder = Path(),
    simulate: Simulate = False,
    weights: Weights = None,
    epochs: Annotated[
        int | None, typer.Option(help="Default: about 20, 8 on simulated images.")
    ] = None,
    images: Annotated[int, typer.Option(help="Number of simulated images.")] = 3000,
    json: AsJson = False,
) -> None:
    """Find and classify the defects of solar modules."""
    from secondlook.jobs.infrared_modules import ModuleOptions, train_modules

    require_source("DIR, a folder of modules", directory, simulate)
    options = ModuleOptions(weights, epochs, images)
    result = train_modules(directory, out, options, announce=_announce(json))
    if json:
        print_json("modules", result.to_dict())


def _announce(json: bool) -> Callable[[str], object]:
    """Return how to print the lines of a long job: with --json, stdout is for the document."""
    return partial(typer.echo, err=json)
