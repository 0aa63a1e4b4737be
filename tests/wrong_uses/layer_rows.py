"""Wrong uses of layers, family by family."""

from __future__ import annotations

import numpy as np

from layerkit import layers, regularizers
from layerkit.errors import DtypeError, NotBuiltError, ShapeError, UnknownNameError
from layerkit.layers import Dense, Input
from tests.wrong_uses.rows import Row, f, i, then

CORE: list[Row] = [
    (lambda: Dense(0), ValueError, ("`units`", "positive integer", "units=0", "call Dense(0)")),
    (lambda: Dense(2.5), ValueError, ("`units`", "positive integer", "2.5", "call Dense(2.5)")),
    (lambda: Dense(2, unit=3), ValueError, ("Dense", "'unit': 3", "Did you mean 'units'", "It takes", "unit=3")),
    (lambda: Dense(2, activation="rellu"), UnknownNameError, ("activation 'rellu'", "'relu'", "Dense(2, activation=")),
    (lambda: Dense(2, kernel_initializer="glorot_unifrom"), UnknownNameError,
     ("initializer 'glorot_unifrom'", "Did you mean 'glorot_uniform'", "kernel_initializer=")),
    (lambda: Dense(2, kernel_regularizer="l3"), UnknownNameError, ("regularizer 'l3'", "Known names: L1", "Dense(2")),
    (lambda: Dense(2, kernel_constraint="max_nrm"), UnknownNameError, ("constraint 'max_nrm'", "'max_norm'", "Dense")),
    (lambda: Dense(2, name="a/b"), ValueError, ("`name`", "character `/`", "'a/b'", "Dense(2")),
    (lambda: Dense(2, dtype="float33"), ValueError, ("'float33'", "'float32'", "Dense(2, dtype='float33')")),
    (lambda: Dense(2, trainable="yes"), ValueError, ("`trainable`", "boolean", "'yes'", "Dense(2")),
    (lambda: setattr(Dense(2, name="head"), "trainable", "no"), TypeError,
     ("`trainable`", "'head'", "boolean", "'no'")),
    (lambda: Dense(2, name="head")(f(3)), ShapeError, ("'head'", "min_ndim=2", "ndim=1", "(3,)")),
    (lambda: then(Dense(2, name="head"), f(2, 3), f(2, 4)), ShapeError, ("'head'", "axis -1", "value 3", "(2, 4)")),
    (lambda: then(Dense(2, name="head"), f(2, 3), Input((4,))), ShapeError, ("'head'", "value 3", "(None, 4)")),
    (lambda: Dense(2, name="head")(Input((None,))), ShapeError, ("Dense 'head'", "last axis", "(None, None)")),
    (lambda: Dense(2, name="head")(np.array([["a"]])), DtypeError, ("'head'", "string[1, 1]", "takes no strings")),
    (lambda: Dense(2, name="head")([[1.0, 2.0], [3.0]]), ShapeError, ("'head'", "one length", "[2, 1]")),
    (lambda: Dense(2, name="head")(None), ValueError, ("'head'", "Input 0", "None")),
    (lambda: Dense(2, name="head")(), TypeError, ("'head'", "Dense.call()", "'inputs'", "got no arguments")),
    (lambda: Dense(2, name="head")(f(1, 2), traning=True), TypeError, ("'head'", "'traning'", "Expected (inputs")),
    (lambda: layers.Dropout(0.5, name="drop")(f(1, 2), traning=True), TypeError, ("'drop'", "mean 'training'")),
    (lambda: layers.EinsumDense("ab-bc", 3), ValueError, ("EinsumDense", "'ab-bc'", "form [X],[Y]->[Z]")),
    (lambda: layers.EinsumDense("abc,cd->abd", (None, 3), name="mix")(f(2, 3)), ShapeError,
     ("'mix'", "abc,cd->abd", "3 axes", "(2, 3)")),
    (lambda: layers.Lambda(lambda x: x @ x, name="square")(f(2, 3)), ShapeError, ("'square'", "(2, 3)", "be equal")),
    (lambda: layers.LeakyReLU(-1), ValueError, ("negative_slope", "-1", "LeakyReLU(-1)")),
    (lambda: layers.Softmax(axis=3, name="soft")(f(2, 3)), ShapeError, ("'soft'", "axis 3", "2 axes", "float32[2, 3]")),
    (lambda: layers.PReLU(shared_axes=[5], name="p")(f(2, 3)), ShapeError, ("'p'", "`shared_axes`", "[5]", "(2, 3)")),
    (lambda: Input((-3,)), ShapeError, ("sizes are not negative", "(None, -3)", "InputLayer(shape=(-3,)")),
    (lambda: Input("3"), ShapeError, ("`shape`", "tuple of integers", "'3'")),
    (lambda: Input(), ValueError, ("`shape`", "InputLayer(")),
    (lambda: layers.Layer(name="own").add_weight(("a",), name="kernel"), ShapeError, ("'own'", "'kernel'", "('a',)")),
    (lambda: layers.Embedding(0, 2), ValueError, ("`input_dim`", "positive integer", "input_dim=0", "Embedding(0, 2)")),
    (lambda: layers.Embedding(5, 2, name="words")(np.array([[7]])), IndexError,
     ("'words'", "is 7", "(5, 2)", "size 5")),
    (lambda: layers.Embedding(5, 2, name="words")(np.array([["a"]])), DtypeError,
     ("'words'", "string[1, 1]", "numbers")),
    (lambda: Dense(2, name="h").kernel, AttributeError, ("`kernel`", "Dense 'h'", "build the layer before")),
]  # fmt: skip

