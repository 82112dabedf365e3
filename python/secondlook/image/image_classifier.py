"""Image classifier."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from secondlook import _core, _image
from secondlook._shared.arguments import as_number, as_numbers
from secondlook._shared.progress import ProgressBar
from secondlook._shared.random_state import seed_of
from secondlook._shared.threads import requested_threads
from secondlook._shared.warn_caller import warn_caller
from secondlook.decide.decision_rule import KeepsDecisionRule
from secondlook.errors import ModelFileError
from secondlook.image.augmentation import Augmentation
from secondlook.image.decode import Pixels, as_pixels
from secondlook.image.image_list import as_core_images, as_sequence, encoded
from secondlook.image.options import one_or_three, rows_and_columns
from secondlook.image.preprocessing import Contrast
from secondlook.image.weights import read_pickled_weights
from secondlook.store.kept_in_file import KeptInFile

EpochCallback = Callable[[dict[str, float]], object]


class ImageClassifier(KeptInFile, KeepsDecisionRule, ClassifierMixin, BaseEstimator):
    """Tell images apart by a convolutional network, trained by LibTorch.

    Training keeps the weights of the least loss over the images held out. At a fixed number of
    threads the same seed gives the same network, also when training went on from a checkpoint.
    Ctrl-C ends training and leaves the best network so far.

    Parameters
    ----------
    architecture : {"mobilenet_v2", "small_cnn", "vgg16", "mlp"}, default="mobilenet_v2"
        ``"small_cnn"`` is a residual network of about a million weights, for images from 16 pixels
        a side; ``"mlp"`` is fully connected, a baseline. MobileNetV2 and VGG16 have torchvision's
        names of tensors.
    weights : path or None, default=None
        File to begin with: safetensors, or what ``torch.save`` has written of a ``state_dict()``,
        by itself or as ``"state_dict"`` or ``"model"``, which is read without running code. Floats
        of 16, 32 or 64 bits; names may have a prefix such as ``module.``. A last layer that is
        missing, or of another number of classes, begins anew.
    image_size : int or (int, int), default=224
        Rows and columns that the network sees; images of any size are resized.
    channels : {None, 1, 3}, default=None
        Grey or colour. None: colour for MobileNetV2 and VGG16, else grey if all images are.
    contrast : {"none", "stretch", "clahe"}, default="none"
        How each image's contrast is evened out, see `secondlook.image.preprocess`.
    clipped_fraction : float, default=0.01
        Share of the pixels at either end that ``"stretch"`` clips.
    value_range : (float, float), default=(0, 65535)
        16-bit values and floats that become black and white, such as the coldest and the hottest
        temperature that matter: (-20, 80) for a thermogram in °C. Those beyond are clipped. With
        the default floats have to lie in [0, 1].
    mean, standard_deviation : float, three floats or None, default=None
        Scale of the input, whose values are 0 to 1. None: 0.5 for MobileNetV2, ImageNet's for
        VGG16, the training images' own for the others.
    padding : {"auto", "symmetric", "tensorflow"}, default="auto"
        How convolutions of stride 2 see the edge: as the weights' file says, else as torchvision.
    augmentation : Augmentation or None, default=None
        Random variations of the training images.
    trainable : {"all", "head"} or int, default="all"
        What is trained: all, the last layer, or so many blocks before it as well.
    optimizer : {"adamw", "sgd"}, default="adamw"
        SGD is Nesterov's, with momentum 0.9.
    schedule : {"one_cycle", "cosine", "constant"}, default="one_cycle"
        Of the learning rate over all epochs.
    learning_rate : float, default=1e-3
        The schedule's largest.
    weight_decay : float, default=1e-2
        Of weights; biases and normalisations have none.
    label_smoothing : float, default=0
        Share of the target that goes to all classes alike.
    mixup : float, default=0
        Parameter of the beta distribution of the fractions in which images, and their labels, are
        blended pairwise, in [0, 1]; 0: not at all.
    class_weight : {"balanced"}, dict of class to float, or None, default=None
        Weights of the classes in the loss; 1 for those that a dict leaves out.
    weight_averaging : float, default=0
        Decay a step of an average of the weights, which is then what is judged and kept; 0: none.
    batch_size : int, default=32
    max_epochs : int, default=30
    patience : int, default=8
        Epochs without a better validation loss, after which training ends.
    validation_fraction : float, default=0.1
        Fraction of the images held out, by whole groups. 0: none, and the training images judge; so
        they do, with a warning, where no group can be spared.
    pos_label : class or None, default=None
        Class whose recall ``validation_recall`` is. None: the second class where there are two,
        else the mean over the classes.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Of the convolutions in training; ``"auto"`` is bfloat16 where the processor has it.
    inference_precision : {"float32", "bfloat16", "auto"}, default="float32"
        Of the convolutions in predictions.
    device : {"auto", "cpu", "cuda"}, default="auto"
    replay_size : int, default=128
        Training images kept in the model, prepared, for `partial_fit` to learn from again.
    n_jobs : int or None, default=None
        Threads; -1 is all processors. None takes `SECONDLOOK_NUM_THREADS`,
        else `OMP_NUM_THREADS`, else all processors that this process may use.
    random_state : int, RandomState or None, default=None
        Seed of weights, split, order, augmentation and dropout.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes_,)
        Labels, sorted: the columns of `predict_proba`.
    n_classes_ : int
    history_ : dict of str to ndarray of shape (n_epochs,)
        ``loss`` of the training batches; ``validation_loss``, ``validation_accuracy`` and
        ``validation_recall``, as `pos_label` says, NaN where no image of the class is held out,
        with a warning (a mean is over the classes of which images are);
        ``learning_rate``, ``seconds``, and ``wait_fraction`` of them spent waiting for images.
    skipped_ : list of (int, str)
        Index and message of each image that could not be read, with ``fit(skip_broken=True)``.
    near_duplicates_ : ndarray of shape (n_pairs, 2)
        Indices of images that look alike; sought where `fit` is given no groups.

    References
    ----------
    M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, "MobileNetV2: Inverted Residuals and
    Linear Bottlenecks", CVPR 2018. K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for
    Image Recognition", CVPR 2016. K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for
    Large-Scale Image Recognition", ICLR 2015. H. Zhang, M. Cissé, Y. N. Dauphin, D. Lopez-Paz,
    "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import ImageClassifier
    >>> images = np.random.default_rng(0).integers(0, 100, size=(60, 16, 16), dtype=np.uint8)
    >>> images[30:, 4:9, 4:9] += 120  # a hot spot
    >>> y = np.repeat(["good", "hot"], 30)
    >>> model = ImageClassifier("small_cnn", image_size=16, max_epochs=4, random_state=0)
    >>> model.fit(images, y, groups=range(60)).predict(images[[0, 59]])
    array(['good', 'hot'], dtype='<U4')
    """

    _core_type: ClassVar[Any] = _image.ImageClassifier
    _model: "_image.ImageClassifier"
    # Images that `IncrementalLearner` keeps to train on and to judge on.
    _default_memory: ClassVar[tuple[int, int]] = (300, 300)

    def __init__(
        self,
        architecture: Literal["mobilenet_v2", "small_cnn", "vgg16", "mlp"] = "mobilenet_v2",
        weights: str | os.PathLike[str] | None = None,
        *,
        image_size: int | tuple[int, int] = 224,
        channels: Literal[1, 3] | None = None,
        contrast: Contrast = "none",
        clipped_fraction: float = 0.01,
        value_range: tuple[float, float] = (0, 65535),
        mean: float | Sequence[float] | None = None,
        standard_deviation: float | Sequence[float] | None = None,
        padding: Literal["auto", "symmetric", "tensorflow"] = "auto",
        augmentation: Augmentation | None = None,
        trainable: Literal["all", "head"] | int = "all",
        optimizer: Literal["adamw", "sgd"] = "adamw",
        schedule: Literal["one_cycle", "cosine", "constant"] = "one_cycle",
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        label_smoothing: float = 0,
        mixup: float = 0,
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        weight_averaging: float = 0,
        batch_size: int = 32,
        max_epochs: int = 30,
        patience: int = 8,
        validation_fraction: float = 0.1,
        pos_label: Any = None,
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        inference_precision: Literal["auto", "float32", "bfloat16"] = "float32",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        replay_size: int = 128,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.architecture = architecture
        self.weights = weights
        self.image_size = image_size
        self.channels = channels
        self.contrast = contrast
        self.clipped_fraction = clipped_fraction
        self.value_range = value_range
        self.mean = mean
        self.standard_deviation = standard_deviation
        self.padding = padding
        self.augmentation = augmentation
        self.trainable = trainable
        self.optimizer = optimizer
        self.schedule = schedule
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.label_smoothing = label_smoothing
        self.mixup = mixup
        self.class_weight = class_weight
        self.weight_averaging = weight_averaging
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.pos_label = pos_label
        self.precision = precision
        self.inference_precision = inference_precision
        self.device = device
        self.replay_size = replay_size
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        skip_broken: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        callback: EpochCallback | None = None,
    ) -> Self:
        """Train anew.

        All images, as the network sees them, are in memory meanwhile.

        Parameters
        ----------
        X : sequence of images, array, or folder
            Each image as `secondlook.image.read_image` takes it: a path, bytes, an array or a
            Pillow image; sizes may differ. An array of shape (n, rows, columns) or
            (n, rows, columns, channels) is n images; one of three dimensions whose last is 1, 3 or
            4 and less than the one before looks like a single image with channels and is refused.
            A folder is its image files, sorted.
        y : array-like of shape (n,)
            Labels, of two classes at least: numbers, booleans or strings.
        groups : array-like of shape (n,) or None, default=None
            What each image belongs to, such as its patient; no group is both trained on and held
            back. None: every image by itself, and images that look alike raise a warning. Where no
            group can be held out without the last images of a class, a warning says so.
        skip_broken : bool, default=False
            Leave out what cannot be read, and list it in `skipped_`.
        checkpoint : path or None, default=None
            Written after every epoch, and continued from where it is there; removed at the end.
        callback : callable or None, default=None
            Called after every epoch with its figures, named as in `history_`, and ``epoch``.

        Returns
        -------
        self : ImageClassifier

        Raises
        ------
        ValueError
            If labels or groups do not fit the images, there is one class only, an image is broken
            (the message names the file), or a parameter is out of range.
        OSError
            If a file cannot be read.
        KeyboardInterrupt
            On Ctrl-C; after the first epoch the best model so far is there to use.
        """
        who = "ImageClassifier.fit"
        weights = None if self.weights is None else read_pickled_weights(who, self.weights)
        images = as_sequence(who, X)
        classes, labels = encoded(who, "labels", y, len(images))
        if classes.dtype.kind not in "biufU":
            raise ValueError(f"{who}: expected labels as numbers or strings, got {classes.dtype}")
        if len(classes) < 2:
            raise ValueError(f"{who}: expected at least 2 classes, got {len(classes)}")
        model = self._make_core(classes)
        numbers = np.empty(0, np.int64)
        if groups is not None:
            numbers = encoded(who, "groups", groups, len(images))[1]
        skipped: list[tuple[int, str]] = []
        inputs = as_core_images(who, images, self._size(), skipped if skip_broken else None)
        places = np.setdiff1d(np.arange(len(images)), [place for place, _ in skipped])
        try:
            with ProgressBar("Training") as bar:
                report = model.fit(
                    inputs,
                    labels[places],
                    numbers[places] if len(numbers) else numbers,
                    skip_broken,
                    "" if checkpoint is None else os.fspath(checkpoint),
                    weights,
                    _Progress(bar, callback),
                )
        finally:
            if model.fitted:
                self._model = model
                self.classes_ = classes
                self.n_classes_ = len(classes)
                for name in ("skipped_", "near_duplicates_"):  # of the images before
                    self.__dict__.pop(name, None)
        more = [(int(places[i]), message) for i, message in report["skipped"]]
        self.skipped_ = sorted(skipped + more)
        pairs = np.array(report["near_duplicates"], dtype=np.int64).reshape(-1, 3)[:, :2]
        self.near_duplicates_ = places[pairs]
        if len(pairs):
            first = self.near_duplicates_[0]
            look = (
                "1 pair of images looks"
                if len(pairs) == 1
                else f"{len(pairs)} pairs of images look"
            )
            warn_caller(
                f"{who}: {look} alike, such as {first[0]} and {first[1]} (near_duplicates_); "
                "put duplicates in one group (groups=...), otherwise the validation score is "
                "optimistic",
            )
        if report["none_held_out"]:
            warn_caller(
                f"{who}: no group could be held out for "
                f"validation_fraction={self.validation_fraction}, as each has more than that "
                "fraction of a class's images, or the last of them, so the model is validated on "
                "its training images and the score is optimistic",
            )
        if report["classes_not_held_out"] and self.validation_fraction > 0:
            absent = " and ".join(map(repr, classes[report["classes_not_held_out"]].tolist()))
            warn_caller(
                f"{who}: no image of class {absent} could be held out for "
                f"validation_fraction={self.validation_fraction}, so its recall is unknown (NaN) "
                "and no part of the validation score; give more images or groups of it, or a "
                "larger validation_fraction",
            )
        return self

    def partial_fit(self, X: Any, y: ArrayLike) -> Self:
        """Learn on: one pass over new images together with those kept for replay.

        At a tenth of the learning rate; normalisations keep their statistics. An untrained model is
        trained by `fit`. On an error nothing has changed.

        Parameters
        ----------
        X : sequence of images, array, or folder
            As `fit` takes them.
        y : array-like of shape (n,)
            Their labels, of classes that the training knew.

        Returns
        -------
        self : ImageClassifier
        """
        if not hasattr(self, "_model"):
            return self.fit(X, y)
        inputs, labels = self._labelled("ImageClassifier.partial_fit", X, y)
        model = self._model.copy()  # others may be predicting with the one in use
        with ProgressBar("Training") as bar:
            model.partial_fit(inputs, labels, _Progress(bar, None))
        self._model = model
        return self

    def predict_proba(
        self, X: Any, *, test_time_augmentation: Iterable[str] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        X : sequence of images, array, or folder
            As `fit` takes them.
        test_time_augmentation : collection of str or None, default=None
            Variations of each image to average with: ``"flip"``, the mirror image;
            ``"vertical_flip"``, the image upside down; ``"shift"``, four small shifts.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes_)
        """
        who = "ImageClassifier.predict_proba"
        model = self._fitted()
        variations = _test_time_variations(who, test_time_augmentation)
        inputs = self._images(who, X)
        with ProgressBar("Predicting") as bar:
            return model.predict_proba(inputs, variations, bar)

    def predict(
        self, X: Any, *, test_time_augmentation: Iterable[str] | None = None
    ) -> NDArray[Any]:
        """Return the most probable class of each image."""
        best = self.predict_proba(X, test_time_augmentation=test_time_augmentation).argmax(axis=1)
        predicted: NDArray[Any] = self.classes_[best]
        return predicted

    def anomaly_score(
        self, X: Any, *, normal: Any = None, test_time_augmentation: Iterable[str] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of not being normal: what `secondlook.decide` takes.

        Parameters
        ----------
        X : sequence of images, array, or folder
            As `fit` takes them.
        normal : class, optional
            The one of `classes_` that is normal; None: the first of two.
        test_time_augmentation : collection of str or None, default=None
            As of `predict_proba`.

        Returns
        -------
        score : ndarray of shape (n,)

        Raises
        ------
        ValueError
            If `normal` is no class, or not given where there are more than two.
        """
        column = self._normal_column("ImageClassifier.anomaly_score", normal)
        return _not_in_column(
            self.predict_proba(X, test_time_augmentation=test_time_augmentation), column
        )

    def decide(
        self, X: Any, *, normal: Any = None, test_time_augmentation: Iterable[str] | None = None
    ) -> NDArray[np.str_]:
        """Decide which images are abnormal, and which a person should look at.

        By `decision_rule_`, fitted on the `anomaly_score` of other images with the same `normal`
        and `test_time_augmentation`; where it has a feature distance, images unlike those of
        training are referred.

        Parameters
        ----------
        X : sequence of images, array, or folder
            As `fit` takes them.
        normal, test_time_augmentation
            As of `anomaly_score`.

        Returns
        -------
        decisions : ndarray of str of shape (n,)
            ``"negative"``, ``"refer"`` or ``"positive"``.

        Raises
        ------
        AttributeError
            If the model has no `decision_rule_`.

        Warns
        -----
        StaleDecisionWarning, DriftWarning
            As `DecisionRule.decide`.
        """
        who = "ImageClassifier.decide"
        model = self._fitted()
        rule = self._current_rule()
        if rule.feature_distance_ is None:
            return rule.decide(
                self.anomaly_score(X, normal=normal, test_time_augmentation=test_time_augmentation)
            )
        column = self._normal_column(who, normal)
        variations = _test_time_variations(who, test_time_augmentation)
        inputs = self._images(who, X)
        with ProgressBar("Predicting") as bar:
            p, features = model.predict_with_features(inputs, variations, bar)
        return rule.decide(_not_in_column(p, column), features=features)

    def features(self, X: Any) -> NDArray[np.float64]:
        """Return what the last layer sees: images unlike those of training lie far from theirs.

        Returns
        -------
        features : ndarray of shape (n, n_features)
        """
        who = "ImageClassifier.features"
        model = self._fitted()
        inputs = self._images(who, X)
        with ProgressBar("Predicting") as bar:
            return model.features(inputs, bar)

    def heatmap(self, image: Any, label: Any = None) -> NDArray[np.float32]:
        """Return which parts of an image speak for a class, by Grad-CAM.

        Parameters
        ----------
        image : path, bytes, array or PIL.Image.Image
        label : class or None, default=None
            One of `classes_`. None: the class predicted.

        Returns
        -------
        heatmap : float32 ndarray of the image's shape (rows, columns)
            From 0 to 1.

        Raises
        ------
        ValueError
            If the network has no feature maps (``"mlp"``), or `label` is no class.

        References
        ----------
        R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, "Grad-CAM: Visual
        Explanations from Deep Networks via Gradient-based Localization", ICCV 2017.
        """
        model = self._fitted()
        pixels = as_pixels("ImageClassifier.heatmap", image)
        return model.heatmap(pixels, self._class_index(pixels, label))

    def overlay(self, image: Any, label: Any = None, *, strength: float = 0.4) -> NDArray[np.uint8]:
        """Return a picture of why: the image with its heat map laid over it.

        Parameters
        ----------
        image : path, bytes, array or PIL.Image.Image
        label : class or None, default=None
            One of `classes_`. None: the class predicted.
        strength : float, default=0.4
            Of the heat map's colours, in [0, 1].

        Returns
        -------
        picture : uint8 ndarray of shape (rows, columns, 3)
        """
        model = self._fitted()
        who = "ImageClassifier.overlay"
        pixels = as_pixels(who, image)
        fraction = as_number(who, "strength", strength)
        return model.overlay(pixels, self._class_index(pixels, label), fraction)

    @property
    def history_(self) -> dict[str, NDArray[np.float64]]:
        """Figures of each epoch, by name."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError("ImageClassifier: not fitted yet, call fit first")
        return self._model.history

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def _fitted(self) -> "_image.ImageClassifier":
        if not hasattr(self, "_model"):
            raise NotFittedError("ImageClassifier: not fitted yet, call fit first")
        return self._model

    def _images(self, who: str, X: Any) -> list[Any]:
        return as_core_images(who, as_sequence(who, X), self._size())

    def _size(self) -> tuple[int, int]:
        return rows_and_columns("ImageClassifier", "image_size", self.image_size)

    def _labelled(self, who: str, X: Any, y: ArrayLike) -> tuple[list[Any], NDArray[np.int64]]:
        """Return what the core takes: images, and the columns of their labels."""
        images = as_sequence(who, X)
        known, places = encoded(who, "labels", y, len(images))
        columns = {label: column for column, label in enumerate(self.classes_.tolist())}
        for label in known.tolist():
            if label not in columns:
                raise ValueError(f"{who}: expected labels of {list(columns)}, got {label!r}")
        labels = np.array([columns[label] for label in known.tolist()], dtype=np.int64)[places]
        return as_core_images(who, images, self._size()), labels

    def _learning_rows(self, who: str, X: Any, y: ArrayLike | None) -> NDArray[np.float32]:
        """Return what `IncrementalLearner` learns from."""
        model = self._fitted()
        if y is None:
            raise ValueError(f"{who}: expected labels of the images, got none")
        return model.labelled_rows(*self._labelled(who, X, y))

    def _normal_column(self, who: str, normal: Any) -> int:
        self._fitted()
        if normal is None and len(self.classes_) == 2:
            return 0
        return self._column(who, "normal", normal)

    def _class_index(self, pixels: Pixels, label: Any) -> int:
        if label is None:
            return int(self._model.predict_proba([pixels], {}, None).argmax())
        return self._column("ImageClassifier", "label", label)

    def _column(self, who: str, name: str, label: Any) -> int:
        found = np.flatnonzero(self.classes_ == label)
        if len(found) != 1:
            raise ValueError(
                f"{who}: expected {name} as one of {self.classes_.tolist()}, got {label!r}"
            )
        return int(found[0])

    def _make_core(self, classes: NDArray[Any]) -> "_image.ImageClassifier":
        who = "ImageClassifier"
        rows, columns = self._size()
        if not isinstance(self.augmentation, Augmentation | None):
            raise ValueError(
                f"{who}: augmentation: expected an Augmentation or None, got {self.augmentation!r}"
            )
        blocks = {"all": -1, "head": 0}.get(str(self.trainable), self.trainable)
        if isinstance(blocks, bool) or not isinstance(blocks, int | np.integer):
            raise ValueError(
                f"{who}: trainable: expected 'all', 'head' or a number of blocks, got {blocks!r}"
            )
        parameters: dict[str, Any] = {
            "architecture": self.architecture,
            "weights": "" if self.weights is None else os.fspath(self.weights),
            "height": rows,
            "width": columns,
            "channels": self.channels or 0,
            "contrast": self.contrast,
            "clipped_fraction": self.clipped_fraction,
            "value_range": as_numbers(who, "value_range", self.value_range, 2),
            "mean": [] if self.mean is None else one_or_three(who, "mean", self.mean),
            "standard_deviation": []
            if self.standard_deviation is None
            else one_or_three(who, "standard_deviation", self.standard_deviation),
            "padding": self.padding,
            "augmentation": {} if self.augmentation is None else asdict(self.augmentation),
            "trained_blocks": blocks,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "learning_rate": self.learning_rate,
            "weight_decay": self.weight_decay,
            "label_smoothing": self.label_smoothing,
            "mixup": self.mixup,
            "class_weighting": "none",
            "class_weights": [],
            "weight_averaging": self.weight_averaging,
            "batch_size": self.batch_size,
            "max_epochs": self.max_epochs,
            "patience": self.patience,
            "validation_fraction": self.validation_fraction,
            "positive_class": self._positive_class(who, classes),
            "precision": self.precision,
            "inference_precision": self.inference_precision,
            "device": self.device,
            "replay_size": self.replay_size,
            "seed": seed_of(self.random_state),
            "n_jobs": requested_threads(who, self.n_jobs),
        }
        if self.class_weight == "balanced":
            parameters["class_weighting"] = "balanced"
        elif isinstance(self.class_weight, Mapping):
            parameters["class_weights"] = _weights(who, self.class_weight, classes.tolist())
        elif self.class_weight is not None:
            raise ValueError(
                f"{who}: class_weight: expected 'balanced', a dict or None, "
                f"got {self.class_weight!r}"
            )
        return _image.ImageClassifier(**parameters)

    def _positive_class(self, who: str, classes: NDArray[Any]) -> int:
        if self.pos_label is None:
            return -1
        found = np.flatnonzero(classes == self.pos_label)
        if len(found) != 1:
            raise ValueError(
                f"{who}: pos_label: expected one of {classes.tolist()} or None, "
                f"got {self.pos_label!r}"
            )
        return int(found[0])

    def _to_model_file(self) -> "_core.store.ModelFile":
        file = self._fitted().to_file()
        file.set_section("classes", json.dumps(self.classes_.tolist()))
        self._write_rule(file)
        return file

    @classmethod
    def _from_model_file(cls, file: "_core.store.ModelFile") -> Self:
        core = _image.ImageClassifier.from_file(file)
        p = core.parameters
        classes = json.loads(file.sections.get("classes", "null"))
        if classes is None:
            classes = list(range(core.n_classes))
        if len(classes) != core.n_classes:
            raise ModelFileError(
                f"ImageClassifier: expected {core.n_classes} classes, got {len(classes)}"
            )
        rows, columns = p.pop("height"), p.pop("width")
        blocks, seed = p.pop("trained_blocks"), p.pop("seed")
        weighting, weights = p.pop("class_weighting"), p.pop("class_weights")
        positive = p.pop("positive_class")
        augmentation = Augmentation(**p.pop("augmentation"))
        class_weight: Any = "balanced" if weighting == "balanced" else None
        if weights:
            class_weight = dict(zip(classes, weights, strict=True))
        model = cls(
            **{
                **p,
                "weights": p["weights"] or None,
                "image_size": rows if rows == columns else (rows, columns),
                "channels": p["channels"] or None,
                "value_range": tuple(p["value_range"]),
                "mean": _one_or_three(p["mean"]),
                "standard_deviation": _one_or_three(p["standard_deviation"]),
                "augmentation": None if augmentation == Augmentation() else augmentation,
                "trainable": {-1: "all", 0: "head"}.get(blocks, blocks),
                "class_weight": class_weight,
                "pos_label": None if positive < 0 else classes[positive],
                "n_jobs": p["n_jobs"] or None,
                "random_state": seed,
            }
        )
        model._model = core
        model.classes_ = np.array(classes)
        model.n_classes_ = core.n_classes
        model._read_rule(file)
        return model


class _Progress:
    """Tells a progress bar of every step, and a callback of every epoch."""

    def __init__(self, bar: ProgressBar, callback: EpochCallback | None) -> None:
        self._bar = bar
        self._callback = callback
        self._epoch = 0
        self._note = ""

    def __call__(
        self, done: int, total: int, epoch: int, loss: float, last: dict[str, float] | None
    ) -> None:
        if last is not None and epoch > self._epoch:
            recall = last["validation_recall"]
            self._note = f", validation {last['validation_loss']:.3f}"
            if not np.isnan(recall):  # no image of the class is held out
                self._note += f", recall {recall:.1%}"
            first = self._epoch == 0 and epoch > 1  # continued: the epochs before are told already
            self._epoch = epoch
            if self._callback is not None and not first:
                self._callback({"epoch": epoch, **last})
        self._bar(done, total, f"epoch {epoch + 1}, loss {loss:.3f}{self._note}")


def _test_time_variations(who: str, names: Iterable[str] | None) -> dict[str, bool]:
    """Return the variations that are wanted, as the core takes them."""
    known = ("flip", "vertical_flip", "shift")
    wanted = () if names is None else (names,) if isinstance(names, str) else names
    chosen = list(wanted) if isinstance(wanted, Iterable) else [wanted]
    if not all(name in known for name in chosen):
        raise ValueError(f"{who}: test_time_augmentation: expected some of {known}, got {names!r}")
    return dict.fromkeys(chosen, True)


def _not_in_column(p: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    """Return the probability of the other classes; of two, as the network gives it."""
    return p[:, 1 - column].copy() if p.shape[1] == 2 else 1 - p[:, column]


def _weights(who: str, given: Mapping[Any, Any], classes: list[Any]) -> list[Any]:
    """Return the weights of the classes, those given and 1 for the others."""
    for label, weight in given.items():
        if label not in classes:
            raise ValueError(f"{who}: class_weight: expected classes of {classes}, got {label!r}")
        if not isinstance(weight, int | float | np.number) or not 0 < weight < np.inf:
            raise ValueError(
                f"{who}: class_weight: expected a number above 0 for {label!r}, got {weight!r}"
            )
    return [given.get(label, 1) for label in classes]


def _one_or_three(values: list[float]) -> Any:
    return None if not values else values[0] if len(values) == 1 else tuple(values)
