import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from layerkit import ops
from layerkit.compiler.compile import Executable
from layerkit.compiler.drawing import draw
from layerkit.compiler.estimates import bytes_of, operations_of
from layerkit.compiler.inspection import Description, describe
from layerkit.compiler.layered_layout import Box, Diagram, Edge, arrange
from layerkit.graph import gradients
from layerkit.graph.graph import Graph, layer_path, trace
from layerkit.graph.operation import Operation
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable

FLOAT = "float32"


def softmax(x):
    return [ops.softmax(x * 2.0)]


def mlp_step(kernel, bias):
    def step(x, y):
        with layer_path("model/dense"):
            z = ops.relu(ops.matmul(x, kernel) + bias)
        loss = ops.mean(ops.square(ops.softmax(z) - y))
        for variable, g in zip((kernel, bias), gradients([loss], [kernel.value, bias.value]), strict=True):
            variable.assign_sub(0.1 * g)
        return [loss]

    return step


def residual_block(x, w, b):
    return [ops.relu(ops.conv(ops.relu(ops.conv(x, w, padding="same") + b), w, padding="same") + x)]


class Backwards(Operation, abstract=True):
    """An operation without a kernel."""

    def infer(self, x: Tensor):
        return x.shape, x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x[::-1]


def with_host_call(x):
    return [Backwards()(x) + 1.0]


def traced(name: str) -> Graph:
    if name == "step":
        variables = Variable(np.ones((20, 8)), name="kernel"), Variable(np.ones(8), name="bias")
        return trace(mlp_step(*variables), [((32, 20), FLOAT), ((32, 8), FLOAT)])
    if name == "block":
        return trace(residual_block, [((2, 8, 8, 4), FLOAT), ((3, 3, 4, 4), FLOAT), ((4,), FLOAT)])
    return trace({"softmax": softmax, "host": with_host_call}[name], [((32, 10), FLOAT)])


@pytest.fixture(scope="module", params=["softmax", "step", "block", "host"])
def case(request) -> tuple[Graph, Executable, Description]:
    graph = traced(request.param)
    executable = Executable(graph)
    return graph, executable, describe(graph, executable)


def operations(function, *shapes) -> int:
    (graph,) = [trace(lambda *x: [function(*x)], [(shape, FLOAT) for shape in shapes])]
    return describe(graph).cost.operations


CONV = {"inputs": (2, 9, 7, 6), "kernel": (3, 2, 6, 5)}


@pytest.mark.parametrize(
    ("expected", "function", "shapes"),
    [
        (2 * 32 * 64 * 20, ops.matmul, [(32, 20), (20, 64)]),
        (2 * 5 * 32 * 64 * 20, ops.matmul, [(5, 32, 20), (20, 64)]),
        (2 * (2 * 7 * 6 * 5) * (3 * 2 * 6), ops.conv, [CONV["inputs"], CONV["kernel"]]),
        (2 * (2 * 7 * 6 * 12) * (3 * 2), ops.depthwise_conv, [CONV["inputs"], (3, 2, 6, 2)]),
        (32 * 10, lambda x: x + 1.0, [(32, 10)]),
        (32 * 10, lambda x, y: x * y, [(32, 1), (1, 10)]),
        (32 * 10, ops.relu, [(32, 10)]),
        (32 * 10 * 12, ops.exp, [(32, 10)]),
        (32 * 10, lambda x: ops.max(x, axis=1), [(32, 10)]),
        (2 * 4 * 3 * 6 * 4, lambda x: ops.max_pool(x, 2), [(2, 8, 6, 6)]),
        (0, lambda x: ops.transpose(ops.reshape(x, (5, 64))), [(32, 10)]),
        (0, lambda x: ops.concatenate([x, x], axis=1), [(32, 10)]),
    ],
)
def test_operations_of_known_cases(expected, function, shapes):
    assert operations(function, *shapes) == expected


def test_gradients_of_a_convolution_take_what_it_takes():
    def function(x, w):
        return gradients([ops.sum(ops.conv(x, w, strides=2))], [x, w])

    nodes = trace(function, [(CONV["inputs"], FLOAT), (CONV["kernel"], FLOAT)]).nodes
    found = {type(n.operation).__name__: operations_of(n) for n in nodes if "Conv" in type(n.operation).__name__}
    assert set(found) == {"Conv", "ConvInputGradient", "ConvFilterGradient"}
    assert set(found.values()) == {2 * (2 * 4 * 3 * 5) * (3 * 2 * 6)}


def test_bytes_of_known_cases():
    (node,) = trace(lambda a, b: [ops.matmul(a, b)], [((32, 20), FLOAT), ((20, 64), FLOAT)]).nodes
    assert bytes_of(node) == 4 * (32 * 20 + 20 * 64 + 32 * 64)
    (node,) = trace(lambda t, i: [ops.take(t, i, axis=0)], [((1000, 8), FLOAT), ((4,), "int32")]).nodes[-1:]
    assert bytes_of(node) == 4 * (4 * 8 + 4 + 4 * 8), "a lookup reads the rows that it gives"
    nodes = trace(lambda x: [ops.broadcast_to(x, (50, 8)) + 1.0], [((8,), FLOAT)]).nodes
    assert bytes_of(nodes[-1]) == 4 * (8 + 1 + 50 * 8), "what is repeated is read once"


