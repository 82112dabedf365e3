"""Model files of older format versions stay readable: see tests/fixtures/README.md."""

import json
import struct

import numpy as np
import pytest

import secondlook as sl
from secondlook.store import ModelFile


@pytest.fixture
def version_1(checkout):
    return checkout / "tests" / "fixtures" / "isolation_forest_v1.safetensors"


def test_the_fixture_is_of_the_version_that_its_name_says(version_1):
    raw = version_1.read_bytes()
    header = json.loads(raw[8 : 8 + struct.unpack("<Q", raw[:8])[0]])
    assert json.loads(header["__metadata__"]["secondlook"])["format_version"] == 1


def test_a_forest_of_version_1_scores_as_it_did_when_it_was_written(version_1):
    tensors = ModelFile.read(version_1).tensors
    forest = sl.load(version_1)
    assert isinstance(forest, sl.IsolationForest)
    np.testing.assert_array_equal(
        forest.score_samples(tensors["rows"]), tensors["expected_scores"], strict=True
    )


def test_the_same_seed_gives_the_scores_that_it_gives_in_cpp(version_1):
    # tests/cpp/detect/model_file_fixture_test.cpp fits on the same rows and expects the same bits.
    tensors = ModelFile.read(version_1).tensors
    forest = sl.IsolationForest(5, 16, contamination=0.125, random_state=7)
    forest.fit(tensors["training_rows"])
    np.testing.assert_array_equal(
        forest.score_samples(tensors["rows"]), tensors["expected_scores"], strict=True
    )
    assert forest.offset_ == sl.load(version_1).offset_
