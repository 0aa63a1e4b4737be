"""DTypePolicy: the dtype in which a layer keeps its variables and computes."""

from __future__ import annotations

import warnings
from typing import Any

from layerkit.dtypes import ALLOWED, floatx, is_complex
from layerkit.serialization import Configurable

MIXED = ("mixed_float16", "mixed_bfloat16")

__all__ = ["DTypePolicy", "dtype_policy", "set_dtype_policy"]


class DTypePolicy(Configurable, kind="dtype policy", module="keras"):
    """One dtype for variables and computation.

    Args:
        name: "float32", "float64", or an integer type or "bool" for layers that pass on such data. Mixed policies
            ("mixed_float16", "mixed_bfloat16") compute in float32 and say so in a warning: on a CPU half precision
            saves no time. Half precision as such and quantized policies raise ValueError.

    >>> DTypePolicy("float64").compute_dtype
    'float64'
    """

    def __init__(self, name: str | None = None, source_name: str | None = None) -> None:
        name = floatx() if name is None else str(getattr(name, "name", name))
        self._given_name = name
        if name in MIXED:
            warnings.warn(
                f"The dtype policy {name!r} computes in float32 here: on CPUs half precision saves no time.",
                stacklevel=3,
            )
            name = "float32"
        if name not in ALLOWED or name == "float16" or is_complex(name):
            raise ValueError(
                f"The dtype policy {name!r} is not supported: layerkit computes in 'float32' or 'float64' "
                "(integer types and 'bool' serve layers that only pass such data on)."
            )
        self._name = name

    def get_config(self) -> dict[str, Any]:
        """The name."""
        return {"name": self._given_name}

    @property
    def name(self) -> str:
        """The policy's name: the dtype's, or that of a mixed policy."""
        return self._given_name

    @property
    def compute_dtype(self) -> str:
        """The dtype that a layer computes in."""
        return self._name

    @property
    def variable_dtype(self) -> str:
        """The dtype of a layer's variables."""
        return self._name

    @property
    def quantization_mode(self) -> None:
        """None: there is no quantization."""
        return None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self._given_name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._given_name}">'


_default: DTypePolicy | None = None


def dtype_policy() -> DTypePolicy:
    """The policy of layers that name none: what `set_dtype_policy` set, else the default float type."""
    return _default or DTypePolicy()


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that name none; None: that of the default float type again."""
    global _default
    _default = None if policy is None else get_policy(policy)


def get_policy(identifier: Any) -> DTypePolicy:
    """The policy that a dtype, a name, a config or a policy stands for. Raises ValueError for an unsupported one."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        kind = identifier.get("class_name")
        if kind not in ("DTypePolicy", "FloatDTypePolicy", "Policy"):
            raise ValueError(
                f"The dtype policy class {kind!r} is not supported: layerkit computes in float32 or float64."
            )
        identifier = identifier["config"]["name"]
    if not isinstance(identifier, str):
        identifier = identifier.__name__ if isinstance(identifier, type) else str(identifier)
    return DTypePolicy({"float": floatx(), "int": "int32"}.get(identifier, identifier))
