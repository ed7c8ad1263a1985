"""Each poll type on its own: its limits, its sentences, its numbers."""

import pytest

from polls.types import POLL_TYPES, InvalidBallot, InvalidQuestion, Question
from polls.types.base import Filled, Option, percent
from polls.types.order import fnv1a, shuffled
from polls.types.texts import matching_key, tidy
from tests.poll_samples import QUESTIONS


def clean(name, value):
    question = QUESTIONS[name]
    return POLL_TYPES[question.type].clean(value, question)


def refusal(name, value):
    with pytest.raises(InvalidBallot) as refused:
        clean(name, value)
    return str(refused.value.message)


def tally(name, *values):
    question = QUESTIONS[name]
    poll_type = POLL_TYPES[question.type]
    return poll_type.tally([(poll_type.clean(value, question), 1) for value in values], question)


def from_form(name, **fields):
    question = QUESTIONS[name]
    return POLL_TYPES[question.type].from_form(
        Filled({key: value if isinstance(value, list) else [value] for key, value in fields.items()}),
        question,
    )


def asked(type_name, *, options=(), **settings):
    return Question(
        type_name, "Which?", options=tuple(Option(key, key.title()) for key in options), settings=settings
    )


# --- percentages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hits", "valid", "printed"), [(1, 8, 13), (65, 87, 75), (51, 78, 65), (0, 78, 0), (0, 0, None)]
)
def test_percentages_are_rounded_half_up(hits, valid, printed):
    assert percent(hits, valid) == printed


# --- texts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  calm \t room ", "calm room"),
        ("\u202egnirts", "gnirts"),
        ("cal\u00adm\u200b\ufeff", "calm"),
        ("a\x00b\x1bc", "abc"),
        ("\ud800calm", "calm"),
        ("e\u0301", "é"),
        ("👩\u200d🍼", "👩\u200d🍼"),
        ("\u200d \u2060", ""),
        (12, ""),
    ],
)
def test_free_text_has_no_invisible_letters(typed, kept):
    assert tidy(typed) == kept
    assert tidy(kept) == kept


def test_line_breaks_stay_where_lines_are_asked_for():
    assert tidy(" one \r\n\r\n\r\n\r\n two\u2028three ", lines=True) == "one\n\ntwo\nthree"


@pytest.mark.parametrize("spelling", ["Calm", "calm!", " «CALM» ", "ｃａｌｍ", "calm…"])
def test_spellings_of_one_word_match(spelling):
    assert matching_key(tidy(spelling)) == "calm"


def test_negations_and_inner_marks_stay_whole():
    assert matching_key("Not noisy.") == "not noisy"
    assert matching_key("key-person") == "key-person"
    assert matching_key("!!!") == "!!!"


# --- order -------------------------------------------------------------------------------------------


def test_fnv1a_agrees_with_its_published_vectors():
    assert [fnv1a(text) for text in ("", "a", "foobar")] == [0x811C9DC5, 0xE40C292C, 0xBF9CF968]


def test_a_seed_keeps_its_order_and_the_last_stay_last():
    options = [Option(key, key) for key in "abcdefgh"]
    assert shuffled(options, "seed", last=["h"]) == shuffled(options[::-1], "seed", last=["h"])
    assert shuffled(options, "seed", last=["h"])[-1].key == "h"
    assert len({tuple(o.key for o in shuffled(options, str(seed))) for seed in range(50)}) > 40


# --- single choice -----------------------------------------------------------------------------------


def test_an_unknown_option_is_refused():
    assert refusal("single", "z") == "That answer is not on the list. Choose one of these."
    assert refusal("single", "") == "Choose one answer first."


def test_an_own_answer_needs_the_question_to_ask_for_it():
    assert clean("single_other", {"other": " it  depends "}) == {"other": "it depends"}
    assert (
        refusal("single", {"other": "it depends"}) == "That answer is not on the list. Choose one of these."
    )


def test_an_own_answer_has_a_limit_that_names_both_lengths():
    assert clean("single_other", {"other": "x" * 100}) == {"other": "x" * 100}
    assert (
        refusal("single_other", {"other": "x" * 101})
        == "Your own answer can have up to 100 letters; this has 101."
    )


