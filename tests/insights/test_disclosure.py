"""No number of fewer than ten people leaves, neither openly nor by subtraction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.disclosure import RULE, Figure, Reason, Sum, release, release_measure

FEW = Figure(None, Reason.FEW)
PROTECTS = Figure(None, Reason.PROTECTS)


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, FEW),
        (9, FEW),
        (10, Figure(10)),
        (12, Figure(10)),
        (13, Figure(15)),
        (497, Figure(495)),
        (499, Figure(500)),
        (500, Figure(500)),
        (503, Figure(503)),
    ],
)
def test_a_count_alone(count: int, told: Figure) -> None:
    assert release({"cell": count}) == {"cell": told}


def test_what_would_be_left_over_is_protected_by_the_smallest_beside_it() -> None:
    told = release({"all": 600, "en": 400, "fr": 195, "ar": 5}, [Sum("all", ("en", "fr", "ar"))])
    assert told == {"all": Figure(600), "en": Figure(400), "fr": PROTECTS, "ar": FEW}


def test_two_hidden_cells_of_few_people_are_not_enough() -> None:
    told = release(
        {"all": 504, "en": 300, "fr": 200, "ar": 3, "pt": 1},
        [Sum("all", ("en", "fr", "ar", "pt"))],
    )
    assert told["fr"] == PROTECTS
    assert told["en"] == Figure(300)


def test_a_hidden_total_is_not_added_up_from_its_parts() -> None:
    told = release(
        {"all": 635, "en": 600, "fr": 30, "ar": 5, "fr.done": 18, "fr.left": 12},
        [Sum("all", ("en", "fr", "ar")), Sum("fr", ("fr.done", "fr.left"))],
    )
    assert (told["ar"], told["fr"], told["fr.left"]) == (FEW, PROTECTS, PROTECTS)
    assert told["fr.done"] == Figure(20)


def test_a_part_that_is_the_whole_is_hidden_with_it() -> None:
    told = release(
        {"all": 40, "en": 40, "done": 36, "left": 4},
        [Sum("all", ("en",)), Sum("en", ("done", "left"))],
    )
    assert (told["done"], told["left"]) == (PROTECTS, FEW)
    assert (told["all"], told["en"]) == (Figure(40), Figure(40))


def test_a_median_is_of_ten_people_or_more() -> None:
    assert release_measure(14.4, 10) == Figure(14)
    assert release_measure(14.4, 9) == FEW
    assert release_measure(None, 0) == FEW


ROWS, COLUMNS = 3, 3
TABLES = st.lists(
    st.lists(
        st.one_of(st.integers(0, 30), st.integers(0, 900)), min_size=COLUMNS, max_size=COLUMNS
    ),
    min_size=ROWS,
    max_size=ROWS,
)


@given(table=TABLES)
def test_in_any_table_with_its_margins_no_sum_tells_what_it_hides(table: list[list[int]]) -> None:
    counts = {(r, c): n for r, row in enumerate(table) for c, n in enumerate(row)}
    counts |= {(r, -1): sum(row) for r, row in enumerate(table)}
    counts |= {(-1, c): sum(row[c] for row in table) for c in range(COLUMNS)}
    counts[-1, -1] = sum(map(sum, table))
    lines = range(-1, ROWS)
    sums = [Sum((r, -1), tuple((r, c) for c in range(COLUMNS))) for r in lines]
    sums += [Sum((-1, c), tuple((r, c) for r in range(ROWS))) for c in lines]
    told = release(counts, sums)
    for cell, count in counts.items():
        value = told[cell].value
        assert value is None or (count >= RULE.fewest and abs(value - count) <= 2)
        assert value is None or count < RULE.exact_from or value == count
    for each in sums:
        hidden = [one for one in (each.total, *each.parts) if told[one].value is None]
        assert len(hidden) != 1
        if hidden and each.total not in hidden:
            assert sum(counts[one] for one in hidden) >= RULE.fewest
