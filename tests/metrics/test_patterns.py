"""Encoding of label counts in words, and what patterns of them know."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.patterns import Encoding, Patterns, decode, encode, overflowed


@pytest.mark.parametrize(
    ("labels", "bits", "words"),
    [(1, 60, 1), (2, 30, 1), (3, 20, 1), (4, 15, 1), (5, 12, 1), (10, 6, 1), (15, 4, 1), (16, 7, 2), (45, 4, 3)],
)
def test_choose_gives_the_fewest_words_and_then_the_widest_digits(labels, bits, words):
    chosen = Encoding.choose(labels)
    assert (chosen.bits, chosen.words) == (bits, words)


@given(st.integers(1, 300), st.integers(0, 5000))
def test_choose_holds_the_ratings_it_is_told_of(labels, ratings):
    chosen = Encoding.choose(labels, ratings)
    assert ratings <= chosen.most
    assert chosen.words * chosen.digits_per_word >= labels
    narrowest = Encoding(labels, max(1, ratings.bit_length()))
    assert chosen.words == narrowest.words
    wider = chosen.bits + 1
    assert wider > 60 or Encoding(labels, wider).words > chosen.words


def test_weights_are_distinct_powers_of_two_of_a_signed_word():
    encoding = Encoding.choose(33)
    places = {(encoding.word(p), encoding.weight(p)) for p in range(33)}
    assert len(places) == 33
    assert all(weight.bit_count() == 1 and weight * encoding.most < 2**60 for _, weight in places)


def test_a_code_is_the_sum_over_ratings_the_design_gives():
    """SUM(2^(b * (position - word * digits per word))) by hand: three labels of 20 bits, ratings 2, 0, 2, 1."""
    encoding = Encoding.choose(3)
    code = sum(encoding.weight(p) for p in (2, 0, 2, 1))
    assert code == 1 + 2**20 + 2 * 2**40
    assert decode([code], encoding).tolist() == [[1, 1, 2]]


@given(st.data(), st.integers(1, 130), st.integers(1, 40))
def test_decoding_undoes_encoding_over_any_number_of_words(data, labels, ratings):
    encoding = Encoding.choose(labels, ratings)
    row = st.lists(st.integers(0, ratings), min_size=labels, max_size=labels)
    counts = np.array(data.draw(st.lists(row, min_size=1, max_size=4)))
    codes = encode(counts, encoding)
    assert codes.shape == (len(counts), encoding.words)
    np.testing.assert_array_equal(decode(codes, encoding), counts)
    assert not overflowed(decode(codes, encoding), counts.sum(axis=1)).any()


@pytest.mark.parametrize("position", [0, 7, 14])
def test_a_carry_is_noticed_whichever_digit_it_leaves(position):
    encoding = Encoding.choose(15)
    counts = np.zeros((2, 15), dtype=int)
    counts[0, position], counts[1, position] = encoding.most, encoding.most + 1
    decoded = decode(encode(counts, encoding), encoding)
    assert overflowed(decoded, counts.sum(axis=1)).tolist() == [False, True]


def test_what_no_encoding_wrote_is_refused():
    with pytest.raises(ValueError, match="2 words where the encoding has 1"):
        decode([[1, 2]], Encoding.choose(3))
    with pytest.raises(ValueError, match="negative"):
        decode([-1], Encoding.choose(3))
    for labels, bits in ((0, 4), (3, 0), (3, 61)):
        with pytest.raises(ValueError, match=r"at least one label|1 to 60 bits"):
            Encoding(labels, bits)
    with pytest.raises(ValueError, match="positions run from 0 to 2"):
        Encoding.choose(3).weight(3)
    with pytest.raises(ValueError, match="ratings"):
        Encoding.choose(3, -1)


def test_no_codes_decode_to_no_counts():
    assert decode(np.zeros((0, 2), dtype=np.int64), Encoding.choose(20)).shape == (0, 20)


# ---- patterns


ITEM = ["a", "a", "a", "b", "b", "b", "c", "d", "d", "e"]
POSITION = [0, 0, 1, 1, 0, 0, 2, 2, 2, 2]


def test_patterns_of_rows_count_items_that_look_alike():
    found = Patterns.of(ITEM, POSITION, 4)
    assert dict(zip(map(tuple, found.counts.tolist()), found.items.tolist(), strict=True)) == {
        (2, 1, 0, 0): 2,
        (0, 0, 1, 0): 2,
        (0, 0, 2, 0): 1,
    }
    assert (found.n_items, found.n_pairable, found.n_single_rated, found.n_ratings) == (5, 3, 2, 10)
    np.testing.assert_allclose(found.prevalence, [0.4, 0.2, 0.4, 0])


def test_codes_and_rows_give_the_same_patterns():
    rows = Patterns.of(ITEM, POSITION, 4)
    encoding = Encoding.choose(4)
    items = ["a", "b", "c", "d", "e"]
    codes = [sum(encoding.weight(p) for i, p in zip(ITEM, POSITION, strict=True) if i == item) for item in items]
    found = Patterns.of_codes(codes, np.ones(5), encoding)
    np.testing.assert_array_equal(found.counts, rows.counts)
    np.testing.assert_array_equal(found.items, rows.items)


def test_coincidences_are_krippendorffs():
    """Krippendorff 2011, section C: 4 observers, 12 units, typed in; his coincidence matrix, n = 40."""
    units = ["111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11", "3"]
    item = [u for u, ratings in enumerate(units) for _ in ratings]
    found = Patterns.of(item, [int(r) - 1 for ratings in units for r in ratings], 5)
    expected = [
        [7, 4 / 3, 1 / 3, 1 / 3, 0],
        [4 / 3, 10, 4 / 3, 1 / 3, 0],
        [1 / 3, 4 / 3, 8, 1 / 3, 0],
        [1 / 3, 1 / 3, 1 / 3, 4, 0],
        [0, 0, 0, 0, 3],
    ]
    np.testing.assert_allclose(found.coincidences(), expected)
    np.testing.assert_allclose(found.items @ found.coincidences_by_pattern().reshape(-1, 25), np.ravel(expected))


rows_of = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), min_size=1, max_size=40)


@given(rows_of, rows_of)
def test_merging_is_counting_all_rows_at_once(first, second):
    def patterns(rows, offset=0):
        return Patterns.of([i + offset for i, _ in rows], [p for _, p in rows], 4)

    merged = patterns(first) + patterns(second, 100)
    pooled = patterns(first + [(i + 100, p) for i, p in second])
    np.testing.assert_array_equal(merged.counts, pooled.counts)
    np.testing.assert_array_equal(merged.items, pooled.items)
    summed = patterns(first).coincidences() + patterns(second, 100).coincidences()
    np.testing.assert_allclose(merged.coincidences(), summed, atol=1e-12)


@given(rows_of, st.randoms(use_true_random=False))
def test_order_of_rows_and_names_of_items_change_nothing(rows, random):
    shuffled = random.sample(rows, len(rows))
    first = Patterns.of([i for i, _ in rows], [p for _, p in rows], 4)
    second = Patterns.of([f"item {-i}" for i, _ in shuffled], [p for _, p in shuffled], 4)
    np.testing.assert_array_equal(first.counts, second.counts)
    np.testing.assert_array_equal(first.items, second.items)


def test_no_rows_are_no_items():
    found = Patterns.of([], [], 3)
    assert (found.counts.shape, found.n_items, found.n_ratings) == ((0, 3), 0, 0)
    assert found.coincidences().tolist() == np.zeros((3, 3)).tolist()
    assert np.isnan(found.prevalence).all()


def test_what_is_no_pattern_is_refused():
    for counts, items in (([1, 2], [1]), ([[1, 2]], [1, 1]), ([[-1, 2]], [1]), ([[1, 2]], [-1]), ([[1.5, 2]], [1])):
        with pytest.raises(ValueError, match=r"Patterns need|not negative|whole numbers"):
            Patterns(np.array(counts), np.array(items))
    with pytest.raises(ValueError, match="positions run from 0 to 1"):
        Patterns.of([1, 1], [0, 2], 2)
    with pytest.raises(ValueError, match="same declared labels"):
        Patterns.of([1], [0], 2) + Patterns.of([1], [0], 3)


def test_patterns_cannot_be_changed_under_a_reader():
    with pytest.raises(ValueError, match="read-only"):
        Patterns.of(ITEM, POSITION, 4).counts[0, 0] = 9
