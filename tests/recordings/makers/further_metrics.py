"""Metrics of overlaps, F-scores, correlations and rates at rates: three updates, as of the other metrics."""

from typing import Any

from .metrics import _case, _of

METRICS = [
    _of("SensitivityAtSpecificity", "binary", specificity=0.5),
    _of("SensitivityAtSpecificity", "one hot", specificity=0.6, class_id=2),
    _of("SpecificityAtSensitivity", "binary", sensitivity=0.5, num_thresholds=30),
    _of("PrecisionAtRecall", "binary", recall=0.4, num_thresholds=40),
    _of("PrecisionAtRecall", "binary", recall=0.8, num_thresholds=1),
    _of("RecallAtPrecision", "binary", precision=0.6, num_thresholds=40),
    _of("RecallAtPrecision", "one hot", precision=0.6, class_id=1),
    *[_of("F1Score", "one hot", average=average) for average in (None, "micro", "macro", "weighted")],
    *[_of("FBetaScore", "binary", average=average, beta=2.0, threshold=0.4) for average in (None, "micro", "weighted")],
    _of("PearsonCorrelation", "values twice"),
    _of("PearsonCorrelation", "values twice", axis=0),
    _of("ConcordanceCorrelation", "values twice"),
    _of("IoU", "labels", num_classes=4, target_class_ids=[0, 2], dtype="float32"),
    _of("IoU", "labels", num_classes=3, target_class_ids=[0, 2], ignore_class=1, dtype="float32"),
    _of("BinaryIoU", "binary", dtype="float32"),
    _of("BinaryIoU", "binary", target_class_ids=[1], threshold=0.3, dtype="float32", classes=1),
    _of("MeanIoU", "labels", num_classes=4, dtype="float32"),
    _of("MeanIoU", "sparse", num_classes=4, sparse_y_pred=False, dtype="float32"),
    _of("OneHotIoU", "one hot", num_classes=4, target_class_ids=[1, 3], dtype="float32"),
    _of("OneHotMeanIoU", "one hot", num_classes=4, ignore_class=0, dtype="float32"),
    _of("OneHotMeanIoU", "one hot", num_classes=4, dtype="int32"),
    *[
        _of(kind, "binary", **more)
        for kind in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
        for more in ({}, {"thresholds": [0.2, 0.5, 0.8]}, {"thresholds": 0.3, "classes": 1})
    ],
]


def make() -> list[dict[str, Any]]:
    """Every metric twice: without sample weights, then with them."""
    found = []
    for index, sample in enumerate(METRICS):
        for weighted in (False, True):
            element_weights = sample["class"] == "BinaryIoU" and sample["classes"] > 1
            whole_numbers = sample["kwargs"].get("dtype") == "int32"
            across = sample["kwargs"].get("axis") == 0
            if weighted and (element_weights or whole_numbers or across):
                continue  # Keras takes no weight of samples there, or drops its fractions
            name = f"{sample['class']}-{index:02d}{'-weighted' if weighted else ''}"
            found.append(_case(name, sample, weighted))
    return found
