"""Layers that prepare data: what they adapt to, what they give, and their state. Strings are lists, not arrays."""

from typing import Any

import keras
import numpy as np

from .running import as_json, generator, normal, plain

WORDS = ["earth", "wind", "and", "fire", "", "Éa", "wind", "wind", "fire", "and", "b", "long words in one token " * 4]
GRID = [["earth", "fire", "wind"], ["fire", "", "michigan"], ["wind", "wind", "and a longer token than sixteen"]]
TEXTS = ["The CAT sat, didn't it?", "É é über-cat\tthe  dog", "", "a\u00a0b the cat [mat]", "dog dog\ndog"]
VOCABULARY = ["earth", "wind", "and", "fire"]
IDF = [0.5, 0.25, 0.75, 1.5]


def _lookups() -> list[tuple]:
    """Class, arguments, data to adapt to, inputs."""
    found: list[tuple] = []
    for mode in ("int", "one_hot", "multi_hot", "count", "tf_idf"):
        weights = {"idf_weights": IDF} if mode == "tf_idf" else {}
        for more in ({}, {"mask_token": ""}, {"num_oov_indices": 3}, {"num_oov_indices": 3, "salt": [5, 9]}):
            arguments = {"vocabulary": VOCABULARY, "output_mode": mode, **weights, **more}
            found.append(("StringLookup", arguments, None, GRID))
        found.append(("StringLookup", {"output_mode": mode, "max_tokens": 4}, GRID, GRID))
        integers = {"vocabulary": [12, 36, -7], "output_mode": mode, "mask_token": 0, "num_oov_indices": 2}
        weights = {"idf_weights": IDF[:3]} if mode == "tf_idf" else {}
        found.append(("IntegerLookup", {**integers, **weights}, None, np.array([[12, 0, 5], [-7, -7, -3]])))
    padded = {"pad_to_max_tokens": True, "max_tokens": 8}
    found += [
        ("StringLookup", {"output_mode": "count", **padded}, WORDS, WORDS),
        ("StringLookup", {"vocabulary": VOCABULARY, "output_mode": "tf_idf", "idf_weights": IDF, **padded}, None, GRID),
        ("StringLookup", {"vocabulary": ["", "[UNK]", *VOCABULARY], "mask_token": ""}, None, "wind"),
        ("StringLookup", {"output_mode": "one_hot"}, WORDS, [["wind"], ["b"]]),
        ("IntegerLookup", {}, np.array([5, 3, 5, -1, 8, 8, 8]), np.array([[8, 5, 4], [3, -1, 0]])),
        ("IntegerLookup", {"max_tokens": 3}, np.array([5, 3, 5, -1, 8, 8, 8]), np.array([8, 5, 3])),
        ("IntegerLookup", {"vocabulary": [4, 2], "invert": True, "mask_token": 0}, None, np.array([[0, 1, 2, 3, 9]])),
        (
            "IntegerLookup", {"vocabulary": [4, 2], "num_oov_indices": 4, "oov_method": "farmhash"}, None,
            np.arange(-10, 40, 7),
        ),
        (
            "IntegerLookup", {"vocabulary": [4, 2], "num_oov_indices": 4, "oov_method": "farmhash", "salt": 3}, None,
            np.arange(-10, 40, 7),
        ),
    ]  # fmt: skip
    return found


def _hashes() -> list[tuple]:
    numbers = np.array([[0, -5, 1234567890123], [7, 7, 1]])
    found: list[tuple] = []
    for mode in ("int", "one_hot", "multi_hot", "count"):
        for more in ({}, {"mask_value": ""}, {"salt": 133}, {"salt": [133, 137]}):
            found.append(("Hashing", {"num_bins": 6, "output_mode": mode, **more}, None, GRID))
        found.append(("Hashing", {"num_bins": 6, "output_mode": mode, "mask_value": 7}, None, numbers))
    found.append(
        ("Hashing", {"num_bins": 1000003}, None, ["x" * size for size in (0, 3, 4, 8, 16, 17, 33, 64, 65, 300)])
    )
    found.append(("Hashing", {"num_bins": 9, "dtype": "int32"}, None, np.array([1.5, -2.7, 3.0], "float32")))
    crossed = [["A", "B", "A", "a longer feature than sixteen"], [101, -5, 102, 2**40]]
    for mode in ("int", "one_hot"):
        found.append(("HashedCrossing", {"num_bins": 7, "output_mode": mode}, None, crossed))
        found.append(
            ("HashedCrossing", {"num_bins": 7, "output_mode": mode}, None, [[[1], [2]], [[3], [4]], [[5], [6]]])
        )
    return found


