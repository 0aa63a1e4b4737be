"""Images in files: they take Pillow, and say so."""

import io
import sys

import numpy as np
import pytest

from layerkit import utils
from layerkit.utils.images import smart_resize


def test_without_pillow_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"load_img needs pillow.*pip install layerkit\[images\]"):
        utils.load_img("a.png")


def test_arrays_to_files_and_back(tmp_path: object) -> None:
    pytest.importorskip("PIL")
    for channels in (1, 3, 4):
        array = np.random.default_rng(channels).integers(0, 256, (5, 6, channels)).astype("float32")
        mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
        utils.save_img(tmp_path / "a.png", array, scale=False)
        np.testing.assert_array_equal(utils.img_to_array(utils.load_img(tmp_path / "a.png", mode)), array)
        first = utils.img_to_array(utils.load_img(str(tmp_path / "a.png"), mode), "channels_first")
        np.testing.assert_array_equal(first, array.transpose(2, 0, 1))
    memory = io.BytesIO((tmp_path / "a.png").read_bytes())
    assert utils.load_img(memory, target_size=(3, 4), keep_aspect_ratio=True).size == (4, 3)
    spread = utils.img_to_array(utils.array_to_img(np.array([[[1.0], [2.0], [3.0]]])))
    np.testing.assert_array_equal(spread[0, :, 0], [0, 127, 255])
    with pytest.warns(UserWarning, match="JPEG format does not support RGBA"):
        utils.save_img(tmp_path / "b.jpg", np.ones((2, 2, 4)))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: utils.array_to_img(np.ones((2, 2))), r"rank 3 \(single image\). Got array with shape: \(2, 2\)"),
        (lambda: utils.array_to_img(np.ones((2, 2, 2))), "Unsupported channel number: 2"),
        (lambda: utils.load_img("a.png", "cmyk"), 'color_mode must be "grayscale", "rgb", or "rgba"'),
    ],
)
def test_errors(call: object, text: str) -> None:
    pytest.importorskip("PIL")
    with pytest.raises(ValueError, match=text):
        call()


def test_errors_without_files() -> None:
    with pytest.raises(ValueError, match="Unsupported image shape"):
        utils.img_to_array(np.ones(3))
    with pytest.raises(ValueError, match="tuple of 2 integers"):
        smart_resize(np.ones((2, 2, 1)), (1, 2, 3))
