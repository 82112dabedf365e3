"""Image classifier."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError

from secondlook import _core, _image
from secondlook._shared.arguments import as_number
from secondlook._shared.progress import ProgressBar
from secondlook.decide.decision_rule import KeepsDecisionRule
from secondlook.errors import ModelFileError
from secondlook.image.augmentation import Augmentation
from secondlook.image.decode import Pixels, as_pixels
from secondlook.image.fit_warnings import (
    warn_of_absent_classes,
    warn_of_duplicates,
    warn_of_no_validation,
)
from secondlook.image.image_list import as_core_images, as_sequence, encoded
from secondlook.image.options import rows_and_columns
from secondlook.image.parameters import from_core, to_core, variations_of
from secondlook.image.preprocessing import Contrast
from secondlook.image.training_progress import EpochCallback, TrainingProgress
from secondlook.image.weights import read_pickled_weights
from secondlook.store.kept_in_file import KeptInFile


class ImageClassifier(KeptInFile, KeepsDecisionRule, ClassifierMixin, BaseEstimator):
    """Image classifier: a convolutional network, trained by LibTorch.

    Training keeps the weights with the lowest loss on the images held out. At a fixed number of
    threads the same seed gives the same network, also when training continues from a checkpoint.
    Ctrl-C ends training and keeps the best network so far.

    Parameters
    ----------
    architecture : {"mobilenet_v2", "small_cnn", "vgg16", "mlp"}, default="mobilenet_v2"
        ``"small_cnn"`` is a residual network of about a million weights, for images of at least 16
        pixels per side; ``"mlp"`` is fully connected, a baseline. The tensors of MobileNetV2 and
        VGG16 have torchvision's names.
    weights : path or None, default=None
        File of initial weights: safetensors, or a ``state_dict()`` written by ``torch.save``, by
        itself or as ``"state_dict"`` or ``"model"``, which is read without running code. Floats of
        16, 32 or 64 bits; names may have a prefix such as ``module.``. If the last layer is missing
        or has another number of classes, its weights are random.
    image_size : int or (int, int), default=224
        Rows and columns of the input of the network; images of any size are resized.
    channels : {None, 1, 3}, default=None
        Grey or colour. None: colour for MobileNetV2 and VGG16, otherwise grey if all images are.
    contrast : {"none", "stretch", "clahe"}, default="none"
        How the contrast of each image is normalised, see `secondlook.image.preprocess`.
    clipped_fraction : float, default=0.01
        Fraction of the pixels that ``"stretch"`` clips at either end.
    value_range : (float, float), default=(0, 65535)
        16-bit values and floats that become black and white, such as the coldest and the hottest
        temperature of interest: (-20, 80) for a thermogram in °C. Values outside are clipped. With
        the default, floats must lie in [0, 1].
    mean, standard_deviation : float, three floats or None, default=None
        Scale of the input, whose values are 0 to 1. None: 0.5 for MobileNetV2, ImageNet's for
        VGG16, those of the training images for the others.
    padding : {"auto", "symmetric", "tensorflow"}, default="auto"
        How convolutions of stride 2 pad the edges. ``"auto"``: as stated by the weights' file,
        otherwise symmetric, as in torchvision.
    augmentation : Augmentation or None, default=None
        Random variations of the training images.
    trainable : {"all", "head"} or int, default="all"
        Layers that are trained: all, the last one, or the last one and this many blocks before it.
    optimizer : {"adamw", "sgd"}, default="adamw"
        SGD has Nesterov momentum 0.9.
    schedule : {"one_cycle", "cosine", "constant"}, default="one_cycle"
        Schedule of the learning rate over all epochs.
    learning_rate : float, default=1e-3
        Largest learning rate of the schedule.
    weight_decay : float, default=1e-2
        Weight decay; biases and normalisations have none.
    label_smoothing : float, default=0
        Fraction of the target that is distributed evenly over all classes.
    mixup : float, default=0
        Images and their labels are blended pairwise, by fractions from ``Beta(mixup, mixup)``, in
        [0, 1]; 0: they are not.
    class_weight : {"balanced"}, dict of class to float, or None, default=None
        Weights of the classes in the loss; 1 for classes missing in a dict.
    weight_averaging : float, default=0
        Decay per step of an average of the weights, which is then validated and kept; 0: none.
    batch_size : int, default=32
    max_epochs : int, default=30
    patience : int, default=8
        Training ends after this many epochs without a lower validation loss.
    validation_fraction : float, default=0.1
        Fraction of the images held out, by whole groups. 0: none, and validation uses the training
        images; so it does, with a warning, if no group can be spared.
    pos_label : class or None, default=None
        Class of ``validation_recall``. None: the second of two classes, otherwise the mean over the
        classes.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Precision of the convolutions in training; ``"auto"`` is bfloat16 if the processor supports
        it.
    inference_precision : {"float32", "bfloat16", "auto"}, default="float32"
        Precision of the convolutions in predictions.
    device : {"auto", "cpu", "cuda"}, default="auto"
    replay_size : int, default=128
        Number of prepared training images kept in the model, for `partial_fit`.
    n_jobs : int or None, default=None
        Number of threads; -1: all processors. None: `SECONDLOOK_NUM_THREADS`, or if it is not set
        `OMP_NUM_THREADS`, or else all processors available to this process.
    random_state : int, RandomState or None, default=None
        Seed of weights, split, order, augmentation, mixup and dropout.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes_,)
        Sorted labels, in the order of the columns of `predict_proba`.
    n_classes_ : int
    history_ : dict of str to ndarray of shape (n_epochs,)
        ``loss`` of the training batches; ``validation_loss``, ``validation_accuracy`` and
        ``validation_recall`` (see `pos_label`; NaN, with a warning, if no image of the class is
        held out; a mean is over the classes with images held out); ``learning_rate``; ``seconds``;
        ``wait_fraction``, the fraction of the time spent waiting for images.
    skipped_ : list of (int, str)
        Index and message of each image that could not be read, with ``fit(skip_broken=True)``.
    near_duplicates_ : ndarray of shape (n_pairs, 2)
        Indices of images that look alike; searched only if `fit` is given no groups.

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
    # Number of images that `IncrementalLearner` keeps for replay and holds out.
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
        """Train a new network.

        All prepared images are held in memory.

        Parameters
        ----------
        X : sequence of images, array, or folder
            Each image is a path, bytes, an array or a Pillow image, see
            `secondlook.image.read_image`; sizes may differ. An array of shape (n, rows, columns) or
            (n, rows, columns, channels) is n images; one of three dimensions whose last is 1, 3 or
            4 and less than the one before looks like a single image with channels and is refused.
            A folder stands for its image files, sorted.
        y : array-like of shape (n,)
            Labels of at least two classes: numbers, booleans or strings.
        groups : array-like of shape (n,) or None, default=None
            Group of each image, such as its patient; no group is both trained on and held out.
            None: every image is its own group, with a warning about images that look alike. There
            is also a warning if no group can be held out without the last images of a class.
        skip_broken : bool, default=False
            Leave out images that cannot be read, and list them in `skipped_`.
        checkpoint : path or None, default=None
            File written after every epoch and removed at the end. If it exists, training continues
            from it.
        callback : callable or None, default=None
            Called after every epoch with a dict of its figures, named as in `history_`, and
            ``epoch``.

        Returns
        -------
        self : ImageClassifier

        Raises
        ------
        ValueError
            If labels or groups do not fit the images, there is a single class, an image is broken
            (the message names the file or the index of the first), or a parameter is out of range.
        OSError
            If a file cannot be read.
        KeyboardInterrupt
            On Ctrl-C; after the first epoch the best model so far is kept.
        """
        who = "ImageClassifier.fit"
        weights = None if self.weights is None else read_pickled_weights(who, self.weights)
        images = as_sequence(who, X)
        classes, labels = encoded(who, "labels", y, len(images))
        if classes.dtype.kind not in "biufU":
            raise ValueError(f"{who}: expected labels as numbers or strings, got {classes.dtype}")
        if len(classes) < 2:
            raise ValueError(f"{who}: expected at least 2 classes, got {len(classes)}")
        model = _image.ImageClassifier(**to_core(self, classes))
        numbers = np.empty(0, np.int64)
        if groups is not None:
            numbers = encoded(who, "groups", groups, len(images))[1]
        skipped: list[tuple[int, str]] = []
        inputs = as_core_images(who, images, self._size(), skipped if skip_broken else None)
        kept = np.setdiff1d(np.arange(len(images)), [index for index, _ in skipped])
        try:
            with ProgressBar("Training") as bar:
                report = model.fit(
                    inputs,
                    labels[kept],
                    numbers[kept] if len(numbers) else numbers,
                    skip_broken,
                    "" if checkpoint is None else os.fspath(checkpoint),
                    weights,
                    TrainingProgress(bar, callback),
                )
        finally:
            if model.fitted:
                self._model = model
                self.classes_ = classes
                self.n_classes_ = len(classes)
                for name in ("skipped_", "near_duplicates_"):  # about the images of an earlier fit
                    self.__dict__.pop(name, None)
        more = [(int(kept[i]), message) for i, message in report["skipped"]]
        self.skipped_ = sorted(skipped + more)
        pairs = np.array(report["near_duplicates"], dtype=np.int64).reshape(-1, 3)[:, :2]
        self.near_duplicates_ = kept[pairs]
        warn_of_duplicates(who, self.near_duplicates_)
        if report["none_held_out"]:
            warn_of_no_validation(who, self.validation_fraction)
        if report["classes_not_held_out"] and self.validation_fraction > 0:
            absent = classes[report["classes_not_held_out"]].tolist()
            warn_of_absent_classes(who, absent, self.validation_fraction)
        return self

    def partial_fit(self, X: Any, y: ArrayLike) -> Self:
        """Continue training: one pass over new images together with those kept for replay.

        At a tenth of the learning rate; normalisations keep their statistics. A model that is not
        fitted is trained by `fit`. On an error nothing has changed.

        Parameters
        ----------
        X : sequence of images, array, or folder
            See `fit`.
        y : array-like of shape (n,)
            Their labels, of the classes in `classes_`.

        Returns
        -------
        self : ImageClassifier
        """
        if not hasattr(self, "_model"):
            return self.fit(X, y)
        inputs, labels = self._labelled("ImageClassifier.partial_fit", X, y)
        model = self._model.copy()  # another thread may be predicting with this one
        with ProgressBar("Training") as bar:
            model.partial_fit(inputs, labels, TrainingProgress(bar, None))
        self._model = model
        return self

    def predict_proba(
        self, X: Any, *, test_time_augmentation: Iterable[str] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        X : sequence of images, array, or folder
            See `fit`.
        test_time_augmentation : collection of str or None, default=None
            Variations of each image to average with: ``"flip"``, the mirror image;
            ``"vertical_flip"``, the image upside down; ``"shift"``, four small shifts.

        Returns
        -------
        probabilities : ndarray of shape (n, n_classes_)
        """
        who = "ImageClassifier.predict_proba"
        model = self._fitted()
        variations = variations_of(who, test_time_augmentation)
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
        """Return the probability of not being normal, a score for `secondlook.decide`.

        Parameters
        ----------
        X : sequence of images, array, or folder
            See `fit`.
        normal : class, optional
            The normal class, one of `classes_`. None: the first of two.
        test_time_augmentation : collection of str or None, default=None
            See `predict_proba`.

        Returns
        -------
        score : ndarray of shape (n,)

        Raises
        ------
        ValueError
            If `normal` is not one of `classes_`, or is missing with more than two classes.
        """
        column = self._normal_column("ImageClassifier.anomaly_score", normal)
        return _not_in_column(
            self.predict_proba(X, test_time_augmentation=test_time_augmentation), column
        )

    def decide(
        self, X: Any, *, normal: Any = None, test_time_augmentation: Iterable[str] | None = None
    ) -> NDArray[np.str_]:
        """Decide which images are abnormal, and which a person should look at.

        Uses `decision_rule_`, which was fitted on the `anomaly_score` of other images with the same
        `normal` and `test_time_augmentation`. If the rule has a feature distance, images that are
        out of distribution are referred.

        Parameters
        ----------
        X : sequence of images, array, or folder
            See `fit`.
        normal, test_time_augmentation
            See `anomaly_score`.

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
            See `DecisionRule.decide`.
        """
        who = "ImageClassifier.decide"
        model = self._fitted()
        rule = self._current_rule()
        if rule.feature_distance_ is None:
            return rule.decide(
                self.anomaly_score(X, normal=normal, test_time_augmentation=test_time_augmentation)
            )
        column = self._normal_column(who, normal)
        variations = variations_of(who, test_time_augmentation)
        inputs = self._images(who, X)
        with ProgressBar("Predicting") as bar:
            p, features = model.predict_with_features(inputs, variations, bar)
        return rule.decide(_not_in_column(p, column), features=features)

    def features(self, X: Any) -> NDArray[np.float64]:
        """Return the input of the last layer.

        Features of out-of-distribution images are far from those of the training images.

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
        """Return which parts of an image support a class, by Grad-CAM.

        Parameters
        ----------
        image : path, bytes, array or PIL.Image.Image
        label : class or None, default=None
            One of `classes_`. None: the predicted class.

        Returns
        -------
        heatmap : float32 ndarray of shape (rows, columns), of the image
            Values from 0 to 1.

        Raises
        ------
        ValueError
            If the network has no feature maps (``"mlp"``), or `label` is not one of `classes_`.

        References
        ----------
        R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, "Grad-CAM: Visual
        Explanations from Deep Networks via Gradient-based Localization", ICCV 2017.
        """
        model = self._fitted()
        pixels = as_pixels("ImageClassifier.heatmap", image)
        return model.heatmap(pixels, self._class_index(pixels, label))

    def overlay(self, image: Any, label: Any = None, *, strength: float = 0.4) -> NDArray[np.uint8]:
        """Return the image overlaid with its heat map.

        Parameters
        ----------
        image : path, bytes, array or PIL.Image.Image
        label : class or None, default=None
            One of `classes_`. None: the predicted class.
        strength : float, default=0.4
            Opacity of the heat map, in [0, 1].

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
        """Return images for the core, and the column of the label of each."""
        images = as_sequence(who, X)
        known, indices = encoded(who, "labels", y, len(images))
        columns = {label: column for column, label in enumerate(self.classes_.tolist())}
        for label in known.tolist():
            if label not in columns:
                raise ValueError(f"{who}: expected labels among {list(columns)}, got {label!r}")
        labels = np.array([columns[label] for label in known.tolist()], dtype=np.int64)[indices]
        return as_core_images(who, images, self._size()), labels

    def _learning_rows(self, who: str, X: Any, y: ArrayLike | None) -> NDArray[np.float32]:
        """Return rows for the training of `IncrementalLearner`."""
        model = self._fitted()
        if y is None:
            raise ValueError(f"{who}: expected labels of the images, got None")
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

    def _to_model_file(self) -> "_core.store.ModelFile":
        file = self._fitted().to_file()
        file.set_section("classes", json.dumps(self.classes_.tolist()))
        self._write_rule(file)
        return file

    @classmethod
    def _from_model_file(cls, file: "_core.store.ModelFile") -> Self:
        core = _image.ImageClassifier.from_file(file)
        classes = json.loads(file.sections.get("classes", "null"))
        if classes is None:
            classes = list(range(core.n_classes))
        if len(classes) != core.n_classes:
            raise ModelFileError(
                f"ImageClassifier: expected {core.n_classes} classes, got {len(classes)}"
            )
        model = cls(**from_core(core.parameters, classes))
        model._model = core
        model.classes_ = np.array(classes)
        model.n_classes_ = core.n_classes
        model._read_rule(file)
        return model


def _not_in_column(p: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    """Return the probability of the other classes; of two classes without rounding it again."""
    return p[:, 1 - column].copy() if p.shape[1] == 2 else 1 - p[:, column]
