"""Mixin of image classifiers that show what a prediction depends on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.arguments import as_number
from secondlook.image.decode import Pixels, as_pixels
from secondlook.image.fillings import Filling, as_fillings
from secondlook.image.has_fitted_model import HasFittedModel
from secondlook.image.occlusion import occlusion_map_of


class ExplainsImages(HasFittedModel):
    """Mixin of image classifiers that show which parts of an image support a class."""

    value_range: tuple[float, float]

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

    def occlusion_map(
        self,
        image: Any,
        label: Any = None,
        *,
        patch_size: float = 0.2,
        stride: float = 0.1,
        filling: Filling = "surroundings",
    ) -> NDArray[np.float32]:
        """Return how much of a class's probability is lost where the image is covered.

        A patch is moved over the image from edge to edge; each pixel gets the mean loss of the
        patches that cover it. Unlike Grad-CAM this works with every architecture and at any
        resolution, but it takes about ``((1 - patch_size) / stride + 1) ** 2 + 1`` predictions: 82
        with the defaults.

        Parameters
        ----------
        image : path, bytes, array or PIL.Image.Image
        label : class or None, default=None
            One of `classes_`. None: the predicted class.
        patch_size : float, default=0.2
            Height and width of the patch relative to those of the input, in (0, 1).
        stride : float, default=0.1
            Largest step between patches, likewise; at most `patch_size`.
        filling : {"surroundings", "noise", "mean", "grey", "blur"}, default="surroundings"
            What the patch shows, see `secondlook.image.region_reliance`.

        Returns
        -------
        occlusion_map : float32 ndarray of shape (rows, columns), of the image
            From -1 to 1; negative where the image speaks against the class.

        Raises
        ------
        ValueError
            If `label` is not one of `classes_`, or an argument is out of range.

        References
        ----------
        M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
        """
        who = "ImageClassifier.occlusion_map"
        model = self._fitted()
        pixels = as_pixels(who, image)
        return occlusion_map_of(
            who,
            lambda images: model.predict_proba(images, {}, None),
            pixels,
            self._class_index(pixels, label),
            input_size=self._size(),
            value_range=self.value_range,
            patch_size=patch_size,
            stride=stride,
            filling=as_fillings(who, filling)[0],
        )

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

    def _class_index(self, pixels: Pixels, label: Any) -> int:
        if label is None:
            return int(self._model.predict_proba([pixels], {}, None).argmax())
        return self._column("ImageClassifier", "label", label)
