"""Floor 8: a small model learns from a large one."""

from layerkit.distillation.distiller import Distiller
from layerkit.distillation.losses import DistillationLoss, FeatureDistillation, LogitsDistillation

__all__ = ["DistillationLoss", "Distiller", "FeatureDistillation", "LogitsDistillation"]
