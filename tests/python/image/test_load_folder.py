import pickle
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

from hypothesis import given, settings
from hypothesis import strategies as st

import secondlook as sl
from secondlook.image import ImageFolder, list_images, load_folder

Image = pytest.importorskip("PIL.Image", reason="Pillow writes the files to read")

PICTURE = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8)


def write(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PICTURE).save(root / name)


@pytest.fixture
def root(tmp_path):
    """Two classes; the patient is the letter before the number."""
    write(tmp_path, "good/a1.png", "good/deep/b1.png", "good/b2.png", "hot/a2.png", "hot/c1.png")
    return tmp_path


def test_labels_are_the_names_of_the_class_folders(root):
    write(root, "hot/.hidden.png", ".cache/x.png", "__MACOSX/y.png")
    (root / "hot" / "notes.txt").write_text("no image")
    folder = load_folder(root)
    paths, y, groups = folder
    assert paths == list_images(root / "good") + list_images(root / "hot")
    assert y.tolist() == ["good"] * 3 + ["hot"] * 2
    assert groups is None
    assert folder.classes == ["good", "hot"]
    assert len(folder) == 5
    assert load_folder(str(root)).paths == paths


def test_linked_class_folders_are_followed(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    write(outside, "z.png")
    (root / "cold").symlink_to(outside, target_is_directory=True)
    assert load_folder(root).labels.tolist() == ["cold"] + ["good"] * 3 + ["hot"] * 2


def test_groups_come_from_a_pattern_or_a_function(root):
    expected = ["a", "b", "b", "a", "c"]
    pattern = r"/([a-c])\d+\.png$"
    for groups in (pattern, re.compile(pattern), lambda path: path.name[0]):
        assert load_folder(root, groups=groups).groups.tolist() == expected
    numbers = load_folder(root, groups=lambda path: int(path.stem[1]))
    assert numbers.groups.tolist() == [1, 2, 1, 2, 1]


def test_classes_may_be_chosen(root):
    write(root, "beside.png")
    (root / "empty").mkdir()
    folder = load_folder(root, classes=["hot"])
    assert folder.labels.tolist() == ["hot", "hot"]
    assert folder.classes == ["hot"]
    with pytest.raises(ValueError, match=r"load_folder: expected classes among .*got 'cold'"):
        load_folder(root, classes=["cold"])


def test_other_folders_are_refused(root, tmp_path_factory):
    def refusal(folder, **options):
        with pytest.raises(ValueError) as error:
            load_folder(folder, **options)
        return str(error.value)

    empty = tmp_path_factory.mktemp("empty")
    assert refusal(empty / "no") == f"load_folder: expected a folder, got {empty / 'no'}"
    assert refusal(empty) == f"load_folder: expected image files in {empty}, got none"
    write(empty, "x.png", "y.png")
    assert refusal(empty).startswith(
        f"load_folder: expected one subfolder per class in {empty}, got 2 images and no subfolders;"
    )
    assert "got none in 'cold'" not in refusal(root, groups="(")
    write(root, "x.png", "y.png")
    assert refusal(root).startswith(
        f"load_folder: expected every image in the subfolder of its class, got {root / 'x.png'} "
        "and 1 more beside ['good', 'hot']; "
    )
    (root / "x.png").unlink()
    (root / "y.png").unlink()
    (root / "cold").mkdir()
    assert refusal(root) == (
        f"load_folder: expected images in every class folder, got none in {root / 'cold'}; remove "
        "it, or choose classes=[...]"
    )


def test_groups_that_cannot_be_read_are_refused(root):
    for groups, message in (
        (r"[ab]\d", r"with one group in parentheses, got 0 in "),
        (r"(.)(.)", r"with one group in parentheses, got 2 in "),
        (r"([ab])\d", r"expected a group in every path by .*, got none in .*c1\.png"),
        ("(", r"expected groups as a regular expression, got '\('"),
        (7, r"expected groups as a regular expression, a function or None, got 7"),
        (lambda path: None, r"expected groups of all images, got None for image 0"),
    ):
        with pytest.raises(ValueError, match=f"load_folder: .*{message}"):
            load_folder(root, groups=groups)


def cells_of(folder):
    return re.findall("<t[hd][^>]*>([^<]*)</t[hd]>", folder._repr_html_())


def test_it_shows_itself(root):
    folder = load_folder(root, groups=lambda path: path.name[0])
    assert repr(folder) == f"ImageFolder({str(root)!r}: 5 images: 3 good, 2 hot; 3 groups)"
    assert repr(load_folder(root)) == f"ImageFolder({str(root)!r}: 5 images: 3 good, 2 hot)"
    assert cells_of(folder) == ["class", "images", "groups", "good", "3", "2", "hot", "2", "2"]
    assert "groups" not in cells_of(load_folder(root))
    write(root, "<b>/z.png")
    assert "<b>" not in load_folder(root)._repr_html_()
    pytest.importorskip("pandas")
    table = folder.to_pandas()
    assert table.columns.tolist() == ["file", "label", "group"]
    assert table["file"].tolist() == [str(path) for path in folder.paths]
    assert load_folder(root).to_pandas().columns.tolist() == ["file", "label"]
    assert pickle.loads(pickle.dumps(folder)).paths == folder.paths


def folder_of(labels, groups):
    paths = [Path(f"{label}/{i}.png") for i, label in enumerate(labels)]
    names = np.array([f"c{label}" for label in labels])
    return ImageFolder(Path(), paths, names, groups, sorted(set(names.tolist())))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8)), min_size=2, max_size=60),
    st.floats(0.05, 0.95),
    st.integers(0, 5),
)
def test_a_split_never_puts_one_group_on_both_sides(rows, fraction, seed):
    folder = folder_of([label for label, _ in rows], np.array([group for _, group in rows]))
    try:
        train, test = folder.split(fraction, seed)
    except ValueError as error:
        assert "expected groups that can be spared" in str(error)
        return
    assert not set(train.groups.tolist()) & set(test.groups.tolist())
    assert sorted(train.paths + test.paths) == sorted(folder.paths)
    assert set(train.labels) == set(folder.labels)  # no class loses its last group
    again = folder.split(fraction, seed)
    assert again[0].paths == train.paths


