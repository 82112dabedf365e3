import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

from scipy.ndimage import zoom

from secondlook.image import list_images, read_image
from secondlook.jobs import find_lungs, simulated_xrays


def drawn(n_patients=20, seed=0):
    """Simulated X-rays, and their lungs as they were drawn: the two largest ellipses of each."""
    ellipses, images = [], []
    draw = simulated_xrays._ellipse

    def remembered(centre, radii):
        ellipses[-1].append(draw(centre, radii) >= 0.5)
        return draw(centre, radii)

    random = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated_xrays, "_ellipse", remembered)
        for number in range(n_patients):
            ellipses.append([])
            body = simulated_xrays._patient(random)
            images.append(simulated_xrays._xray(body, number % 2 == 1, random))
    return images, [pair[0] | pair[1] for pair in ellipses]


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


def test_drawn_lungs_are_found_with_an_overlap_of_four_fifths():
    images, lungs = drawn()
    fields = [find_lungs(image) for image in images]
    assert not any(field.reason for field in fields)
    overlaps = [overlap(field.mask, mask) for field, mask in zip(fields, lungs, strict=True)]
    assert np.mean(overlaps) > 0.78
    assert min(overlaps) > 0.7


def test_size_depth_and_colour_of_the_image_change_little():
    (image,), (lungs,) = drawn(1)
    large = zoom(image.astype(float), (3, 2), order=1)
    field = find_lungs((large * 100).astype(np.uint16))
    assert field.mask.shape == (192, 128)
    assert field.mask.dtype == np.bool_
    assert overlap(field.mask[1::3, 1::2], lungs) > 0.7
    colour = find_lungs(np.stack([image] * 3, axis=-1))
    assert (colour.mask == find_lungs(image).mask).all()


def test_a_mirror_image_has_the_mirrored_lungs():
    (image,), _ = drawn(1)
    mirrored = find_lungs(image[:, ::-1]).mask[:, ::-1]
    assert overlap(mirrored, find_lungs(image).mask) > 0.85


def slope(size=64):
    return np.tile(np.arange(size, dtype=np.uint8), (size, 1))


def one_lung():
    rows, columns = np.mgrid[0:64, 0:64] / 64
    inside = ((rows - 0.5) / 0.3) ** 2 + ((columns - 0.3) / 0.15) ** 2 < 1
    noise = np.random.default_rng(0).normal(0, 4, (64, 64))
    return np.clip(190 - 120 * inside + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.full((64, 64), 80, np.uint8), "the image has no contrast"),
        (slope(), "no two dark regions side by side: the contrast is"),
        (255 - drawn(1)[0][0], "no two dark regions side by side: the contrast is"),
        (one_lung(), "dark region"),
        (np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8), "dark region"),
    ],
    ids=["constant", "slope", "inverted", "one lung", "noise"],
)
def test_where_none_are_found_it_says_why(image, reason):
    field = find_lungs(image)
    assert field.mask is None
    assert reason in field.reason


def test_a_broken_image_is_an_error():
    with pytest.raises(ValueError, match="expected a JPEG, PNG, TIFF or BMP image"):
        find_lungs(b"not an image")


@pytest.mark.parametrize("name", ["xray_kermany/train", "xray_adults"])
def test_real_lungs_are_found_in_most_images_and_have_plausible_sizes(real_data, name):
    folder = real_data / name / "NORMAL"
    if not folder.is_dir():
        pytest.skip(f"no real X-rays: {folder} is not a folder")
    files = list_images(folder)
    files = files[:: len(files) // 20][:20]
    fields = [find_lungs(file) for file in files]
    found = [field for field in fields if field.mask is not None]
    assert len(found) >= 16
    for field, file in zip(fields, files, strict=True):
        if field.mask is None:
            continue
        assert field.mask.shape == read_image(file).shape[:2]
        assert 0.08 < field.mask.mean() < 0.65
        for half in np.array_split(field.mask, 2, axis=1):
            assert half.any()