def test_a_finding_counts_below_20_and_has_a_share_with_its_base_from_20():
    few, many = tally("single", *"aaab"), tally("single", *"aaab" * 5)
    single = POLL_TYPES["single_choice"]
    assert single.finding(few, QUESTIONS["single"]) == "3 of 4 people chose Ground floor"
    assert single.finding(many, QUESTIONS["single"]) == "75\u00a0% of 20 people chose Ground floor"
    assert (
        single.finding(tally("single", *"ab"), QUESTIONS["single"])
        == "1 of 2 people each chose Ground floor · Quiet"
    )
    assert single.finding(tally("single"), QUESTIONS["single"]) == ""


@pytest.mark.parametrize("name", ["single", "multiple"])
@pytest.mark.parametrize(
    ("marks", "picked"), [("aab", "a"), ("aabb", "ab"), ("aacc", "ac"), ("aabbcc", ""), ("", "")]
)
def test_all_who_lead_are_picked_or_none(name, marks, picked):
    values = marks if name == "single" else [[mark] for mark in marks]
    rows = POLL_TYPES[QUESTIONS[name].type].picture(tally(name, *values), QUESTIONS[name])["rows"]
    assert "".join(row["key"] for row in rows if row["picked"]) == picked


def test_without_a_favourite_a_finding_says_so_with_its_base():
    found = POLL_TYPES["single_choice"].finding(tally("single", *"aabbcc"), QUESTIONS["single"])
    assert found == "No clear favourite among 6 people"


def test_shares_of_more_than_100_are_explained_where_shares_are_shown():
    multiple = POLL_TYPES["multiple_choice"]
    six, many = tally("multiple", *[["a", "b"]] * 6), tally("multiple", *[["a", "b"]] * 20)
    one_each = tally("multiple", *[["a"]] * 20)
    notes = [multiple.picture(each, QUESTIONS["multiple"])["note"] for each in (six, many, one_each)]
    assert [bool(note) for note in notes] == [False, True, False]


def test_words_that_lead_together_are_all_named_or_counted():
    finding = POLL_TYPES["words"].finding
    assert finding(tally("words", ["warm", "calm"], ["warm", "calm"]), QUESTIONS["words"]) == (
        "2 of 2 people each wrote “calm” · “warm”"
    )
    four = [["a", "b", "c"], ["d"], ["a", "b", "c"], ["d"]]
    assert finding(tally("words", *four), QUESTIONS["words"]).endswith("and 1 more word")


def test_options_keep_their_authored_order_and_their_zeros():
    rows = POLL_TYPES["single_choice"].picture(tally("single", *"bbc"), QUESTIONS["single"])["rows"]
    assert [(row["key"], row["people"]) for row in rows] == [("a", 0), ("b", 2), ("c", 1), ("d", 0)]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("a", "options"),
        ("abcdefghijklmnopqrstuvwxyz", "options"),
        ("aab", "option key 'a'"),
        ("aB", "option key 'B'"),
    ],
)
def test_an_option_list_that_cannot_be_asked_is_refused(options, named):
    with pytest.raises(InvalidQuestion, match=rf"^{named}"):
        POLL_TYPES["single_choice"].check(asked("single_choice", options=options))


# --- multiple choice ---------------------------------------------------------------------------------


def test_choices_are_kept_in_authored_order():
    assert clean("multiple", ["c", "a"]) == ["a", "c"]


def test_an_exclusive_option_stands_alone():
    assert clean("multiple", ["d"]) == ["d"]
    assert refusal("multiple", ["a", "d"]) == "“None” stands alone. Untick it or the others."


def test_too_few_and_too_many_choices_are_refused():
    assert refusal("multiple", []) == "Choose at least one answer first."
    assert refusal("multiple_two", ["a"]) == "Choose at least 2; you have chosen 1."
    assert refusal("multiple_two", ["a", "b", "c"]) == "Choose up to 2; you have chosen 3."
    assert refusal("multiple", ["a", "a"]) == "An answer came twice. Choose each one once."


