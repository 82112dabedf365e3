import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

import secondlook as sl
from secondlook.image import map_agreement
from secondlook.image.occlusion import occlusion_map_of


def marked(n, seed=0):
    """Noise, of which every second image has a marker in the upper left corner."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 100, size=(n, 24, 24), dtype=np.uint8)
    images[1::2, 1:7, 1:7] += 120
    return images, np.where(np.arange(n) % 2, "marked", "plain")


@pytest.fixture(scope="module")
def fitted():
    images, y = marked(96)
    options = {"image_size": 24, "max_epochs": 4, "batch_size": 16, "random_state": 0, "n_jobs": 1}
    return sl.ImageClassifier("small_cnn", **options).fit(images, y, groups=range(96))


def brightness_of_corner(images):
    p = np.array([image[:5, :5].mean() / 255 for image in images])
    return np.column_stack([1 - p, p])


def occluded(predict, pixels, **options):
    defaults = {
        "input_size": (20, 20),
        "value_range": (0, 65535),
        "patch_size": 0.25,
        "stride": 0.25,
        "filling": "mean",
    }
    return occlusion_map_of("who", predict, pixels, 1, **{**defaults, **options})


def test_the_map_is_the_loss_of_a_known_function():
    pixels = np.zeros((20, 20), np.uint8)
    pixels[:5, :5] = 160  # the mean of the image is 10
    found = occluded(brightness_of_corner, pixels)
    expected = np.zeros((20, 20))
    expected[:5, :5] = (160 - 10) / 255
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(("stride", "n"), [(0.25, 16), (0.1, 81), (0.125, 49)])
def test_the_cost_is_as_stated(stride, n):
    counts = []

    def predict(images):
        counts.append(len(images))
        return brightness_of_corner(images)

    occluded(
        predict, np.zeros((20, 20), np.uint8), patch_size=0.25 if n != 81 else 0.2, stride=stride
    )
    assert sum(counts) == n + 1
    assert max(counts) <= 64


def test_a_classifier_of_markers_looks_at_the_marker(fitted):
    images, y = marked(20, seed=5)
    assert fitted.score(images, y) == 1
    shown = fitted.occlusion_map(images[1])
    assert shown.shape == (24, 24)
    assert shown.dtype == np.float32
    assert shown[:8, :8].mean() > 10 * abs(shown[8:, 8:].mean())
    # What supports one class speaks against the other.
    np.testing.assert_allclose(fitted.occlusion_map(images[1], "plain"), -shown, atol=1e-6)


def test_maps_have_the_size_of_the_image_and_depend_on_its_content_only(fitted):
    image = marked(2)[0][1]
    large = image.repeat(3, axis=0).repeat(2, axis=1)
    shown = fitted.occlusion_map(large)
    assert shown.shape == (72, 48)
    assert map_agreement(shown, fitted.occlusion_map(image), grid=4) > 0.9
    colour = np.stack([image] * 3, axis=-1)
    assert fitted.occlusion_map(colour).shape == (24, 24)


def test_a_fully_connected_network_has_occlusion_maps():
    images, y = marked(64)
    model = sl.ImageClassifier("mlp", image_size=24, max_epochs=3, random_state=0, n_jobs=1)
    model.fit(images, y, groups=range(64))
    with pytest.raises(ValueError, match="mlp"):
        model.heatmap(images[1])
    shown = model.occlusion_map(images[1], patch_size=0.25, stride=0.25)
    assert shown[:8, :8].mean() > shown[8:, 8:].mean()


def test_agreement_is_a_rank_correlation_over_a_grid():
    random = np.random.default_rng(0)
    first = random.random((28, 28))
    cells = first.reshape(7, 4, 7, 4).mean(axis=(1, 3))
    assert map_agreement(first, np.exp(9 * cells)) == 1  # ranks only, and another size
    assert map_agreement(first, -first) == -1
    unrelated = [map_agreement(first, random.random((28, 28))) for _ in range(200)]
    assert abs(np.mean(unrelated)) < 4 / np.sqrt(200 * 48)
    assert np.isnan(map_agreement(first, np.ones((28, 28))))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch_size": 0}, r"expected patch_size in \(0, 1\), got 0"),
        ({"patch_size": 1}, r"expected patch_size in \(0, 1\), got 1"),
        ({"stride": 0}, r"expected stride in \(0, patch_size\], got 0"),
        ({"stride": 0.3}, "a larger one leaves gaps"),
        ({"filling": "black"}, "expected fillings among"),
        ({"label": "unknown"}, "expected label as one of"),
    ],
)
def test_names_bad_options(fitted, options, message):
    with pytest.raises(ValueError, match=message):
        fitted.occlusion_map(np.zeros((24, 24), np.uint8), **options)


@pytest.mark.parametrize(
    ("first", "grid", "message"),
    [
        (np.ones((5, 9)), 7, "at least 7 rows and columns, got shape"),
        (np.full((9, 9), np.nan), 7, "expected finite maps"),
        (np.ones(9), 7, "expected finite maps"),
        (np.ones((9, 9)), 1, "expected grid as a whole number from 2"),
    ],
)
def test_names_bad_maps(first, grid, message):
    with pytest.raises(ValueError, match=f"map_agreement: .*{message}"):
        map_agreement(first, np.ones((9, 9)), grid=grid)
