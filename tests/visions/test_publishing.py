"""Statements, their evidence, and what is published of them."""

import copy
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import ProtectedError
from django.test import Client

from visions.models import EvidenceLink, Snapshot, SnapshotIsFrozen, Summary
from visions.results.aggregates import load_findings
from visions.summary import composing, publishing
from visions.summary.publishing import CannotPublish

from .study import KEY, hold_workshop, person, programme_without_workshops

pytestmark = pytest.mark.django_db


@pytest.fixture
def summary(study):
    return composing.summary_of(study)


@pytest.fixture
def domain(study):
    return study.domains.first()


@pytest.fixture
def small(summary, domain, study):
    """A statement with the figure that carries it."""
    statement = composing.add_statement(summary, domain, "It is small: six to twelve babies.")
    composing.link(statement, load_findings(study), "ideal_group_size", "measure", "ideal_6_12")
    return statement


def reasons(summary) -> list[str]:
    with pytest.raises(CannotPublish) as refused:
        publishing.publish(summary)
    return [reason.text for reason in refused.value.reasons]


# --- what stands against publishing -------------------------------------------------------------------


def test_a_summary_without_a_statement_is_not_published(summary):
    assert reasons(summary) == ["There is no statement yet."]
    assert not Snapshot.objects.exists()


def test_a_statement_without_a_figure_is_not_published(summary, small, domain):
    composing.add_statement(summary, domain, "It smells of bread.")
    assert reasons(summary) == ["A statement has no figure that supports it."]


def test_a_figure_in_tension_alone_carries_nothing_and_needs_a_note(summary, study, domain):
    statement = composing.add_statement(summary, domain, "It is large.")
    composing.link(
        statement, load_findings(study), "ideal_group_size", "measure", "ideal_19_plus",
        relation=EvidenceLink.Relation.CONTRADICTS,
    )  # fmt: skip
    assert reasons(summary) == [
        "A statement has no figure that supports it.",
        "A figure in tension needs a note.",
    ]


def test_a_figure_that_does_not_exist_cannot_be_linked(summary, study, domain):
    statement = composing.add_statement(summary, domain, "It is small.")
    with pytest.raises(composing.NoSuchFigure):
        composing.link(statement, load_findings(study), "ideal_group_size", "option", "a_thousand")


def test_a_figure_is_linked_once_to_a_statement(small, study):
    with pytest.raises(composing.AlreadyLinked):
        composing.link(small, load_findings(study), "ideal_group_size", "measure", "ideal_6_12")
    assert small.evidence.count() == 1


# --- later answers ------------------------------------------------------------------------------------


def test_a_sixth_workshop_makes_a_link_stale_until_somebody_updates_it(summary, small, study):
    link = small.evidence.get()
    assert not composing.is_stale(link, load_findings(study))
    hold_workshop(study, {"ideal_group_size": ["n6_8", "n6_8", "n22_plus"]})
    found = load_findings(study)
    assert composing.is_stale(link, found)
    assert reasons(summary) == ["1 figure has moved since it was linked."]
    composing.update_evidence(link, composing.current_line(link, found))
    assert {key: link.linked[key] for key in ("hits", "valid", "workshops")} == {
        "hits": 53,
        "valid": 81,
        "workshops": 6,
    }
    assert publishing.publish(summary).number == 1


def test_answers_that_leave_the_share_alone_are_seen_too(small, study):
    hold_workshop(study, {"ideal_group_size": [None, None]})
    assert not composing.is_stale(small.evidence.get(), load_findings(study))
    hold_workshop(study, {"ideal_group_size": ["n6_8"] * 2 + ["up_to_5"]})
    assert composing.is_stale(small.evidence.get(), load_findings(study))


def test_a_linked_figure_may_stand_with_a_reason_until_it_moves_again(summary, small, study):
    link = small.evidence.get()
    hold_workshop(study, {"ideal_group_size": ["n22_plus"]})
    composing.keep_evidence(
        link, composing.current_line(link, load_findings(study)), "The sixth was a trial."
    )
    page = publishing.publish(summary).content
    [figure] = page["domains"][0]["statements"][0]["figures"]
    assert (figure["hits"], figure["valid"], figure["kept_because"]) == (51, 78, "The sixth was a trial.")
    hold_workshop(study, {"ideal_group_size": ["n6_8"]})
    assert reasons(summary) == ["1 figure has moved since it was linked."]