def test_shares_are_of_people_and_the_page_says_that_they_exceed_100():
    counts = tally("multiple", *[["a", "b"]] * 15, *[["a"]] * 5, *[["d"]] * 5)
    picture = POLL_TYPES["multiple_choice"].picture(counts, QUESTIONS["multiple"])
    assert [row["percent"] for row in picture["rows"]] == [80, 60, 0, 20]
    assert "more than 100\u00a0%" in picture["note"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"min": 0}, "min"),
        ({"min": True}, "min"),
        ({"max": 9}, "max"),
        ({"min": 3, "max": 2}, "max"),
        ({"exclusive": ["z"]}, "exclusive"),
    ],
)
def test_limits_that_do_not_fit_are_refused(settings, named):
    with pytest.raises(InvalidQuestion, match=rf"^{named}"):
        POLL_TYPES["multiple_choice"].check(asked("multiple_choice", options="abcd", **settings))


# --- scale -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", [0, 5, -1, True, 2.5, "2", [2], 10**400, float("nan")])
def test_only_points_of_the_scale_are_taken(point):
    assert refusal("scale", point) == "That answer is not on the scale. Choose one of these."


def test_a_block_leaves_out_what_was_skipped():
    assert clean("scale_block", {"calm": 5, "light": None}) == {"calm": 5}
    assert from_form("scale_block", point_calm="5", point_light="") == {"calm": 5}


def test_a_block_that_is_skipped_whole_offers_the_pass():
    assert refusal("scale_block", {}) == "Answer at least one line, or choose “Pass”."


def test_every_item_has_its_own_base():
    counts = tally("scale_block", {"calm": 5, "light": 1}, {"calm": 4})
    valid = {
        figure.key: (figure.hits, figure.valid)
        for figure in POLL_TYPES["scale"].figures(counts, QUESTIONS["scale_block"])
    }
    assert (counts["n"], valid["calm:5"], valid["light:1"]) == (2, (1, 2), (1, 1))


def test_a_scale_tells_median_quartiles_top_two_and_mean():
    counts = tally("scale", 1, 2, 3, 3, 4, 4, 4)
    assert POLL_TYPES["scale"].summary(counts["items"][""], QUESTIONS["scale"]) == {
        "n": 7, "top_two": 5, "median": 3, "low": 2.5, "high": 4, "mean": 3,
    }  # fmt: skip
    assert POLL_TYPES["scale"].finding(counts, QUESTIONS["scale"]) == "5 of 7 people chose “Rather” or “Very”"


def test_a_finding_of_a_scale_is_what_most_said():
    finding = POLL_TYPES["scale"].finding
    assert finding(tally("scale", 1, 1, 2, 2, 3, 4), QUESTIONS["scale"]) == (
        "4 of 6 people chose “Not” or “Slightly”"
    )
    middle = tally("scale_eleven", 1, 6, 6, 6, 11)
    assert finding(middle, QUESTIONS["scale_eleven"]) == "3 of 5 people chose 6"


@pytest.mark.parametrize("points", [2, 12, True, ["a", "b"], [], "five", None, [1, 2, 3]])
def test_a_scale_has_3_to_11_points(points):
    with pytest.raises(InvalidQuestion, match=r"^points"):
        POLL_TYPES["scale"].check(asked("scale", points=points))


@pytest.mark.parametrize("items", [[], "calm", [{"key": "calm"}], [{"key": "Calm", "label": "Calm"}], [1]])
def test_items_need_a_key_and_a_label(items):
    with pytest.raises(InvalidQuestion):
        POLL_TYPES["scale"].check(asked("scale", points=5, items=items))


# --- ranking -----------------------------------------------------------------------------------------

RANKING = asked("ranking", options="abcd")


def ranked(*ballots):
    ranking = POLL_TYPES["ranking"]
    return ranking.tally([(ranking.clean(list(ballot), RANKING), 1) for ballot in ballots], RANKING)


def test_unranked_options_share_the_points_that_are_left():
    points = POLL_TYPES["ranking"].borda(ranked("cadb", "ba", "cdba", "bcad", "ad"), RANKING)
    assert {key: total / 5 for key, total in points.items()} == {"a": 1.6, "b": 1.5, "c": 1.8, "d": 1.1}