CONVOLUTIONS = {
    layers.Conv1D: 1, layers.Conv2D: 2, layers.Conv3D: 3, layers.Conv1DTranspose: 1, layers.Conv2DTranspose: 2,
    layers.Conv3DTranspose: 3, layers.SeparableConv1D: 1, layers.SeparableConv2D: 2,
}  # fmt: skip


def convolution_rows(kind: type, rank: int) -> list[Row]:
    sizes = (2, *(8,) * rank)
    return [
        (lambda: kind(4, 3, name="conv")(f(*sizes)), ShapeError, ("'conv'", f"ndim={rank + 2}", f"ndim={rank + 1}")),
        (lambda: kind(4, 3, name="conv")(Input(sizes[1:])), ShapeError, ("'conv'", f"ndim={rank + 2}", "(None, 8")),
        (lambda: then(kind(4, 3, name="conv"), f(*sizes, 3), f(*sizes, 5)), ShapeError,
         ("'conv'", "axis -1", "value 3", str((*sizes, 5)))),
        (lambda: kind(4, 0), ValueError, ("`kernel_size`", "positive", "kernel_size=0", f"{kind.__name__}(4, 0)")),
        (lambda: kind(4, (3,) * 4), ValueError, ("`kernel_size`", f"tuple of {rank}", "(3, 3, 3, 3)", kind.__name__)),
    ]  # fmt: skip