def test_a_rehearsal_never_moves_a_figure(small, study):
    hold_workshop(study, {"ideal_group_size": ["n6_8"] * 5}, rehearsal=True)
    found = load_findings(study)
    assert not composing.is_stale(small.evidence.get(), found)
    assert len(found.meetings) == 5


def test_later_answers_and_edits_leave_the_published_page_as_it_was_byte_for_byte(summary, small, study):
    publishing.publish(summary)
    before = Client().get("/vision/ideal-baby-room/").content
    hold_workshop(study, {"ideal_group_size": ["n22_plus"] * 9})
    composing.edit_summary(summary, title="Something else", lead="", opening="")
    composing.edit_statement(small, text="It is huge.", why="", domain=small.domain)
    study.title = "Another name"
    study.save()
    assert Client().get("/vision/ideal-baby-room/").content == before
    assert Client().get("/vision/ideal-baby-room/1/").content == before


# --- versions -----------------------------------------------------------------------------------------


def test_a_version_is_never_changed(summary, small):
    snapshot = publishing.publish(summary)
    snapshot.content["title"] = "Forged"
    with pytest.raises(SnapshotIsFrozen):
        snapshot.save()
    assert Snapshot.objects.get().is_intact


def test_a_version_is_never_taken_away(summary, small):
    snapshot = publishing.publish(summary)
    with pytest.raises(SnapshotIsFrozen):
        snapshot.delete()
    with pytest.raises(ProtectedError):
        summary.delete()
    assert Snapshot.objects.get().is_intact


def test_a_changed_version_is_seen_by_its_checksum(summary, small):
    snapshot = publishing.publish(summary)
    forged = copy.deepcopy(snapshot.content)
    forged["domains"][0]["statements"][0]["figures"][0]["hits"] = 77
    Snapshot.objects.update(content=forged)
    assert not Snapshot.objects.get().is_intact


def test_versions_are_numbered_and_the_newest_stands_at_the_short_address(summary, small):
    publishing.publish(summary)
    composing.edit_statement(small, text="It is small, and it is warm.", why="", domain=small.domain)
    assert publishing.publish(summary).number == 2
    assert b"and it is warm" in Client().get("/vision/ideal-baby-room/").content
    assert b"and it is warm" not in Client().get("/vision/ideal-baby-room/1/").content


def test_a_version_that_is_not_there_is_not_found(summary, small):
    assert Client().get("/vision/ideal-baby-room/").status_code == 404
    publishing.publish(summary)
    assert Client().get("/vision/ideal-baby-room/2/").status_code == 404


# --- writing ------------------------------------------------------------------------------------------


def test_statements_move_within_their_part_of_the_vision(summary, domain):
    texts = ["One.", "Two.", "Three."]
    statements = [composing.add_statement(summary, domain, text) for text in texts]

    def order() -> list[str]:
        return [statement.text for statement in publishing.statements_of(summary)]

    composing.move_statement(statements[2], -1)
    assert order() == ["One.", "Three.", "Two."]
    composing.move_statement(statements[0], -1)
    assert order() == ["One.", "Three.", "Two."]
    composing.move_statement(statements[0], 1)
    assert order() == ["Three.", "One.", "Two."]


def test_small_workshops_are_hidden_in_what_is_published_and_so_is_their_neighbour(summary, small, study):
    hold_workshop(study, {"ideal_group_size": ["n6_8"] * 4})
    link = small.evidence.get()
    composing.update_evidence(link, composing.current_line(link, load_findings(study)))
    [figure] = publishing.publish(summary).content["domains"][0]["statements"][0]["figures"]
    # 4 people alone would be the total less the others: the next smallest, 12 people, goes with them.
    assert figure["hidden"] == [2, 6]
    assert [number for number, _hits, _valid in figure["cells"]] == [1, 3, 4, 5]
    page = Client().get("/vision/ideal-baby-room/").content.decode()
    assert page.count('hidden-cell">[c]') == 4


# --- the demonstration --------------------------------------------------------------------------------


def test_the_demo_summary_is_published_once(study):
    out = StringIO()
    call_command("load_demo_summary", stdout=out)
    call_command("load_demo_summary", stdout=out)
    assert "version 1: /vision/ideal-baby-room/" in out.getvalue()
    assert "Nothing was changed" in out.getvalue()
    assert Snapshot.objects.count() == 1


def test_the_demo_summary_without_figures_says_what_to_do():
    programme = programme_without_workshops()
    with pytest.raises(CommandError, match="First: load_synthetic_workshops"):
        call_command("load_demo_summary", programme=programme.key)
    assert not hasattr(programme, "summary")