def test_complete_ballots_give_the_golden_numbers():
    counts = ranked("abcd", "acbd", "bacd", "abdc", "abcd")
    ranking = POLL_TYPES["ranking"]
    w, chi2 = ranking.concordance(counts, RANKING)
    assert [total // 2 for total in counts["ranks2"].values()] == [6, 10, 15, 19]
    assert ranking.borda(counts, RANKING) == {"a": 14, "b": 10, "c": 5, "d": 1}
    assert (round(w, 3), round(chi2, 2)) == (0.776, 11.64)


def test_all_the_same_orders_agree_fully_even_with_a_tied_end():
    assert POLL_TYPES["ranking"].concordance(ranked("ab", "ab", "ab"), RANKING)[0] == 1
    assert POLL_TYPES["ranking"].concordance(ranked(), RANKING) is None


def test_a_condorcet_winner_beats_everybody_in_pairs():
    ranking = POLL_TYPES["ranking"]
    assert ranking.condorcet_winner(ranked("abcd", "abcd", "bcda"), RANKING) == "a"
    assert ranking.condorcet_winner(ranked("abc", "bca", "cab"), RANKING) is None


def test_a_condorcet_winner_that_is_not_first_overall_is_named():
    counts = ranked(*["abcd"] * 30, *["bcda"] * 20)
    assert POLL_TYPES["ranking"].finding(counts, RANKING) == "B comes first overall (50 people)"
    assert "“A” beats every other" in POLL_TYPES["ranking"].picture(counts, RANKING)["statistics"]


def test_people_who_ranked_very_differently_are_not_said_to_have_a_first_choice():
    finding = POLL_TYPES["ranking"].finding
    apart = ranked("abcd", "dcba", "badc", "cdab", "acbd")
    assert finding(apart, RANKING) == "No clear order: 5 people ranked these very differently"
    assert finding(ranked("abcd", "abcd"), RANKING) == "A comes first overall (2 people)"
    assert finding(ranked("abcd"), RANKING) == "A comes first overall (1 person)"


def test_statistics_are_for_researchers_and_stand_in_no_note_of_a_room():
    for name, values in [("ranking", ["abcd", "abdc"]), ("scale", [1, 2]), ("number", [2, 3])]:
        counts = tally(name, *(list(value) if isinstance(value, str) else value for value in values))
        picture = POLL_TYPES[QUESTIONS[name].type].picture(counts, QUESTIONS[name])
        assert picture["statistics"]
        assert not picture.get("note")


def test_a_rank_given_twice_is_refused():
    value = from_form("ranking_top", rank_a="1", rank_b="1")
    assert refusal("ranking_top", value) == "Place 1 is taken twice. Give each place once."


def test_an_empty_place_before_a_filled_one_is_refused():
    value = from_form("ranking_top", rank_a="2")
    assert refusal("ranking_top", value) == "Place 1 is empty. Fill the places in order."


def test_an_option_in_two_places_is_refused():
    assert (
        refusal("ranking", ["a", "b", "a"]) == "An answer stands in two places. Give each answer one place."
    )


def test_fewer_places_are_fine_unless_the_question_is_exact():
    exact = asked("ranking", options="abcd", top=3, exact=True)
    assert clean("ranking_top", ["b"]) == ["b"]
    assert refusal("ranking_top", ["a", "b", "c"]) == "There are 2 places; you have filled 3."
    with pytest.raises(InvalidBallot, match=r"^Fill all 3 places; 2 so far\.$"):
        POLL_TYPES["ranking"].clean(["a", "b"], exact)


@pytest.mark.parametrize("settings", [{"top": 0}, {"top": 5}, {"top": "3"}, {"exact": 1}])
def test_places_that_do_not_fit_are_refused(settings):
    with pytest.raises(InvalidQuestion):
        POLL_TYPES["ranking"].check(asked("ranking", options="abcd", **settings))


# --- words -------------------------------------------------------------------------------------------


def test_duplicates_of_one_person_are_dropped():
    assert clean("words", ["Calm", " calm! ", "warm", ""]) == ["Calm", "warm"]


def test_words_count_people_and_show_the_commonest_spelling():
    counts = tally("words", ["calm"], ["Calm", "warm"], ["Calm!"], ["calm"], ["not noisy"], ["noisy"])
    assert POLL_TYPES["words"].ranked(counts) == [
        ("calm", "calm", 4), ("noisy", "noisy", 1), ("not noisy", "not noisy", 1), ("warm", "warm", 1),
    ]  # fmt: skip
    assert counts["words"]["calm"] == {"people": 4, "spellings": {"calm": 2, "Calm": 1, "Calm!": 1}}
    assert POLL_TYPES["words"].finding(counts, QUESTIONS["words"]) == "4 of 6 people wrote “calm”"


def test_too_many_and_too_long_words_are_refused():
    assert refusal("words", []) == "Write at least one word first."
    assert refusal("words", list("abcd")) == "You can send up to 3; this is 4."
    assert refusal("words", ["x" * 26]) == "“xxxxxxxxxxxx…” is too long: up to 25 letters, and this has 26."


@pytest.mark.parametrize("settings", [{"max_entries": 6}, {"max_entries": 0}, {"max_length": 41}])
def test_word_limits_have_limits(settings):
    with pytest.raises(InvalidQuestion, match=r"^max_"):
        POLL_TYPES["words"].check(asked("words", **settings))


# --- open text ---------------------------------------------------------------------------------------


def test_text_has_a_limit_that_names_both_lengths():
    assert clean("open", " hope \n ") == "hope"
    assert refusal("open", "  \u200b ") == "Write something first."
    assert refusal("open", "x" * 281) == "Your answer can have up to 280 letters; this has 281."


def test_unchecked_texts_are_counted_and_not_shown():
    open_text, question = POLL_TYPES["open_text"], QUESTIONS["open"]
    shown = open_text.tally([(open_text.answer_with(["two"]), 2), (open_text.answer_with([]), 1)], question)
    picture = open_text.picture(shown, question)
    assert (picture["n"], picture["waiting"], picture["answers"]) == (3, 1, [{"text": "two", "people": 2}])


# --- number ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "number"), [(12, 12), ("12", 12), (" 12 babies", 12), (12.0, 12), ("0", 0), ("60", 60)]
)
def test_a_number_is_read_as_people_write_it(typed, number):
    assert clean("number", typed) == number
    assert isinstance(clean("number", typed), int)