CONVOLUTION: list[Row] = [
    *(row for kind, rank in CONVOLUTIONS.items() for row in convolution_rows(kind, rank)),
    (lambda: layers.DepthwiseConv2D(3, name="conv")(f(2, 8, 8)), ShapeError, ("'conv'", "min_ndim=4", "(2, 8, 8)")),
    (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), ValueError, ("`depth_multiplier`", "positive", "=0")),
    (lambda: layers.Conv2D(0, 3), ValueError, ("`filters`", "positive integer", "filters=0", "Conv2D(0, 3)")),
    (lambda: layers.Conv2D(4, -3), ValueError, ("`kernel_size`", "positive", "-3", "Conv2D(4, -3)")),
    (lambda: layers.Conv2D(4, "3"), ValueError, ("`kernel_size`", "positive", "'3'")),
    (lambda: layers.Conv2D(4, 3, strides=0), ValueError, ("`strides`", "positive", "strides=0")),
    (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), ValueError, ("strides=(2, 2)", "dilation_rate=(2, 2)")),
    (lambda: layers.Conv2D(4, 3, groups=3), ValueError, ("`filters`", "`groups`", "filters=4", "groups=3")),
    (lambda: layers.Conv2D(4, 3, groups=0), ValueError, ("`groups`", "positive", "groups=0")),
    (lambda: layers.Conv2D(4, 3, groups=2, name="conv")(f(1, 8, 8, 3)), ShapeError,
     ("'conv'", "groups=2", "3 channels", "(1, 8, 8, 3)")),
    (lambda: layers.Conv2D(4, 3, padding="sam"), ValueError, ("`padding`", "Conv2D", "'valid', 'same'", "'sam'")),
    (lambda: layers.Conv2D(4, 3, padding="causal"), ValueError, ("`padding`", "Conv2D", "'same'", "'causal'")),
    (lambda: layers.Conv1DTranspose(4, 3, padding="causal"), ValueError, ("`padding`", "Conv1DTranspose", "'causal'")),
    (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2), ValueError,
     ("`output_padding`", "less than `strides`", "output_padding=2", "(2, 2)")),
    (lambda: layers.Conv2D(4, 3, data_format="channel_last"), ValueError,
     ("data_format", "'channels_last'", "'channel_")),
    (lambda: layers.Conv2D(4, 5, name="conv")(f(1, 3, 3, 1)), ShapeError, ("'conv'", "5 elements", "axis of 3")),
    (lambda: layers.Conv2D(4, 5, name="conv")(Input((3, 3, 1))), ShapeError, ("'conv'", "5 elements", "axis of 3")),
    (lambda: layers.Conv2D(4, 5, name="conv")(Input((8, 8, None))), ShapeError, ("'conv'", "channels", "(None, 8, 8,")),
    # Pooling.
    (lambda: layers.MaxPooling2D(name="pool")(f(2, 8, 8)), ShapeError, ("'pool'", "ndim=4", "(2, 8, 8)")),
    (lambda: layers.MaxPooling3D(name="pool")(f(2, 8, 8, 8)), ShapeError, ("'pool'", "ndim=5", "(2, 8, 8, 8)")),
    (lambda: layers.GlobalAveragePooling2D(name="pool")(f(2, 8)), ShapeError, ("'pool'", "ndim=4", "(2, 8)")),
    (lambda: layers.MaxPooling2D(0), ValueError, ("`pool_size`", "positive", "pool_size=0", "MaxPooling2D(0)")),
    (lambda: layers.MaxPooling2D((2, 2, 2)), ValueError, ("`pool_size`", "tuple of 2", "(2, 2, 2)")),
    (lambda: layers.MaxPooling2D(2, strides=-1), ValueError, ("`strides`", "positive", "strides=-1")),
    (lambda: layers.MaxPooling2D(2, padding="full"), ValueError, ("`padding`", "'valid', 'same'", "'full'")),
    (lambda: layers.MaxPooling2D(4, name="pool")(f(1, 2, 2, 1)), ShapeError, ("'pool'", "4 elements", "axis of 2")),
]  # fmt: skip


def recurrent_rows(kind: type) -> list[Row]:
    name, count = kind.__name__, 2 if kind is layers.LSTM else 1
    return [
        (lambda: kind(0), ValueError, ("`units`", "positive integer", "units=0", f"{name}(0)")),
        (lambda: kind(4, name="rnn")(f(2, 3)), ShapeError, ("'rnn'", "ndim=3", "ndim=2", "(2, 3)")),
        (lambda: then(kind(4, name="rnn"), f(2, 5, 3), f(2, 5, 4)), ShapeError,
         ("'rnn'", "axis 2", "value 3", "(2, 5, 4)")),
        (lambda: kind(4, name="rnn")(f(2, 5, 3), initial_state=[f(2, 4)] * 3), ShapeError,
         ("'rnn'", "`initial_state`", f"{count} tensor", "got 3")),
        (lambda: kind(4, name="rnn")(f(2, 5, 3), initial_state=[f(2, 6)] * count), ShapeError,
         ("'rnn'", "`initial_state`", "(2, 4)", "(2, 6)")),
        (lambda: then(kind(4, stateful=True, name="rnn"), f(2, 5, 3), f(4, 5, 3)), ShapeError,
         ("'rnn'", "stateful", "batch size: 2", "batch size: 4")),
        (lambda: kind(4, stateful=True, name="rnn")(Input((5, 3))), ValueError, ("'rnn'", "stateful", "(None, 5, 3)")),
        (lambda: kind(4, name="rnn")(f(2, 5, 3), mask=np.ones((2, 4), bool)), ShapeError,
         ("'rnn'", "`mask`", "(2, 5)", "(2, 4)")),
    ]  # fmt: skip


