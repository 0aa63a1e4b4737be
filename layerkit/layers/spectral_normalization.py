"""SpectralNormalization: a wrapper that keeps the largest singular value of a layer's weight at 1."""

from __future__ import annotations

from typing import Any

from layerkit import initializers, ops
from layerkit.checks import check_integers
from layerkit.graph.tensor import Tensor
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer
from layerkit.layers.wrappers import Wrapper

__all__ = ["SpectralNormalization"]

SMALLEST = 1e-14
"""Of the square of a norm that is divided by."""


class SpectralNormalization(Wrapper):
    """A layer whose kernel or embeddings are divided by their largest singular value at each step of training.

    The value is found by the power method, which goes on from step to step (Miyato et al., arXiv:1802.05957).

    Args:
        layer: has a weight `kernel` or `embeddings`.
        power_iterations: how many iterations of the power method a step makes.

    Weights: those of the layer, and vector_u [1, C].

    >>> from layerkit.layers import Dense
    >>> layer = SpectralNormalization(Dense(2))
    >>> y = layer(np.eye(2), training=True)
    >>> layer(np.ones((3, 2))).shape
    (3, 2)
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        check_integers(self, 1, power_iterations=power_iterations)
        self.power_iterations = int(power_iterations)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the layer, and make the vector of the power method."""
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        name = next((name for name in ("kernel", "embeddings") if hasattr(self.layer, name)), None)
        if name is None:
            raise ValueError(
                f"SpectralNormalization {self.name!r}: {type(self.layer).__name__} object has no attribute 'kernel' "
                "nor 'embeddings'"
            )
        self.kernel = getattr(self.layer, name)
        if not hasattr(self.kernel, "assign"):
            raise ValueError(f"SpectralNormalization {self.name!r}: a {name} with lora can't be normalised.")
        self.vector_u = self.add_weight(
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            name="vector_u",
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Normalise the weight when training, and call the layer."""
        if training:
            vector_u, kernel = self.normalized_weights()
            # A weight of zeros stays: it has no direction.
            some = ops.any(ops.not_equal(self.kernel, 0))
            self.vector_u.assign(ops.where(some, vector_u, self.vector_u))
            self.kernel.assign(ops.where(some, kernel, self.kernel))
        return ops.cast(self.layer(inputs), inputs.dtype if "float" in inputs.dtype else self.compute_dtype)

    def normalized_weights(self) -> tuple[Tensor, Tensor]:
        """The vector after this step's iterations, and the weight over its largest singular value."""
        weights = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        vector_u = self.vector_u.value
        for _ in range(self.power_iterations):
            vector_v = _unit(ops.matmul(vector_u, ops.transpose(weights)))
            vector_u = _unit(ops.matmul(vector_v, weights))
        vector_u, vector_v = ops.stop_gradient(vector_u), ops.stop_gradient(vector_v)
        sigma = ops.sum(ops.matmul(vector_v, weights) * vector_u)
        return vector_u, self.kernel / ops.where(ops.equal(sigma, 0), 1, sigma)


def _unit(vector: Tensor) -> Tensor:
    return vector * ops.rsqrt(ops.maximum(ops.sum(ops.square(vector)), SMALLEST))
