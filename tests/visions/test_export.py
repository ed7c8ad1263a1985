"""The file of pooled results."""

import csv
import io
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from visions.exports import results_csv
from visions.results.aggregates import load_findings

from .study import KEY, hold_workshop, programme_without_workshops

pytestmark = pytest.mark.django_db


def exported(programme) -> list[dict[str, str]]:
    file = io.StringIO()
    results_csv.write(load_findings(programme), file)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


def test_rows_have_exactly_the_promised_columns_and_values(study):
    rows = {(row["instrument"], row["measure"]): row for row in exported(study)}
    assert list(rows["ideal_group_size", "ideal_6_12"].items()) == [
        ("instrument", "ideal_group_size"), ("measure", "ideal_6_12"), ("label", "6 to 12 babies"),
        ("hits", "51"), ("valid", "78"), ("percent", "65"),
        ("wilson_low", "0.5433"), ("wilson_high", "0.7499"), ("workshops", "5"), ("versions", "1"),
    ]  # fmt: skip
    assert rows["ideal_group_size", "ideal_19_plus"]["percent"] == "0"
    assert rows["location", "quiet"]["percent"] == "75"


def test_options_come_in_authored_order_and_measures_after_them(study):
    keys = [row["measure"] for row in exported(study) if row["instrument"] == "ideal_group_size"]
    assert keys == [
        "up_to_5", "n6_8", "n9_12", "n13_15", "n16_18", "n19_21", "n22_plus", "ideal_6_12", "ideal_19_plus"
    ]  # fmt: skip


def test_a_question_that_fewer_than_ten_people_answered_leaves_without_its_figures():
    programme = programme_without_workshops()
    hold_workshop(programme, {"ideal_group_size": ["n6_8"] * 9})
    rows = exported(programme)
    columns = ("hits", "valid", "percent", "wilson_low", "wilson_high")
    assert {row[column] for row in rows for column in columns} == {"[c]"}
    hold_workshop(programme, {"ideal_group_size": ["n6_8"]})
    (row,) = [row for row in exported(programme) if row["measure"] == "n6_8"]
    assert (row["hits"], row["valid"]) == ("10", "10")


def test_what_one_to_four_people_chose_leaves_without_its_figure_nor_can_it_be_worked_out():
    programme = programme_without_workshops()
    hold_workshop(programme, {"ideal_group_size": ["n6_8"] * 20 + ["n9_12"] * 9 + ["n22_plus"] * 2})
    rows = {row["measure"]: row["hits"] for row in exported(programme)}
    assert (rows["n6_8"], rows["n9_12"], rows["n22_plus"]) == ("20", "[c]", "[c]")
    assert (rows["ideal_6_12"], rows["ideal_19_plus"]) == ("[c]", "[c]")


def test_words_of_fewer_than_five_people_do_not_leave():
    programme = programme_without_workshops()
    hold_workshop(
        programme,
        {"ideal_in_words": [["calm", "quiet"]] * 12 + [["homely"]] * 9 + [["bullied by Mary Jones"]] * 4},
    )
    rows = exported(programme)
    assert [row["label"] for row in rows] == ["calm", "quiet", "homely", "[c]"]
    assert "Mary" not in str(rows)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+44", "+44"), ("-7", "-7"), ("-7 babies", "'-7 babies"), ("@home", "'@home"),
        ("\tcalm", "'\tcalm"), ("\rcalm", "'\rcalm"), ("calm", "calm"), (0.5, "0.5"), ("-1e3", "-1e3"),
        ("+44\n", "'+44\n"),
    ],
)  # fmt: skip
def test_cells_that_a_spreadsheet_would_run_are_escaped(cell, written):
    assert results_csv.safe(cell) == written


def test_words_that_look_like_a_formula_leave_escaped():
    programme = programme_without_workshops()
    hold_workshop(programme, {"ideal_in_words": [["=SUM(A1)"], ["calm"]] * 6})
    assert [row["label"] for row in exported(programme)] == ["'=SUM(A1)", "calm"]


def test_the_command_writes_a_file_and_says_so(study, tmp_path):
    out, path = StringIO(), tmp_path / "results.csv"
    call_command("export_results", KEY, format="csv", output=path, stdout=out)
    assert path.read_text().splitlines()[0] == ",".join(results_csv.COLUMNS)
    assert f"rows to {path}" in out.getvalue()


def test_the_command_prints_without_a_file(study, capsys):
    call_command("export_results", KEY)
    assert capsys.readouterr().out.splitlines()[0] == ",".join(results_csv.COLUMNS)


def test_a_place_that_cannot_be_written_gets_one_sentence(study, tmp_path):
    with pytest.raises(CommandError, match="Cannot write"):
        call_command("export_results", KEY, output=tmp_path / "no" / "such" / "place.csv")


def test_an_unknown_programme_gets_one_sentence():
    with pytest.raises(CommandError, match="There is no programme"):
        call_command("export_results", "nowhere")