def test_unknown_sizes_count_as_one():
    graph = trace(lambda a, b: [ops.matmul(a, b)], [((None, 20), FLOAT), ((20, 64), FLOAT)])
    assert describe(graph).cost.operations == 2 * 20 * 64
    assert "float32[?, 64]" in describe(graph).text()


def test_a_fused_kernel_moves_its_inputs_and_outputs_once():
    graph = traced("softmax")
    described = describe(graph, Executable(graph))
    (unit,) = described.units
    assert unit.bytes == described.cost.bytes == 2 * 4 * 32 * 10 + 2 * 4  # and the constants 2 and 1
    assert described.cost.launches == unit.launches == described.cost.kernels == 1
    assert sum(node.bytes for node in unit.nodes) > 5 * unit.bytes


def test_totals_add_up_and_the_peak_is_the_plans(case):
    graph, executable, described = case
    cost = described.cost
    assert cost.operations == sum(unit.operations for unit in described.units)
    assert cost.operations == sum(node.operations for node in described.nodes) > 0
    assert cost.bytes == sum(unit.bytes for unit in described.units)
    assert cost.launches == len(executable.plan.launches)
    assert cost.launches + cost.host_calls == len(executable.program.steps)
    assert cost.peak_bytes == executable.arena_bytes
    assert cost.input_bytes == sum(array.nbytes for array in executable.inputs)
    assert cost.output_bytes == sum(array.nbytes for array in executable.outputs)
    assert cost.variable_bytes == sum(variable.array.nbytes for variable in graph.reads)
    assert [unit.number for unit in described.units if unit.number] == list(
        range(1, 1 + sum(bool(unit.launches or unit.host_calls) for unit in described.units))
    )


def test_every_node_appears_with_its_kernel(case):
    graph, executable, described = case
    text = described.text()
    nodes = [node for unit, *_ in executable.program.units for node in getattr(unit, "nodes", [unit])]
    assert [info.operation for info in described.nodes] == [repr(node.operation) for node in nodes]
    assert [info.path for info in described.nodes] == [node.path for node in nodes]
    for unit in described.units:
        assert all(kernel in text for kernel in unit.kernels)
        assert all(node.where == unit.label for node in unit.nodes)
    for info in described.nodes:
        for value in info.outputs:
            assert re.search(
                rf"{re.escape(str(value))}\s+= " if len(info.outputs) == 1 else re.escape(str(value)), text
            )
    assert max(map(len, text.splitlines())) <= 100
    recorded = describe(graph)
    assert [info.operation for info in recorded.nodes] == [repr(node.operation) for node in graph.nodes]
    assert recorded.cost.peak_bytes is None and "launches" not in recorded.text()


def test_text_names_layers_variables_and_host_calls():
    graph = traced("step")
    text = describe(graph, Executable(graph)).text()
    assert "reads  kernel: float32[20, 8], bias: float32[8]" in text
    assert "# model/dense\n  1 matmul.panels" in text
    assert re.search(r"assigns bias = %\d+: float32\[8\]", text)
    assert "peak memory" in text
    graph = traced("host")
    described = describe(graph, Executable(graph))
    assert described.cost.host_calls == 1 and "host call" in described.text()


def test_paths_of_variables_are_shortened_where_that_is_clear():
    paths = ("model/block/dense/kernel", "model/block/dense/bias", "model/other/dense/bias")
    variables = [Variable(np.ones(3), name=path.rpartition("/")[2], path=path) for path in paths]
    described = describe(trace(lambda: [sum(v.value for v in variables)], []))
    assert [value.name for value in described.reads] == ["dense/kernel", *paths[1:]]
    assert [value.path for value in described.reads] == list(paths)
    text = described.text()
    assert "reads  model/block/dense/kernel: float32[3]" in text and "Add(0, dense/kernel)" in text


def test_equal_names_of_variables_are_told_apart():
    a, b = Variable(np.ones(3)), Variable(np.ones(3))
    described = describe(trace(lambda: [a.value + b.value], []))
    assert [value.name for value in described.reads] == ["variable", "variable.1"]
    assert [value.name for value in described.nodes[0].inputs] == ["variable", "variable.1"]