SEQUENCES: list[Row] = [
    *(row for kind in (layers.LSTM, layers.GRU, layers.SimpleRNN) for row in recurrent_rows(kind)),
    (lambda: layers.GRU(4, activation="tanhh"), UnknownNameError, ("'tanhh'", "'tanh'", "GRU(4, activation='tanhh')")),
    (lambda: layers.Bidirectional(layers.LSTM(4), merge_mode="add"), ValueError,
     ("merge_mode='add'", "'sum'", "'ave'")),
    (lambda: layers.Bidirectional(Dense(4)), ValueError, ("`layer`", "recurrent", "<Dense", "go_backwards")),
    (lambda: layers.Bidirectional(layers.LSTM(4), name="both")(f(2, 3)), ShapeError, ("'both'", "ndim=3", "(2, 3)")),
    (lambda: layers.TimeDistributed(3), ValueError, ("`layer` of TimeDistributed", "a layer", "3")),
    (lambda: layers.TimeDistributed(Dense(2), name="each")(f(2)), ShapeError, ("'each'", "3 axes", "(2,)")),
    (lambda: layers.RNN(Dense(3)), ValueError, ("`state_size`", "<Dense", "RNN(<Dense")),
    (lambda: layers.ConvLSTM2D(4, 3, name="cl")(f(2, 8, 8, 3)), ShapeError, ("'cl'", "ndim=5", "(2, 8, 8, 3)")),
    # Attention.
    (lambda: layers.Attention(name="att")(f(2, 3, 4)), ValueError, ("'att'", "[query, value]", "float32[2, 3, 4]")),
    (lambda: layers.Attention(name="att")([f(2, 3, 4)] * 4), ValueError, ("'att'", "[query, value", "[(2, 3, 4), ")),
    (lambda: layers.Attention(name="att")([f(2, 3, 4), f(2, 5, 6)]), ShapeError,
     ("'att'", "query=(2, 3, 4)", "value=(2, 5, 6)", "key [N, S, C]", "feature sizes")),
    (lambda: layers.Attention(name="att")([f(2, 3, 4), f(3, 5, 4)]), ShapeError, ("'att'", "value=(3, 5, 4)", "batch")),
    (lambda: layers.AdditiveAttention(name="att")([f(2, 3, 4), f(2, 5, 6)]), ShapeError, ("'att'", "value=(2, 5, 6)")),
    (lambda: layers.Attention(name="att")([Input((3, 4)), Input((5, 6))]), ShapeError, ("'att'", "value=(None, 5, 6)")),
    (lambda: layers.Attention(name="att")([f(2, 3, 4), f(2, 5, 4)], mask=[None] * 4), ValueError, ("'att'", "mask of")),
    (lambda: layers.Attention(name="att")([f(2, 3, 4), f(2, 5, 4)], mask=[None, np.ones((2, 3), bool)]), ShapeError,
     ("'att'", "do not broadcast", "[2, 1, 3]")),
    (lambda: layers.Attention(score_mode="dott"), ValueError, ("score_mode", "'dot', 'concat'", "'dott'")),
    (lambda: layers.Attention(dropout=2), ValueError, ("`dropout`", "between 0 and 1", "dropout=2")),
    (lambda: layers.MultiHeadAttention(0, 4), ValueError, ("`num_heads`", "positive integer", "num_heads=0")),
    (lambda: layers.MultiHeadAttention(2, 4, name="mha")(f(2, 3, 4)), TypeError, ("'mha'", "'value'", "1 argument")),
    (lambda: layers.MultiHeadAttention(2, 4, name="mha")(f(2, 4), f(2, 4)), ShapeError, ("'mha'", "3 axes", "(2, 4)")),
    (lambda: layers.MultiHeadAttention(2, 4, name="mha")(f(2, 3, 4), f(2, 5, 4), f(2, 6, 4)), ShapeError,
     ("'mha'", "`value` and `key`", "(2, 5, 4)", "(2, 6, 4)")),
    (lambda: layers.MultiHeadAttention(2, 4, name="mha")(f(2, 3, 4), f(3, 3, 4)), ShapeError,
     ("'mha'", "size 3", "size 2")),
    (lambda: layers.MultiHeadAttention(2, 4, name="mha")(
        f(2, 3, 4), f(2, 5, 4), attention_mask=np.ones((2, 3, 7), bool)), ShapeError, ("'mha'", "mask", "[5, 7]")),
    (lambda: layers.GroupedQueryAttention(4, 3, 2), ValueError, ("`num_query_heads`", "divisible", "=3", "=2")),
]  # fmt: skip

