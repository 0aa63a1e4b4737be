"""Training: what `compile`, `fit`, `evaluate` and `predict` do."""

from layerkit.training.trainer import Trainer

__all__ = ["Trainer"]