def statements(source: str) -> tuple[set[str], list[tuple[str, str, str]]]:
    """The nodes and the edges of Graphviz source, which has to be well formed: strings closed, braces balanced."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "S", source)
    assert '"' not in bare
    depth = 0
    for brace in re.findall(r"[{}]", bare):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0 and bare.startswith("digraph {") and bare.rstrip().endswith("}")
    nodes = set(re.findall(r"^\s*(?:label=.*style=dashed; )?(\w+) \[label=", source, re.MULTILINE))
    edges = re.findall(r'^  (\w+) -> (\w+) \[(?:label="([^"]*)")?', source, re.MULTILINE)
    return nodes, edges


def test_dot_is_well_formed(case):
    _, _, described = case
    nodes, edges = statements(described.dot())
    values = len(described.inputs) + len(described.reads) + len(described.outputs) + len(described.assigned)
    assert len(nodes) == len(described.nodes) + values
    assert edges and all(start in nodes and end in nodes for start, end, _ in edges)
    assert all(re.fullmatch(r"\w+\[[\d, ]*\]", label) for *_, label in edges)
    fused = [unit for unit in described.units if len(unit.nodes) > 1]
    assert described.dot().count("subgraph") == len(fused)


def boxes_of(svg: str) -> list[tuple[float, float, float, float]]:
    """The boxes of a picture: x, y, width, height; the picture has to be valid XML."""
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{name}svg"
    groups = [g for g in root.iter(f"{name}g") if g.get("class") == "box"]
    assert all(g.find(f"{name}title") is not None or len(g) for g in groups)
    return [tuple(float(g.find(f"{name}rect").get(key)) for key in ("x", "y", "width", "height")) for g in groups]


def check_apart(boxes) -> None:
    for at, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:at]:
            apart_across = x >= other_x + other_width or other_x >= x + width
            apart_down = y >= other_y + other_height or other_y >= y + height
            assert apart_across or apart_down


def test_svg_is_valid_and_boxes_lie_apart(case):
    _, _, described = case
    svg = described.svg()
    boxes = boxes_of(svg)
    assert len(boxes) >= len(described.nodes) + len(described.inputs) + len(described.outputs)
    check_apart(boxes)
    assert svg == described.svg()
    for node in described.nodes:
        assert node.operation.partition("(")[0] in svg


def test_a_deep_graph_is_drawn_without_overlaps():
    rng = np.random.default_rng(0)
    boxes = [Box(at, (f"node {at}", "x" * int(rng.integers(1, 30)))) for at in range(300)]
    edges = [
        Edge(int(source), at, "float32[3]")
        for at in range(1, 300)
        for source in {int(rng.integers(max(0, at - 5), at)), int(rng.integers(0, at))}
    ]
    diagram = Diagram(boxes, edges)
    layout = arrange(diagram)
    for layer in layout.layers:
        for left, right in zip(layer, layer[1:], strict=False):
            assert left.x + left.width / 2 < right.x - right.width / 2
    assert all(upper.layer + 1 == lower.layer for net in layout.nets for upper, lower in net.links)
    assert sum(len(net.targets) for net in layout.nets) == len(edges)
    drawn = boxes_of(draw([diagram]))
    assert len(drawn) == 300
    check_apart(drawn)


def test_a_chain_is_straight_and_a_far_value_is_drawn_again():
    boxes = [Box("value", ("value",), repeat=True), *(Box(at, (str(at),)) for at in range(12))]
    edges = [Edge(at, at + 1) for at in range(11)]
    layout = arrange(Diagram(boxes, edges))
    assert len({round(place.x, 6) for place in layout.boxes if place.box.key != "value"}) == 1
    layout = arrange(Diagram(boxes, [*edges, Edge("value", 1), Edge("value", 3), Edge("value", 11)]))
    assert [place.layer for place in layout.boxes if place.box.key == "value"] == [0, 10]


def test_drawing_refuses_cycles_and_unknown_boxes():
    boxes = [Box("a", ("a",)), Box("b", ("b",))]
    with pytest.raises(ValueError, match="cycle"):
        arrange(Diagram(boxes, [Edge("a", "b"), Edge("b", "a")]))
    with pytest.raises(ValueError, match="not there"):
        arrange(Diagram(boxes, [Edge("a", "c")]))


def test_text_in_pictures_is_escaped():
    svg = draw([Diagram([Box("a", ('<&>"', "\x00"), tooltip="a < b")], [], 'title "&"')])
    texts = [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ['title "&"', '<&>"', "?"]


def test_nothing_is_drawn_of_nothing():
    described = describe(trace(lambda: [], []))
    assert boxes_of(described.svg()) == []
    assert described.cost.operations == 0
    statements(described.dot())


def test_graphs_inside_operations_are_described():
    def function(x):
        return [ops.fori_loop(0, 5, lambda i, h: ops.tanh(h), ops.exp(x)) + 1.0]

    described = describe(trace(function, [((4, 3), FLOAT)]))
    loop = described.nodes[1]
    inside = loop.subgraphs["body"]
    assert loop.operation.startswith("Loop") and loop.where == "control flow"
    assert loop.operations == 5 * inside.cost.operations == 5 * (18 * 12 + 1)
    assert [node.operation for node in inside.nodes] == ["Add", "Tanh"]
    lines = described.text().splitlines()
    at = lines.index("        body:")
    assert all(line.startswith(" " * 8) for line in lines[at : at + 5]) and "Tanh" in lines[at + 4]
    nodes, edges = statements(described.dot())
    assert all(start in nodes and end in nodes for start, end, _ in edges)
    boxes = boxes_of(described.svg())
    assert len(boxes) >= 2 + 3 + 3