@pytest.mark.parametrize(("typed", "number"), [("1,5", 1.5), (0.25, 0.25), ("12.75", 12.75), (3, 3)])
def test_steps_may_be_parts(typed, number):
    assert clean("number_half", typed) == number


def test_thousands_may_be_grouped():
    assert POLL_TYPES["number"].clean("1,200", asked("number")) == 1200


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (61, "Write a number from 0 to 60."),
        (-1, "Write a number from 0 to 60."),
        (10**400, "Write a number from 0 to 60."),
        (1.5, "Write a whole number, such as 12."),
        ("", "Write a number first."),
        ("about 12", "Write only a number, such as 12."),
        ("1_2", "Write only a number, such as 12."),
        ("1e1", "Write only a number, such as 12."),
        (True, "Write a number, such as 12."),
        (float("nan"), "Write a number, such as 12."),
        ([12], "Write a number, such as 12."),
        ({"none": False}, "Write a number, such as 12."),
    ],
)
def test_what_is_no_number_here_is_refused(value, sentence):
    assert refusal("number", value) == sentence


def test_an_unusual_number_is_no_wrong_number():
    assert clean("number", 45) == 45


def test_none_is_an_answer_outside_the_statistics():
    counts = tally("number", 4, 10, {"none": True})
    assert (counts["n"], counts["none"]) == (3, 1)
    assert POLL_TYPES["number"].summary(counts)["n"] == 2
    assert refusal("number_half", {"none": True}) == "Write a number, such as 12."


def test_a_number_tells_median_quartiles_mean_and_range():
    assert POLL_TYPES["number"].summary(tally("number", 2, 4, 4, 6, 14)) == {
        "n": 5, "median": 4, "low": 4, "high": 6, "mean": 6, "min": 2, "max": 14,
    }  # fmt: skip
    assert (
        POLL_TYPES["number"].finding(tally("number", 5), QUESTIONS["number"])
        == "5 babies is what 1 person says"
    )
    finding = POLL_TYPES["number"].finding
    assert (
        finding(tally("number", 2, 4, 6), QUESTIONS["number"]) == "4 babies or more, say half of the 3 people"
    )
    assert finding(tally("number", 4, 4), QUESTIONS["number"]) == "4 babies is what all 2 people say"


