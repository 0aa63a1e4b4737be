from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from layerkit import tree

Point = namedtuple("Point", ["x", "y"])
Other = namedtuple("Other", ["x", "y"])

STRUCTURES = [
    1,
    None,
    [],
    [1],
    (1, [2, (3,)]),
    {"b": 1, "a": [2, None]},
    OrderedDict([("b", 1), ("a", 2)]),
    defaultdict(list, {"z": 1, "y": 2}),
    deque([1, 2], maxlen=3),
    Point(1, Point(2, {"k": 3})),
    {2: "two", 10: "ten", 1: "one"},
]


class Listlike(list):
    pass


def test_leaves_come_in_the_order_of_sorted_keys_but_of_an_ordered_dict_in_its_own():
    assert tree.flatten({"b": 1, "a": [2, None]}) == [2, None, 1]
    assert tree.flatten(OrderedDict([("b", 1), ("a", 2)])) == [1, 2]
    assert tree.flatten({1: "i", "a": "s"}) == ["i", "s"]
    assert tree.flatten(None) == [None]


def test_subclasses_of_containers_are_leaves_and_named_tuples_are_not():
    assert not tree.is_nested(Listlike([1]))
    assert tree.is_nested(Point(1, 2))
    assert not tree.is_nested("text")


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_pack_undoes_flatten_and_keeps_types_and_key_order(structure):
    packed = tree.pack_sequence_as(structure, tree.flatten(structure))
    assert packed == structure
    assert type(packed) is type(structure)
    if isinstance(structure, dict):
        assert list(packed) == list(structure)
    assert [leaf for _, leaf in tree.flatten_with_path(structure)] == tree.flatten(structure)


def test_pack_checks_the_number_of_leaves():
    with pytest.raises(ValueError, match="has 2 leaves, but `flat_sequence` has 3 items"):
        tree.pack_sequence_as([0, 0], [1, 2, 3])
    with pytest.raises(TypeError, match="must be iterable, got int"):
        tree.pack_sequence_as([0], 3)


def test_paths():
    assert tree.flatten_with_path([{"foo": 42}, Point(1, 2)]) == [((0, "foo"), 42), ((1, 0), 1), ((1, 1), 2)]
    assert tree.path_text("x", (0, "a")) == "x[0]['a']"


def test_map_structure_over_several_and_none():
    assert tree.map_structure(lambda a, b: a * b, {"a": [1, 2]}, {"a": [3, 4]}) == {"a": [3, 8]}
    assert tree.map_structure(lambda a: a is None, [None, 1]) == [True, False]
    assert tree.map_structure(lambda a: a + 1, [None, 1], none_is_leaf=False) == [None, 2]
    assert tree.map_structure(len, "abc") == 3


def test_map_structure_refuses_bad_arguments():
    with pytest.raises(ValueError, match="at least one structure"):
        tree.map_structure(len)
    with pytest.raises(TypeError, match="must be callable"):
        tree.map_structure(3, [1])


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        ([1, 2], [1], "the lengths are 2 and 1"),
        ([1], (1,), "one has a list, the other a tuple"),
        ([[1]], [1], r"at \[0\], one has a list where the other has a leaf \(int\)"),
        ({"a": 1}, {"b": 1}, r"the keys are \['a'\] and \['b'\]"),
        (Point(1, 2), Other(1, 2), "one has a Point, the other a Other"),
    ],
)
def test_different_structures_are_told_apart(a, b, text):
    for check in (tree.assert_same_structure, lambda a, b: tree.map_structure(lambda x, y: x, a, b)):
        with pytest.raises(ValueError, match=text):
            check(a, b)


def test_kinds_of_dictionary_are_the_same_structure():
    tree.assert_same_structure({"a": 1, "b": [2]}, OrderedDict([("b", [3]), ("a", 4)]))
    both = tree.map_structure(lambda x, y: (x, y), OrderedDict([("b", 1), ("a", 2)]), {"a": 20, "b": 10})
    assert both == OrderedDict([("b", (1, 10)), ("a", (2, 20))])


def test_check_types_has_no_effect_and_says_so():
    with pytest.warns(DeprecationWarning, match="`check_types` is deprecated and has no effect"):
        tree.assert_same_structure([1], [2], check_types=False)


def test_same_paths_whatever_the_containers():
    tree.assert_same_paths([0, (1,)], (0, [1]))
    with pytest.raises(ValueError, match=r"missing in `b`: \(1,\)"):
        tree.assert_same_paths([0, 1], [0])


def test_map_up_to_a_shallow_structure():
    assert tree.map_structure_up_to([None, [None, None]], str, [[1, 1], [2, 2]]) == ["[1, 1]", ["2", "2"]]
    with pytest.raises(ValueError, match="one has a list where the other has a leaf"):
        tree.map_structure_up_to([[None]], str, [1])


def test_shapes_are_leaves():
    assert tree.map_shape_structure(len, {"a": (None, 3), "b": [(1, 2, 3)]}) == {"a": 2, "b": [3]}


def test_traverse_orders():
    seen = []
    tree.traverse(seen.append, [(1, 2), {"a": 3}])
    assert seen == [[(1, 2), {"a": 3}], (1, 2), 1, 2, {"a": 3}, 3]
    seen.clear()
    tree.traverse(seen.append, [(1,)], top_down=False)
    assert seen == [1, (1,), [(1,)]]
    assert tree.traverse(lambda s: tree.MAP_TO_NONE if s == 1 else None, [1, 2]) == [None, 2]
    assert tree.lists_to_tuples([[1], {"a": [2]}]) == ((1,), {"a": (2,)})
