"""Forked processes, as web servers and `multiprocessing` make them."""

import multiprocessing
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

import torch

import secondlook as sl

# Only a child that hangs is ever waited for so long.
A_LONG_TIME = 600


def squares(n):
    random = np.random.default_rng(0)
    images = random.integers(0, 100, (n, 32, 32), dtype=np.uint8)
    images[1::2, 8:18, 8:18] += 120
    return images, np.arange(n) % 2


def classifier(**options):
    defaults = {"image_size": 32, "max_epochs": 1, "random_state": 0}
    return sl.ImageClassifier("small_cnn", **{**defaults, **options})


def _in_child(what, file, results):
    """In the child: what a worker does with a model."""
    images, y = squares(64)
    model = sl.load(file) if what == "load" else MODEL
    if what == "fit":
        model = classifier(n_jobs=2).fit(images, y, groups=range(64))
    if what == "partial_fit":
        model.partial_fit(images[:16], y[:16])
    if what == "explain":
        assert model.heatmap(images[1]).shape == (32, 32)
    if what == "save":
        model.save(file.with_name("copy.safetensors"))
    results.put(model.predict_proba(images))


def _fork(what, file, depth=1):
    if depth > 1:  # a worker that forks its own
        pid = os.fork()
        if pid == 0:
            _fork(what, file)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        return None
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    worker = context.Process(target=_in_child, args=(what, file, results), daemon=True)
    worker.start()
    try:
        return results.get(timeout=A_LONG_TIME)
    finally:
        worker.kill()


def _serve(file, state, what):
    """As a server: load, perhaps predict, then fork."""
    global MODEL
    images, _ = squares(64)
    MODEL = sl.load(file)
    if state == "warm":
        MODEL.predict_proba(images)
    if state == "tired":
        torch.set_num_threads(2)
        torch.randn(500, 500) @ torch.randn(500, 500)
    there = _fork(what, file)
    if what in ("predict", "load", "explain", "save"):
        np.testing.assert_allclose(there, MODEL.predict_proba(images), atol=1e-5)
    assert there.shape == (64, 2)
    _fork(what, file, depth=2)
    # The parent goes on as before.
    assert MODEL.predict_proba(images).shape == (64, 2)


@pytest.mark.parametrize(
    ("n_jobs", "state", "what"),
    [
        (1, "cold", "predict"),
        (1, "warm", "predict"),
        (2, "cold", "predict"),
        (2, "warm", "predict"),
        (None, "warm", "predict"),
        (2, "tired", "predict"),
        (2, "warm", "load"),
        (2, "warm", "fit"),
        (2, "warm", "partial_fit"),
        (2, "warm", "explain"),
        (2, "warm", "save"),
    ],
)
def test_a_forked_process_works(n_jobs, state, what, tmp_path):
    file = tmp_path / "model.safetensors"
    images, y = squares(64)
    classifier(n_jobs=n_jobs).fit(images, y, groups=range(64)).save(file)
    # A process of its own, in which nothing has computed yet.
    settings = {
        k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    }
    done = subprocess.run(
        [sys.executable, __file__, str(file), state, what],
        env=settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    from pathlib import Path

    _serve(Path(sys.argv[1]), *sys.argv[2:])
