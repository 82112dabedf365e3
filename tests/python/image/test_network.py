import pytest

pytest.importorskip("torch", reason="the image room needs torch")

from secondlook.image import train_small_network


def test_training_lowers_the_loss_and_repeats() -> None:
    first, last = train_small_network(seed=3)
    assert last < 0.9 * first
    assert (first, last) == train_small_network(seed=3)


def test_sizes_of_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="expected sizes above 0, got 0 samples"):
        train_small_network(samples=0)