def test_a_split_has_the_fraction_of_each_class():
    labels = np.repeat([0, 1], [400, 100])
    train, test = folder_of(labels, np.arange(500) // 4).split(0.25, random_state=3)
    assert [(test.labels == name).sum() for name in ("c0", "c1")] == [100, 24]
    assert len(train) + len(test) == 500
    alone = folder_of(labels, None).split()
    assert [(alone[1].labels == name).sum() for name in ("c0", "c1")] == [80, 20]
    assert alone[1].groups is None


@pytest.mark.parametrize("fraction", [0, 1, -0.5, "half", None, float("nan")])
def test_a_split_needs_a_fraction(fraction):
    with pytest.raises(ValueError, match=r"ImageFolder\.split: expected test_fraction in \(0, 1\)"):
        folder_of([0, 1], None).split(fraction)


def test_a_split_without_groups_to_spare_is_refused():
    with pytest.raises(ValueError, match="expected groups that can be spared for .*0.2, got none"):
        folder_of([0, 0, 1, 1], np.zeros(4, int)).split()


# ---- with the classifier ----


def squares(root, n, seed=0):
    """Noise and, in every second image, a bright square, in class folders."""
    random = np.random.default_rng(seed)
    for i in range(n):
        image = random.integers(0, 100, size=(16, 16), dtype=np.uint8)
        if i % 2:
            top, left = random.integers(0, 10, size=2)
            image[top : top + 6, left : left + 6] += 120
        file = root / ("square" if i % 2 else "noise") / f"p{i // 2:03}_{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    return root


def small(**options):
    defaults = {"image_size": 16, "max_epochs": 2, "batch_size": 16, "random_state": 0, "n_jobs": 1}
    return sl.ImageClassifier("small_cnn", **{**defaults, **options})


def test_fit_takes_a_folder_like_the_paths_and_labels_in_it(tmp_path):
    root = squares(tmp_path, 40)
    pattern = r"p(\d+)_"
    folder = load_folder(root, groups=pattern)
    expected = small().fit(folder.paths, folder.labels, folder.groups).predict_proba(root)
    for model in (
        small().fit(root, groups=pattern),
        small().fit(str(root), groups=lambda path: path.name.split("_")[0]),
        small().fit(root, groups=folder.groups),
        small().fit(folder),
    ):
        assert model.classes_.tolist() == ["noise", "square"]
        np.testing.assert_array_equal(model.predict_proba(folder), expected)
    assert model.partial_fit(folder).predict(folder.paths[0]).shape == (1,)
    assert model.score(folder.paths, folder.labels) == model.score(root, folder.labels)


def test_folders_that_cannot_be_trained_on_are_refused(tmp_path):
    root = squares(tmp_path / "images", 8)
    folder = load_folder(root)
    way_out = r"expected y or class folders, got both; leave out y, or give .*list_images"
    for X in (root, str(root), folder):
        with pytest.raises(ValueError, match=rf"ImageClassifier\.fit: {way_out}"):
            small().fit(X, folder.labels)
    assert small(max_epochs=1).fit(list_images(root), folder.labels, range(8)).n_classes_ == 2
    with pytest.raises(ValueError, match=r"fit: expected labels y, got None; only folders"):
        small().fit(folder.paths)
    with pytest.raises(ValueError, match=r"fit: expected one group per image, got 'p\(.\)'"):
        small().fit(folder, groups="p(.)")
    with pytest.raises(ValueError, match="fit: expected at least 2 classes, got 1"):
        small().fit(load_folder(root, classes=["noise"]))
    with pytest.raises(ValueError, match=r"fit: expected one subfolder per class in .*noise, got"):
        small().fit(root / "noise")
    write(root, "rare/only.png")
    told = r"fit: expected at least 2 images of each class, got 1 of 'rare' in .*images; add some"
    with pytest.raises(ValueError, match=told):
        small().fit(root)
