"""Borders of images: zeros around them, and parts cut off."""

from __future__ import annotations

from layerkit.graph.tensor import Tensor
from layerkit.ops.image.layout import as_batch, unknown
from layerkit.ops.shape import Pad, Slice

Names = tuple[str, str, str]
ROWS: Names = ("top", "bottom", "height")
COLUMNS: Names = ("left", "right", "width")


def pad_images(
    images: object,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with zeros around them: for each direction two of the padding before, after and the size are given.

    Args:
        images: [N, H, W, C] or [H, W, C].
        top_padding: rows above.
        left_padding: columns on the left.
        bottom_padding: rows below.
        right_padding: columns on the right.
        target_height: rows of the result.
        target_width: columns of the result.
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes; ValueError where not two of three are given, or the images are larger already.

    >>> pad_images(np.ones((15, 25, 3)), 2, 3, target_height=20, target_width=30).shape
    (20, 30, 3)
    """
    x, restore = as_batch("pad_images", images, data_format)
    rows = _given("pad_images", "padding", ROWS, top_padding, bottom_padding, target_height)
    columns = _given("pad_images", "padding", COLUMNS, left_padding, right_padding, target_width)
    top, bottom, height = _padding(x.shape[1], *rows, ROWS)
    left, right, width = _padding(x.shape[2], *columns, COLUMNS)
    if None in x.shape:
        return restore(unknown((x.shape[0], height, width, x.shape[3]), x.dtype))
    return restore(Pad(((0, 0), (top, bottom), (left, right), (0, 0)))(x))


def crop_images(
    images: object,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images without their borders: for each direction two of what goes before, after and the size are given.

    Args:
        images: [N, H, W, C] or [H, W, C].
        top_cropping: rows to cut off above.
        left_cropping: columns to cut off on the left.
        bottom_cropping: rows to cut off below.
        right_cropping: columns to cut off on the right.
        target_height: rows of the result; has to be given where that of the images is not known.
        target_width: columns of the result; as the height.
        data_format: where the channels are; None: as `layerkit.config` says.

    Raises ShapeError for other shapes; ValueError where not two of three are given, or the images are too small.

    >>> crop_images(np.ones((2, 15, 25, 3)), 2, 3, target_height=10, target_width=20).shape
    (2, 10, 20, 3)
    """
    x, restore = as_batch("crop_images", images, data_format)
    rows = _given("crop_images", "cropping", ROWS, top_cropping, bottom_cropping, target_height)
    columns = _given("crop_images", "cropping", COLUMNS, left_cropping, right_cropping, target_width)
    top, height = _cropping(x.shape[1], *rows, ROWS)
    left, width = _cropping(x.shape[2], *columns, COLUMNS)
    if None in x.shape:
        return restore(unknown((x.shape[0], height, width, x.shape[3]), x.dtype))
    return restore(Slice((0, top, left, 0), (x.shape[0], height, width, x.shape[3]), (1, 1, 1, 1))(x))


def _given(
    name: str,
    kind: str,
    names: Names,
    before: int | None,
    after: int | None,
    target: int | None,
) -> tuple[int | None, int | None, int | None]:
    """What is given for one direction, checked."""
    given = {f"{names[0]}_{kind}": before, f"{names[1]}_{kind}": after, f"target_{names[2]}": target}
    if list(given.values()).count(None) != 1:
        text = ", ".join(f"{key}={value}" for key, value in given.items())
        raise ValueError(f"ops.image.{name} takes exactly two of {', '.join(given)}; got {text}.")
    for key, value in given.items():
        if value is not None and value < 0:
            raise ValueError(f"ops.image.{name}: {key} can't be negative; got {value}.")
    return tuple(None if value is None else int(value) for value in given.values())


def _padding(
    size: int | None, before: int | None, after: int | None, target: int | None, names: Names
) -> tuple[int | None, int | None, int | None]:
    """Zeros before and after, and the size that results; None where the size has to be known for it."""
    if target is None:
        return before, after, None if size is None else before + size + after
    if size is None:
        return before, after, target
    rest = target - size - (before if after is None else after)
    if rest < 0:
        missing = names[1] if after is None else names[0]
        raise ValueError(
            f"ops.image.pad_images: {names[2]} {size} does not fit into target_{names[2]}={target}: "
            f"{missing}_padding would be {rest}."
        )
    return (before, rest, target) if after is None else (rest, after, target)


def _cropping(
    size: int | None, before: int | None, after: int | None, target: int | None, names: Names
) -> tuple[int | None, int]:
    """Where the part that stays begins (None where the size has to be known for it), and its size."""
    if size is None:
        if target is None:
            raise ValueError(
                f"ops.image.crop_images: where the {names[2]} of the images is not known, target_{names[2]} has to be "
                "given."
            )
        return before, target
    if target is None:
        target = size - before - after
    if before is None:
        before = size - after - target
    if min(before, target, size - before - target) < 0:
        raise ValueError(
            f"ops.image.crop_images: {names[2]} {size} is too small: {names[0]}_cropping={before}, "
            f"target_{names[2]}={target} and {names[1]}_cropping={size - before - target} can't be negative."
        )
    return before, target