@pytest.mark.parametrize("values", [[5], [0, 60], [3, 4, 4, 9], list(range(61)), [0, 9], [0, 10]])
def test_bins_cover_every_number_once(values):
    counts = tally("number", *values)
    bins = POLL_TYPES["number"].bins(counts)
    assert sum(people for _start, _end, people in bins) == len(values)
    assert len(bins) <= 10
    assert bins[0][0] <= min(values)
    assert max(values) < bins[-1][1]


@pytest.mark.parametrize(
    "settings", [{"min": 5, "max": 5}, {"step": 0}, {"min": "0"}, {"max": True}, {"max": float("nan")}]
)
def test_a_range_that_cannot_be_is_refused(settings):
    with pytest.raises(InvalidQuestion):
        POLL_TYPES["number"].check(asked("number", **settings))


# --- points ------------------------------------------------------------------------------------------


def test_points_add_up_to_the_budget_exactly():
    assert clean("points", {"b": 40, "a": 60, "c": 0}) == {"a": 60, "b": 40}
    assert refusal("points", {"a": 60}) == "40 points of 100 are still to give."
    assert refusal("points", {"a": 60, "b": 41}) == "That is 1 point more than 100."
    assert refusal("points", {"a": 150, "b": -50}) == "Write whole points from 0 to 100."
    assert (
        refusal("points", {"a": 100, "z": 0})
        == "One of those answers is not on the list. Give points to these."
    )


def test_points_typed_into_a_form_are_read():
    assert clean("points", from_form("points", points_a=" 60", points_b="40", points_c="")) == {
        "a": 60,
        "b": 40,
    }
    assert refusal("points", from_form("points", points_a="sixty")) == "Write whole points from 0 to 100."


def test_who_gave_nothing_gave_zero():
    counts = tally("points", {"a": 100}, {"a": 40, "b": 60}, {"a": 100})
    summary = POLL_TYPES["points"].summary(counts["amounts"]["b"], 3)
    assert summary == {"mean": 20, "median": 0, "givers": 1}


@pytest.mark.parametrize("budget", [1, 1001, "100", 10.5])
def test_a_budget_is_a_whole_number(budget):
    with pytest.raises(InvalidQuestion, match=r"^budget"):
        POLL_TYPES["points"].check(asked("points", options="ab", budget=budget))


# --- statement ---------------------------------------------------------------------------------------


def test_a_pass_keeps_its_reason_and_stays_a_pass():
    value = clean("statement", {"choice": "pass", "reason": " not  sure "})
    assert value == {"choice": "pass", "reason": "not sure"}
    assert POLL_TYPES["statement"].is_pass(value)
    assert POLL_TYPES["statement"].say(value, QUESTIONS["statement"]) == "Pass, with a reason"


def test_an_empty_reason_is_no_reason():
    assert clean("statement", {"choice": "agree", "reason": " \n "}) == {"choice": "agree"}
    assert (
        refusal("statement", {"choice": "agree", "reason": "x" * 281})
        == "The reason can have up to 280 letters; this has 281."
    )
    assert refusal("statement", {"choice": "agree", "mood": "good"}) == "Choose one answer first."


@pytest.mark.parametrize(
    ("agree", "live_with", "disagree", "state"),
    [
        (8, 0, 1, "few"),
        (17, 2, 2, "consensus"),
        (65, 22, 0, "emerging"),
        (16, 0, 4, "emerging"),
        (5, 5, 5, "divided"),
        (9, 9, 2, "mixed"),
        (2, 16, 2, "minority"),
    ],
)
def test_agreement_follows_the_rule_on_exact_numbers(agree, live_with, disagree, state):
    counts = {
        "n": agree + live_with + disagree,
        "counts": {"agree": agree, "live_with": live_with, "disagree": disagree},
    }
    assert POLL_TYPES["statement"].state(counts, QUESTIONS["statement"]) == state


@pytest.mark.parametrize(
    "rule", [{}, {"agree": 75}, {"agree": 74, "disagree": 15}, {"agree": 75, "disagree": -1}, 75]
)
def test_a_rule_has_two_thresholds(rule):
    with pytest.raises(InvalidQuestion, match=r"^rule"):
        POLL_TYPES["statement"].check(asked("statement", rule=rule))
