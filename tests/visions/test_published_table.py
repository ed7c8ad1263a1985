"""The study's published table comes out of its five workshops exactly as it was printed."""

import csv
from pathlib import Path

import pytest

from visions.results.aggregates import load_findings

pytestmark = pytest.mark.django_db
DATA = Path(__file__).parents[1] / "data"
#: where the rows of the data stand: instrument, kind of line, key
PLACES = {
    "ideal_6_12": ("ideal_group_size", "measure", "ideal_6_12"),
    "ideal_19_plus": ("ideal_group_size", "measure", "ideal_19_plus"),
    "quiet": ("location", "option", "quiet"),
    "ground_floor": ("location", "option", "ground_floor"),
    "free_flow": ("outdoors", "option", "free_flow"),
    "connection_top_two": ("connection", "measure", "connection_top_two"),
    "coaching": ("professional_learning", "option", "coaching"),
}


def rows(name):
    with (DATA / name).open() as file:
        return list(csv.DictReader(file))


@pytest.fixture
def found(study):
    return load_findings(study)


@pytest.mark.parametrize(
    "printed", [row for row in rows("published_figures.csv") if row["measure"]], ids=lambda row: row["id"]
)
def test_every_published_figure_is_reproduced(found, printed):
    line = found.line(*PLACES[printed["measure"]])
    assert line.percent == int(printed["printed_percent"])
    assert line.hits == int(printed["count"])
    assert line.valid == int(printed["printed_n"] or 87)  # the report prints no N for R6


def test_84_people_answered_in_words_and_four_words_lead(found):
    words = found.instrument("ideal_in_words")
    assert words.answers.valid == 84
    leading = sorted(words.options, key=lambda line: -line.hits)[:4]
    assert [line.label for line in leading] == ["calm", "nurturing", "welcoming", "homely"]


@pytest.mark.parametrize(
    "row",
    [row for row in rows("five_workshops.csv") if row["measure"] in PLACES],
    ids=lambda row: row["measure"],
)
def test_every_row_holds_in_every_workshop(found, row):
    cells = found.line(*PLACES[row["measure"]]).cells
    assert [(cell.meeting.number, cell.hits, cell.valid) for cell in cells] == [
        (w, int(row[f"w{w}_hits"]), int(row[f"w{w}_valid"])) for w in range(1, 6)
    ]


def test_as_many_joined_each_workshop_as_in_the_data(found):
    row = next(row for row in rows("five_workshops.csv") if row["measure"] == "joined")
    assert [meeting.joined for meeting in found.meetings] == [int(row[f"w{w}_hits"]) for w in range(1, 6)]
    assert found.joined == 113
    assert found.instrument("role").answers.valid == 113


@pytest.mark.parametrize(
    "golden",
    [row for row in rows("golden_statistics.csv") if row["measure"] in PLACES],
    ids=lambda row: row["measure"],
)
def test_the_intervals_are_the_golden_ones_to_four_places(found, golden):
    line = found.line(*PLACES[golden["measure"]])
    assert (line.hits, line.valid) == (int(golden["hits"]), int(golden["valid"]))
    assert [round(end, 4) for end in line.interval] == [
        float(golden["wilson_low"]),
        float(golden["wilson_high"]),
    ]


def test_the_options_of_the_ideal_group_size_add_up_as_published(found):
    assert [line.hits for line in found.instrument("ideal_group_size").options] == [9, 24, 27, 14, 4, 0, 0]


def test_nobody_passed_into_the_base(found):
    ledger = found.instrument("ideal_group_size").ledger
    assert ledger == {
        "attended": 113, "joined": 113, "asked": 113, "issued": 88, "cast": 81, "passed": 3, "valid": 78,
        "after_reveal": 0,
    }  # fmt: skip
