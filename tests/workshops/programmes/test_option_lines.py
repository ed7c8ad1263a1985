"""Options as lines of text: an option keeps its key, and no key means two things unless its line was changed in place."""

from hypothesis import given
from hypothesis import strategies as st

from polls.types.base import Option, check_keys
from workshops.programmes.option_lines import Change, match, split

BABIES = (Option("few", "5 or fewer"), Option("b6_8", "6 to 8"), Option("b9_12", "9 to 12"))


def became(lines, present=BABIES, retired=(), **more):
    return [(line.option.key, line.change.value) for line in match(lines, present, retired, **more).lines]


def test_lines_left_as_they_are_are_the_same_options():
    assert became(["5 or fewer", "6 to 8", "9 to 12"]) == [
        ("few", "same"),
        ("b6_8", "same"),
        ("b9_12", "same"),
    ]


def test_a_line_that_moves_keeps_its_key_and_only_it_has_moved():
    assert became(["9 to 12", "5 or fewer", "6 to 8"]) == [
        ("b9_12", "moved"),
        ("few", "same"),
        ("b6_8", "same"),
    ]


def test_a_line_changed_in_place_keeps_its_key():
    assert became(["5 or fewer", "Six to eight", "9 to 12"])[1] == ("b6_8", "reworded")


def test_a_line_changed_while_others_move_keeps_its_key():
    assert became(["9 to 12", "5 or fewer", "6–8"])[2] == ("b6_8", "reworded")


def test_a_line_put_in_between_is_new_and_moves_nobody():
    assert became(["5 or fewer", "It depends", "6 to 8", "9 to 12"]) == [
        ("few", "same"), ("it_depends", "new"), ("b6_8", "same"), ("b9_12", "same"),
    ]  # fmt: skip


def test_one_changed_and_one_added_at_the_same_place_are_told_apart_by_likeness():
    assert became(["5 or fewer", "It depends", "6 to 8 babies", "9 to 12"])[1:3] == [
        ("it_depends", "new"), ("b6_8", "reworded"),
    ]  # fmt: skip


def test_a_line_taken_away_retires_its_option_and_typed_again_it_comes_back_with_its_key():
    without = match(["5 or fewer", "9 to 12"], BABIES)
    assert without.retired == (BABIES[1],)
    assert became(["5 or fewer", "9 to 12", "6 to 8"], without.options, without.retired)[2] == (
        "b6_8",
        "back",
    )


def test_a_line_in_another_ones_place_that_was_an_option_once_is_that_option():
    assert became(["5 or fewer", "6 to 8"], (BABIES[0], BABIES[2]), (BABIES[1],))[1] == ("b6_8", "back")


def test_a_line_that_stands_twice_counts_once():
    assert became(["5 or fewer", "5 or fewer"]) == [("few", "same")]


def test_keys_are_small_letters_digits_and_underscores_and_never_other():
    keys = [key for key, _change in became(["Où?", "Other", "!!!", "4½ × 3", "!!"], ())]
    check_keys(keys)
    assert "other" not in keys
    assert keys[1] == "other_2"


def test_the_key_of_an_option_that_is_still_being_typed_grows_with_it():
    first = match(["Th"], (), offered=())
    then = match(["The garden"], first.options, offered=())
    assert [(line.option.key, line.was, line.change) for line in then.lines] == [
        ("the_garden", "th", Change.NEW)
    ]
    assert then.renamed == {"th": "the_garden"}
    assert then.retired == ()


def test_an_option_that_people_were_offered_keeps_its_key_whatever_is_typed():
    assert became(["The garden"], (Option("th", "Th"),), offered={"th"}) == [("th", "reworded")]


def test_lines_are_split_at_any_line_break_and_empty_ones_do_not_count():
    assert split(" a  b \r\n\r\n\tc\n") == ["a b", "c"]


# --- properties --------------------------------------------------------------------------------------

words = st.text("ab c", min_size=1, max_size=4).map(lambda text: " ".join(text.split())).filter(bool)
texts = st.lists(words, max_size=6, unique=True)


@given(texts)
def test_saving_unchanged_changes_nothing(lines):
    first = match(lines, ())
    again = match(lines, first.options)
    assert again.options == first.options
    assert {line.change for line in again.lines} <= {Change.SAME}
    assert again.retired == ()


@given(texts, st.randoms())
def test_a_permutation_keeps_every_key(lines, rng):
    first = match(lines, ())
    shuffled = rng.sample(lines, len(lines))
    again = match(shuffled, first.options)
    assert {option.label: option.key for option in again.options} == {
        option.label: option.key for option in first.options
    }
    assert {line.change for line in again.lines} <= {Change.SAME, Change.MOVED}


@given(st.lists(texts, min_size=1, max_size=6), st.booleans())
def test_no_key_means_two_things_unless_its_line_was_changed_in_place(history, are_offered):
    meaning: dict[str, str] = {}
    options, retired = (), ()
    offered: set[str] = set()
    for lines in history:
        matched = match(lines, options, retired, offered)
        keys = [option.key for option in matched.options]
        check_keys(keys)
        assert [option.label for option in matched.options] == lines
        for line in matched.lines:
            key = line.option.key
            if key in meaning and meaning[key] != line.option.label:
                assert line.change == Change.REWORDED or line.was == key
            if line.change == Change.NEW and line.was != key:
                assert key not in meaning
        for key in matched.renamed:  # nobody was offered it: as if it had never been
            del meaning[key]
        meaning |= {option.key: option.label for option in matched.options}
        assert not {option.key for option in matched.retired} & set(keys)
        kept = {option.key for option in (*matched.options, *matched.retired)} | set(matched.renamed)
        assert {option.key for option in (*options, *retired)} <= kept
        options, retired = matched.options, matched.retired
        if are_offered:
            offered |= set(keys)