def _texts() -> list[tuple]:
    found: list[tuple] = [
        ("TextVectorization", arguments, TEXTS, [*TEXTS, "the unknown cat"])
        for arguments in (
            {},
            {"standardize": None},
            {"standardize": "lower"},
            {"standardize": "strip_punctuation", "split": "character"},
            {"ngrams": 2, "max_tokens": 12},
            {"ngrams": (1, 3), "output_sequence_length": 4},
            {"output_mode": "multi_hot"},
            {"output_mode": "count", "max_tokens": 7},
            {"output_mode": "tf_idf"},
            {"output_mode": "tf_idf", "max_tokens": 40, "pad_to_max_tokens": True},
        )
    ]
    found.append(("TextVectorization", {"vocabulary": ["cat", "the"]}, None, [["the cat"], ["dog the the"]]))
    found.append(("TextVectorization", {"vocabulary": ["cat", "the"]}, None, "the cat"))
    for more in ({}, {"output_sequence_length": 3}, {"output_sequence_length": 1}, {"ngrams": 2}):
        found.append(("TextVectorization", {"split": None, **more}, TEXTS, [["the cat", TEXTS[0]], ["", TEXTS[4]]]))
    return found


def _numbers(rng: np.random.Generator) -> list[tuple]:
    x, y = normal(rng, 50, 3), normal(rng, 4, 3)
    indices = np.array([[0, 3], [3, 3]])
    found: list[tuple] = [
        ("Normalization", arguments, x, y) for arguments in ({}, {"axis": None}, {"invert": True}, {"axis": (-1,)})
    ]
    found += [
        ("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [4.0, 0.0, 1.0]}, None, y),
        ("Normalization", {"axis": (1, 2)}, normal(rng, 5, 2, 3), normal(rng, 1, 2, 3)),
    ]
    found += [
        ("Discretization", {"num_bins": bins, "epsilon": epsilon}, data, data[:20])
        for bins, epsilon in ((4, 0.01), (7, 0.1))
        for data in (normal(rng, 3000), normal(rng, 37))
    ]
    boundaries = {"bin_boundaries": [-1.0, 0.0, 0.5]}
    found += [("Discretization", {**boundaries, "output_mode": mode}, None, y) for mode in ("int", "one_hot", "count")]
    found += [("Discretization", {**boundaries, "output_mode": "multi_hot"}, None, y)]
    found += [
        ("CategoryEncoding", {"num_tokens": 4, "output_mode": mode}, None, indices)
        for mode in ("one_hot", "multi_hot", "count")
    ]
    found += [("CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}, None, indices[:, :1])]
    return found


def _sounds(rng: np.random.Generator) -> list[tuple]:
    x = normal(rng, 2, 400, 2)
    modes = ("log", "magnitude", "psd", "real", "imag", "stft")
    frames = {"frame_length": 32, "frame_step": 10}
    found: list[tuple] = [("STFTSpectrogram", {"mode": mode, **frames}, None, x) for mode in modes]
    found += [
        ("STFTSpectrogram", {"mode": "psd", "window": name, "periodic": periodic, **frames}, None, x)
        for name in ("hamming", "blackman", "bartlett", "cosine", "nuttall", "blackmanharris", "flattop", "boxcar")
        for periodic in (False, True)
    ]
    found += [
        ("STFTSpectrogram", {"mode": "psd", "expand_dims": True, "padding": "same", **frames}, None, x),
        ("STFTSpectrogram", {"mode": "stft", "scaling": "spectrum", "frame_length": 30}, None, x),
        ("STFTSpectrogram", {"mode": "real", "scaling": None, "window": None, "fft_length": 64, **frames}, None, x),
    ]
    signal = normal(rng, 2, 900)
    mel = {"fft_length": 128, "sequence_stride": 50, "num_mel_bins": 10}
    found += [
        ("MelSpectrogram", {**mel, **more}, None, signal)
        for more in (
            {}, {"sequence_length": 100, "window": "hamming"}, {"power_to_db": False, "mag_exp": 1.0},
            {"top_db": 20.0, "ref_power": 3.0, "min_freq": 300.0, "max_freq": 4000.0},
        )
    ]  # fmt: skip
    return [*found, ("MelSpectrogram", mel, None, signal[0])]


def _given(name: str, inputs: Any) -> Any:
    if name == "HashedCrossing":
        return [np.array(one) for one in inputs]
    return np.array(inputs) if isinstance(inputs, list) else inputs


def _case(name: str, cls: str, arguments: dict[str, Any], data: Any, inputs: Any) -> dict[str, Any]:
    keras.utils.clear_session()
    layer = getattr(keras.layers, cls)(**arguments)
    if data is not None:
        layer.adapt(np.array(data) if isinstance(data, list) else data)
    output = plain(layer(_given(cls, inputs)))
    vocabulary = layer.get_vocabulary() if hasattr(layer, "get_vocabulary") else None
    edges = getattr(layer, "bin_boundaries", None)
    return {
        "name": name,
        "class": cls,
        "kwargs": as_json(arguments),
        "adapted_to": data,
        "inputs": inputs,
        "output": output,
        "vocabulary": None
        if vocabulary is None
        else [term if isinstance(term, str) else int(term) for term in vocabulary],
        "boundaries": None if edges is None else [float(edge) for edge in edges],
        "config": as_json(layer.get_config()),
    }


def make() -> list[dict[str, Any]]:
    """Every sample as a case."""
    rng = generator("preprocessing")
    samples = [*_lookups(), *_hashes(), *_texts(), *_numbers(rng), *_sounds(rng)]
    return [_case(f"{sample[0]}-{at:03d}", *sample) for at, sample in enumerate(samples)]
