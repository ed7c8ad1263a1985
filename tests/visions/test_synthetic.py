"""The synthetic workshops: deterministic, labelled, made through the real write path, made once."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from polls.models import Ballot
from polls.types import Question
from polls.types.base import Option
from visions.demo import synthetic
from visions.demo.synthetic import AnswerCounts, answers_to
from workshops.models import Participant, Workshop

from .study import programme_without_workshops


def run(**options) -> str:
    out = StringIO()
    call_command("load_synthetic_workshops", stdout=out, **options)
    return out.getvalue()


def everything() -> list[tuple]:
    return list(Ballot.objects.order_by("poll_id", "voter").values_list("voter", "value", "status"))


@pytest.mark.django_db
def test_the_second_run_changes_nothing_and_says_so(study):
    before = everything()
    assert "Nothing was changed" in run()
    assert everything() == before


@pytest.mark.django_db
def test_five_workshops_are_marked_as_synthetic_ended_and_past(study):
    workshops = list(study.workshops.all())
    assert [(w.number, w.title, w.status, w.synthetic) for w in workshops] == [
        (number, "The Ideal Baby Room", "ended", True) for number in range(1, 6)
    ]
    assert [w.ended_at.isoformat() for w in workshops[::4]] == [
        "2025-03-04T17:00:00+00:00",
        "2025-04-01T16:00:00+00:00",
    ]


@pytest.mark.django_db
def test_every_ballot_belongs_to_somebody_who_joined(study):
    joined = set(Participant.objects.values_list("voter", flat=True))
    assert set(Ballot.objects.values_list("voter", flat=True)) <= joined
    assert not Ballot.objects.filter(poll__result=None).exists()


@pytest.mark.django_db
def test_every_run_gives_the_same_ballots():
    programme = programme_without_workshops()
    Ballot.objects.all().delete()
    synthetic.load(programme)
    first = everything()
    Workshop.objects.all().delete()
    Ballot.objects.all().delete()
    synthetic.load(programme)
    assert len(first) > 1000
    assert sorted(map(repr, everything())) == sorted(map(repr, first))


@pytest.mark.django_db
def test_a_real_workshop_is_never_written_over():
    programme = programme_without_workshops()
    Workshop.objects.create(programme=programme, number=3, title="Real")
    with pytest.raises(CommandError, match="workshop 3 of this programme is a real one"):
        run()
    assert Workshop.objects.count() == 1


@pytest.mark.django_db
def test_an_unknown_programme_gets_one_sentence():
    with pytest.raises(CommandError, match="There is no programme"):
        run(programme="nowhere")


def test_a_wrong_line_of_the_table_is_named(tmp_path):
    file = tmp_path / "wrong.csv"
    file.write_text("instrument,part,key,w1\nrole,one,leader,4\nrole,one,manager,some\n")
    with pytest.raises(synthetic.SyntheticDataError, match=r"wrong.csv, line 3"):
        synthetic.read(file)


@given(st.integers(1, 30), st.data())
def test_so_many_choose_a_thing_as_the_table_says(people, data):
    counts = data.draw(st.dictionaries(st.sampled_from("abcd"), st.integers(0, people), min_size=1))
    question = Question("multiple_choice", "?", options=tuple(Option(key, key) for key in "abcd"))
    sheet = AnswerCounts(many={"a": people, **counts, "b": people}, numbers={"answered": people})
    answers = list(answers_to(question, sheet, synthetic.Random(1)))
    assert len(answers) == people
    assert all(answers)
    assert {key: sum(key in chosen for chosen in answers) for key in sheet.many} == sheet.many
