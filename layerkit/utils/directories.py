"""Files in a directory with a folder for each class: their paths and labels, in Keras' order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from layerkit.utils.samples import SampleDataset, random_seed

LABEL_MODES = ("int", "categorical", "binary", None)


@dataclass
class Files:
    """What a directory has.

    Attributes:
        paths: of the files.
        labels: int32 [files]; None: there are none.
        class_names: by their numbers; None without labels.
    """

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None

    def part(self, share: float | None, subset: str | None) -> Files:
        """The files for training (the first ones) or validation (a share, the last ones)."""
        if not share:
            return self
        count = int(share * len(self.paths))
        where = slice(None, -count) if subset == "training" else slice(-count, None)
        if not count:  # a slice to -0 would be empty
            where = slice(None) if subset == "training" else slice(0)
        labels = None if self.labels is None else self.labels[where]
        return Files(self.paths[where], labels, self.class_names)


@dataclass(frozen=True)
class Request:
    """The arguments that data sets from directories have in common."""

    directory: Any
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool

    def check(self) -> None:
        """Raises ValueError for arguments that do not fit each other."""
        given = isinstance(self.labels, list | tuple | np.ndarray)
        if not given and self.labels not in ("inferred", None):
            raise ValueError(
                "`labels` argument should be a list/tuple of integer labels, with one for each of the files in "
                'the target directory; "inferred", to take the subdirectories\' names; or None for no labels. '
                f"Received: labels={self.labels!r}"
            )
        if given and self.class_names:
            raise ValueError(
                'You can only pass `class_names` if `labels="inferred"`. Received: '
                f"labels={self.labels}, and class_names={self.class_names}"
            )
        if self.label_mode not in LABEL_MODES:
            raise ValueError(
                '`label_mode` argument must be one of "int", "categorical", "binary", or None. Received: '
                f"label_mode={self.label_mode}"
            )
        share, subset = self.validation_split, self.subset
        if share and not 0 < share < 1:
            raise ValueError(f"`validation_split` must be between 0 and 1, received: {share}")
        if bool(share) != bool(subset):
            raise ValueError("If `subset` is set, `validation_split` must be set, and inversely.")
        if subset not in ("training", "validation", "both", None):
            raise ValueError(f'`subset` must be either "training", "validation" or "both", received: {subset}')
        if share and self.shuffle and self.seed is None:
            raise ValueError(
                "If using `validation_split` and shuffling the data, you must provide a `seed` argument, to make sure "
                "that there is no overlap between the training and validation subset."
            )

    def datasets(self, endings: tuple[str, ...], what: str, load: Callable[[list[str]], Any]) -> list[SampleDataset]:
        """The data sets asked for: one, or for training and validation.

        Args:
            endings: of the files.
            what: the files are called in errors.
            load: a batch of files as data.
        """
        self.check()
        labelled = self.labels is not None and self.label_mode is not None
        seed = random_seed() if self.seed is None else self.seed
        labels = self.labels if labelled else None
        files = index(self.directory, labels, endings, self.class_names, self.follow_links)
        if self.verbose:
            suffix = f" belonging to {len(files.class_names)} classes" if labelled else ""
            print(f"Found {len(files.paths)} files{suffix}.")
        if self.label_mode == "binary" and labelled and len(files.class_names) != 2:
            raise ValueError(
                'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: '
                f"class_names={files.class_names}"
            )
        if self.shuffle:
            order = np.arange(len(files.paths))
            np.random.RandomState(seed).shuffle(order)
            shuffled = None if files.labels is None else files.labels[order]
            files = Files([files.paths[at] for at in order], shuffled, files.class_names)
        subsets = ("training", "validation") if self.subset == "both" else (self.subset,)
        made = []
        for subset in subsets:
            part = files.part(self.validation_split, subset)
            if not part.paths:
                raise ValueError(
                    f"No {f'{subset} ' if subset else ''}{what} found in directory {self.directory}. "
                    f"Allowed formats: {endings}"
                )
            if self.validation_split and self.verbose:
                print(f"Using {len(part.paths)} files for {subset}.")
            made.append(self._dataset(part, load, seed))
        return made

    def _dataset(self, files: Files, load: Callable[[list[str]], Any], seed: int) -> SampleDataset:
        classes = len(files.class_names or ())
        labels = None if files.labels is None else in_mode(files.labels, self.label_mode, classes)

        def batch(numbers: np.ndarray) -> Any:
            x = load([files.paths[at] for at in numbers])
            return x if labels is None else (x, labels[numbers])

        made = SampleDataset(len(files.paths), batch, self.batch_size, self.shuffle, seed)
        made.class_names, made.file_paths = files.class_names, files.paths
        return made


def index(directory: Any, labels: Any, endings: tuple[str, ...], names: Sequence[str] | None, links: bool) -> Files:
    """The files below a directory, sorted by folder and name, with the number of their class.

    Args:
        directory: holds a folder for each class, where labels are "inferred".
        labels: "inferred", None, or one for each file.
        endings: of the files that count.
        names: the classes to take, in their order; None: all, sorted.
        links: whether links to folders are followed.

    Raises ValueError for classes without a folder, and for another number of labels than files.
    """
    directory = os.fspath(directory)
    if isinstance(labels, str):  # "inferred"
        folders = [
            name
            for name in sorted(os.listdir(directory))
            if os.path.isdir(os.path.join(directory, name)) and not name.startswith(".")
        ]
        if names is not None and not set(names) <= set(folders):
            raise ValueError(
                "The `class_names` passed did not match the names of the subdirectories of the target directory. "
                f"Expected: {folders} (or a subset of it), but received: class_names={names}"
            )
        folders = folders if names is None else list(names)
        found = [list(_files(os.path.join(directory, name), endings, links)) for name in folders]
        numbers = np.repeat(np.arange(len(folders), dtype=np.int32), [len(paths) for paths in found])
        return Files([path for paths in found for path in paths], numbers, folders)
    if names is not None:
        raise ValueError('`class_names` can be given only where `labels="inferred"`.')
    paths = list(_files(directory, endings, links))
    if labels is None:
        return Files(paths, None, None)
    if len(labels) != len(paths):
        raise ValueError(
            "Expected the lengths of `labels` to match the number of files in the target directory. len(labels) is "
            f"{len(labels)} while we found {len(paths)} files in directory {directory}."
        )
    return Files(paths, np.asarray(labels), [str(label) for label in sorted(set(np.asarray(labels).tolist()))])


def _files(folder: str, endings: tuple[str, ...], links: bool) -> Iterator[str]:
    for root, _, names in sorted(os.walk(folder, followlinks=links), key=lambda found: found[0]):
        for name in sorted(names):
            if name.lower().endswith(endings):
                yield os.path.join(root, name)


def in_mode(labels: np.ndarray, mode: str | None, classes: int) -> np.ndarray:
    """Labels [n] as numbers [n], as float32 [n, 1] ("binary"), or one-hot as float32 [n, classes] ("categorical")."""
    if mode == "binary":
        return labels.astype("float32")[:, None]
    if mode == "categorical":
        return np.eye(classes, dtype="float32")[labels]
    return labels
