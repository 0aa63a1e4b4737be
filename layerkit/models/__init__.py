"""Floor 7: models."""

from layerkit.models.cloning import clone_model
from layerkit.models.functional import Functional
from layerkit.models.model import Model, model_from_json, provide_saving
from layerkit.models.sequential import Sequential

__all__ = ["Functional", "Model", "Sequential", "clone_model", "model_from_json", "provide_saving"]