NORMALIZATION: list[Row] = [
    (lambda: layers.BatchNormalization(axis=4, name="bn")(f(2, 3)), ShapeError, ("'bn'", "axis 4", "(2, 3)")),
    (lambda: layers.BatchNormalization(axis=(1, 2)), ValueError, ("`axis`", "one axis", "(1, 2)")),
    (lambda: layers.BatchNormalization(name="bn")(Input((None,))), ShapeError, ("'bn'", "axis -1", "(None, None)")),
    (lambda: layers.LayerNormalization(axis="last"), TypeError, ("`axis`", "an int", "'last'")),
    (lambda: layers.LayerNormalization(axis=5, name="ln")(f(2, 3)), ShapeError, ("'ln'", "axis 5", "(2, 3)")),
    (lambda: layers.GroupNormalization(3, name="gn")(f(2, 4, 4, 8)), ShapeError, ("'gn'", "8 channels", "groups=3")),
    (lambda: layers.UnitNormalization(axis=5, name="un")(f(2, 3)), ShapeError, ("'un'", "axis 5", "float32[2, 3]")),
    (lambda: layers.SpectralNormalization(Dense(2), power_iterations=0), ValueError,
     ("`power_iterations`", "positive", "=0")),
    *((lambda kind=kind: then(kind(name="norm"), f(2, 3), f(2, 4)), ShapeError,
     ("'norm'", "axis -1", "value 3", "(2, 4)"))
      for kind in (layers.BatchNormalization, layers.LayerNormalization, layers.RMSNormalization)),
    # Regularization.
    *((lambda kind=kind, rate=rate: kind(rate), ValueError,
     ("`rate`", "between 0 and 1", f"rate={rate}", kind.__name__))
      for kind in (layers.Dropout, layers.GaussianDropout, layers.AlphaDropout, layers.SpatialDropout2D)
      for rate in (1.5, -0.1)),
    (lambda: layers.SpatialDropout2D(0.5, name="drop")(f(2, 3)), ShapeError, ("'drop'", "ndim=4", "(2, 3)")),
    (lambda: layers.Dropout(0.5, noise_shape=(2, 5), name="drop")(f(2, 3), training=True), ShapeError,
     ("'drop'", "(2, 5)", "(2, 3)")),
    (lambda: layers.GaussianNoise(-1), ValueError, ("`stddev`", "between 0 and 1", "stddev=-1")),
    (lambda: regularizers.L2(-1), ValueError, ("`l2`", "at least 0", "-1", "L2(-1)")),
    (lambda: regularizers.OrthogonalRegularizer(mode="row"), ValueError, ("`mode`", "'rows', 'columns'", "'row'")),
    # Merging.
    *((lambda kind=kind: kind(name="merge")([f(2, 3), f(2, 4)]), ShapeError, ("'merge'", "broadcast", "(2, 3), (2, 4)"))
      for kind in (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum)),
    (lambda: layers.Add(name="merge")([Input((3,)), Input((4,))]), ShapeError, ("'merge'", "broadcast", "(None, 4)")),
    (lambda: layers.Add(name="merge")([f(2, 3), f(5, 3)]), ShapeError, ("'merge'", "batch sizes", "(5, 3)")),
    (lambda: layers.Add(name="merge")(f(2, 3)), ValueError, ("'merge'", "a list of inputs", "(2, 3)")),
    (lambda: layers.Subtract(name="merge")([f(2, 3)] * 3), ValueError, ("'merge'", "exactly 2 inputs", "(2, 3)")),
    (lambda: layers.Concatenate(name="merge")([f(2, 3, 4), f(2, 5, 3)]), ShapeError,
     ("'merge'", "matching", "(2, 5, 3)")),
    (lambda: layers.Concatenate(axis=4, name="merge")([f(2, 3), f(2, 3)]), ShapeError,
     ("'merge'", "axis=4", "-2 to 1")),
    (lambda: layers.Dot(axes=1, name="dot")([f(2, 3), f(2, 4)]), ShapeError, ("'dot'", "3 (at axis 1) != 4", "(2, 4)")),
    (lambda: layers.Dot(axes=5, name="dot")([f(2, 3), f(2, 3)]), ShapeError,
     ("'dot'", "axes=5", "from 1 to 1", "(2, 3)")),
    (lambda: layers.Dot(axes=0), ValueError, ("Dot", "batch axis", "axes=0")),
    # Reshaping.
    (lambda: layers.Reshape((5,), name="shape")(f(2, 4)), ShapeError, ("'shape'", "4 elements", "target_shape=(5,)")),
    (lambda: layers.Reshape((5,), name="shape")(Input((4,))), ShapeError, ("'shape'", "4 elements", "(5,)")),
    (lambda: layers.Reshape((-1, -1)), ValueError, ("`target_shape`", "one may be -1", "(-1, -1)")),
    (lambda: layers.Reshape(("a",)), ValueError, ("`target_shape`", "an integer", "('a',)")),
    (lambda: layers.Permute((0, 1)), ValueError, ("`dims`", "start from 1", "(0, 1)")),
    (lambda: layers.Permute((2, 1), name="p")(f(2, 3, 4, 5)), ShapeError, ("'p'", "ndim=3", "(2, 3, 4, 5)")),
    (lambda: layers.RepeatVector(2, name="rv")(f(2, 3, 4)), ShapeError, ("'rv'", "ndim=2", "(2, 3, 4)")),
    (lambda: layers.RepeatVector(-1), ValueError, ("`n`", "positive integer", "n=-1")),
    (lambda: layers.ZeroPadding2D(-1), ValueError, ("`padding`", "non-negative", "padding=-1", "ZeroPadding2D(-1)")),
    (lambda: layers.Cropping2D((1, 2, 3)), ValueError, ("`cropping`", "2 pairs", "(1, 2, 3)")),
    (lambda: layers.Cropping2D(3, name="crop")(f(1, 4, 4, 1)), ShapeError, ("'crop'", "`cropping`", "(1, 4, 4, 1)")),
    (lambda: layers.UpSampling2D(0), ValueError, ("`size`", "positive", "size=0")),
    (lambda: layers.UpSampling2D(2, interpolation="linear"), ValueError, ("`interpolation`", "'bilinear'", "'linear'")),
]  # fmt: skip