# --- the composer -------------------------------------------------------------------------------------


@pytest.fixture
def researcher(study):
    client = Client()
    client.force_login(person(study, "researcher"), backend="django.contrib.auth.backends.ModelBackend")
    return client


URL = f"/programmes/{KEY}/summary/"


def test_looking_at_the_composer_begins_nothing(researcher, study):
    for place in ("", "preview/", "?statement=99999999999999999999"):
        assert researcher.get(URL + place).status_code == 200
    assert not Summary.objects.exists()


def test_too_long_a_statement_comes_back_with_a_sentence_and_what_was_typed(researcher, domain, summary):
    typed = "calm " * 50
    answer = researcher.post(f"{URL}add/", {"new-domain": domain.pk, "new-text": typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This has 249 letters; up to 200 fit here." in page
    assert typed.strip() in page
    assert not summary.statements.exists()


def test_an_empty_statement_is_refused_in_words(researcher, domain):
    answer = researcher.post(f"{URL}add/", {"new-domain": domain.pk, "new-text": "  "})
    assert "Write a statement first." in answer.content.decode()


def test_another_programmes_domain_is_refused(researcher, summary):
    answer = researcher.post(f"{URL}add/", {"new-domain": 999999, "new-text": "It is calm."})
    assert answer.status_code == 422
    assert not summary.statements.exists()


def test_a_statement_is_written_linked_and_published_by_plain_forms(researcher, domain, summary):
    researcher.post(f"{URL}add/", {"new-domain": domain.pk, "new-text": "It is small."})
    statement = summary.statements.get()
    researcher.post(
        f"{URL}{statement.pk}/evidence/",
        {"figure": "ideal_group_size|measure:ideal_6_12", "relation": "supports"},
    )
    answer = researcher.post(f"{URL}publish/", follow=True)
    assert "Version 1 is published." in answer.content.decode()
    assert "It is small." in Client().get("/vision/ideal-baby-room/").content.decode()


def test_publishing_too_early_says_what_is_missing(researcher, summary, domain):
    composing.add_statement(summary, domain, "It is small.")
    answer = researcher.post(f"{URL}publish/")
    assert answer.status_code == 422
    assert "A statement has no figure that supports it." in answer.content.decode()


@pytest.mark.parametrize("figure", ["", "nonsense", "role|option:nobody", "|:", "ideal_group_size|measure:"])
def test_a_figure_that_makes_no_sense_is_refused_in_words(researcher, small, figure):
    answer = researcher.post(f"{URL}{small.pk}/evidence/", {"figure": figure, "relation": "supports"})
    assert answer.status_code == 422
    assert small.evidence.count() == 1


def test_keeping_a_moved_figure_needs_a_reason(researcher, small, study):
    hold_workshop(study, {"ideal_group_size": ["n22_plus"]})
    link = small.evidence.get()
    answer = researcher.post(f"{URL}{small.pk}/evidence/{link.pk}/", {"do": "keep", "because": ""})
    assert answer.status_code == 422
    assert "Say why the linked figure stands." in answer.content.decode()
    assert "This has moved since you linked it." in answer.content.decode()
    researcher.post(f"{URL}{small.pk}/evidence/{link.pk}/", {"do": "keep", "because": "A trial."})
    assert small.evidence.get().kept_because == "A trial."


@pytest.mark.parametrize("do", ["update", "unlink"])
def test_a_moved_figure_is_updated_or_taken_away(researcher, small, study, do):
    hold_workshop(study, {"ideal_group_size": ["n22_plus"]})
    link = small.evidence.get()
    researcher.post(f"{URL}{small.pk}/evidence/{link.pk}/", {"do": do})
    assert [each.linked["valid"] for each in small.evidence.all()] == ([79] if do == "update" else [])


def test_a_foreign_statement_is_not_found(researcher, small):
    assert researcher.post(f"{URL}{small.pk + 1}/", {"do": "delete"}).status_code == 404
    assert researcher.post(f"{URL}{small.pk}/evidence/999/", {"do": "unlink"}).status_code == 404


def test_a_statement_is_taken_out_and_the_log_says_so_without_its_words(researcher, small, summary):
    researcher.post(f"{URL}{small.pk}/", {"do": "delete"})
    assert not summary.statements.exists()
    entry = summary.programme.log.get(verb="removed_statement")
    assert (entry.about, entry.changes) == ("", [])
