"""Trainings are recorded in an offline run of Weights & Biases."""

import json
import struct
import time

import pytest

import secondlook as sl

wandb = pytest.importorskip("wandb", reason="the adapter needs wandb")
from secondlook.integrations import WandbLogger  # noqa: E402

pytestmark = pytest.mark.slow  # each check trains or writes a database


def records_of(run_folder):
    """Records of an offline run, whose last ones may be written after `finish` returns."""
    (file,) = run_folder.glob("run-*.wandb")
    end = time.monotonic() + 60
    while True:
        records = list(read_records(file))
        if records and records[-1].HasField("exit"):
            return records
        assert time.monotonic() < end, f"{file} has no end"
        time.sleep(0.05)


def read_records(file):
    """Records of a file that is a LevelDB log of protobuf messages."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, place, pieces = file.read_bytes(), 7, b""  # after the file's own header
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        if left < 7:  # no header fits into the rest of a block
            place += left
            continue
        length, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        pieces += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or its last piece
            record = Record()
            record.ParseFromString(pieces)
            pieces = b""
            yield record


def rows_of(records, *names):
    """History rows that have all of these columns."""
    for record in records:
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            row = {
                item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items
            }
            if set(names) <= row.keys():
                yield tuple(row[name] for name in names)


def test_an_image_classifier_is_recorded_epoch_by_epoch(pictures, classifier_parameters, tmp_path):
    with wandb.init(project="tests", mode="offline", dir=tmp_path) as run:
        logger = WandbLogger(run)
        model = sl.ImageClassifier(**classifier_parameters)
        model.fit(**pictures, callback=logger)
        logger.log_model(model)
        config, folder = dict(run.config), tmp_path / "wandb"
    (run_folder,) = folder.glob("offline-run-*")
    records = records_of(run_folder)
    losses = model.history_["validation_loss"]
    assert list(rows_of(records, "epoch", "validation_loss")) == list(enumerate(losses, start=1))
    assert config.keys() == model.get_params().keys()
    assert config["architecture"] == "small_cnn"
    assert config["value_range"] == [0, 65535]
    (artifact,) = [r.request.log_artifact.artifact for r in records if r.HasField("request")] or [
        r.artifact for r in records if r.HasField("artifact")
    ]
    assert artifact.type == "model"
    assert [entry.path for entry in artifact.manifest.contents] == ["model.safetensors"]
    assert list(run_folder.glob("files/media/images/history_*.png"))


def test_epochs_of_an_autoencoder_are_recorded_after_training(rows, tmp_path):
    model = sl.Autoencoder(max_epochs=3, random_state=0).fit(rows)
    picture = sl.plot.scores(model.score_samples(rows), threshold=model.offset_)
    with wandb.init(project="tests", mode="offline", dir=tmp_path):
        WandbLogger().log_model(model, figures={"scores": picture})
    (run_folder,) = (tmp_path / "wandb").glob("offline-run-*")
    expected = list(enumerate(model.history_["loss"], start=1))
    assert list(rows_of(records_of(run_folder), "epoch", "loss")) == expected
    assert list(run_folder.glob("files/media/images/scores_*.png"))


def test_without_a_run_there_is_an_error_with_the_way_out():
    with pytest.raises(ValueError, match=r"expected a current run, got none; use wandb.init"):
        WandbLogger()