PREPROCESSING: list[Row] = [
    (lambda: layers.Normalization(mean=1.0), ValueError, ("`mean` and `variance`", "mean=1.0", "variance=None")),
    (lambda: layers.Normalization(axis=4, name="norm").build((None, 3)), ValueError, ("'norm'", "`axis`", "(4,)")),
    (lambda: then(layers.Normalization(name="norm"), f(5, 3), f(2, 4)), ShapeError, ("'norm'", "value 3", "(2, 4)")),
    (lambda: layers.Discretization(name="bins"), ValueError, ("`num_bins` or `bin_boundaries`", "num_bins=None")),
    (lambda: layers.Discretization(num_bins=3, name="bins")(f(2, 3)), NotBuiltError, ("'bins'", "boundaries", "adapt")),
    (lambda: layers.CategoryEncoding(num_tokens=3, output_mode="hot"), ValueError,
     ("`output_mode`", "'one_hot'", "'hot'")),
    (lambda: layers.Hashing(0), ValueError, ("Hashing", "`num_bins`", "num_bins=0")),
    (lambda: layers.StringLookup(name="look")(np.array(["a"])), NotBuiltError,
     ("'look'", "no vocabulary", "adapt(data)")),
    (lambda: layers.StringLookup(vocabulary=["a", "a"], name="look"), ValueError, ("'look'", "repeated", "['a']")),
    (lambda: layers.StringLookup(vocabulary="/none.txt", name="look"), ValueError, ("'look'", "'/none.txt'", "exist")),
    (lambda: layers.StringLookup(vocabulary=["a"], name="look")(i(2)), DtypeError,
     ("'look'", "expected strings", "int")),
    (lambda: layers.StringLookup(vocabulary=["a"], num_oov_indices=0, name="look")(np.array(["b"])), ValueError,
     ("'look'", "`num_oov_indices", "['b']")),
    (lambda: layers.StringLookup(max_tokens=2, vocabulary=["a", "b"], name="look"), ValueError,
     ("'look'", "vocabulary size is 3", "`max_tokens` is 2")),
    (lambda: layers.IntegerLookup(vocabulary=[1], name="look")(np.array(["a"])), DtypeError,
     ("'look'", "numbers", "<U1")),
    (lambda: layers.TextVectorization(split="spaces"), ValueError, ("`split`", "'whitespace'", "'spaces'")),
    (lambda: layers.TextVectorization(output_sequence_length=-1), ValueError, ("_sequence_length`", "positive", "=-1")),
    (lambda: layers.TextVectorization(name="text")(np.array(["a"])), NotBuiltError,
     ("'text'", "no vocabulary", "adapt")),
    # Images.
    (lambda: layers.RandomFlip("diagonal"), ValueError, ("RandomFlip", "mode", "'horizontal'", "'diagonal'")),
    (lambda: layers.RandomRotation("a"), ValueError, ("`factor`", "[-1, 1]", "factor=a", "RandomRotation('a')")),
    (lambda: layers.RandomZoom(-2), ValueError, ("`height_factor`", "(-1.0, 1.0]", "-2", "RandomZoom(-2)")),
    (lambda: layers.RandomTranslation(2.0, 0.1), ValueError, ("`height_factor`", "[-1.0, 1.0]", "2.0")),
    (lambda: layers.RandomBrightness(3.0), ValueError, ("`factor`", "[-1, 1]", "3.0", "RandomBrightness(3.0)")),
    (lambda: layers.RandomBrightness(0.1, value_range=(1,)), ValueError, ("`value_range`", "two numbers", "(1,)")),
    (lambda: layers.RandomContrast(-1), ValueError, ("`factor`", "[0, 1]", "-1", "RandomContrast(-1)")),
    (lambda: layers.Resizing(0, 3), ValueError, ("Resizing", "`height`", "positive integer", "height=0")),
    (lambda: layers.CenterCrop(3, 2.5), ValueError, ("CenterCrop", "`width`", "positive integer", "width=2.5")),
    (lambda: layers.Resizing(3, 3, name="resize")(f(2, 3)), ShapeError, ("'resize'", "three axes", "(2, 3)")),
    (lambda: layers.RandomFlip(name="flip")(f(3), training=True), ShapeError, ("'flip'", "three axes", "(3,)")),
]  # fmt: skip

ROWS = [*CORE, *CONVOLUTION, *SEQUENCES, *NORMALIZATION, *PREPROCESSING]
