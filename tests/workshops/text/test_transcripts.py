"""What was said, from the files of video tools; and no name left in it."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workshops.text.redaction.lexicon import fold
from workshops.text.transcripts import formats
from workshops.text.transcripts.formats import TranscriptError, parse, sniff
from workshops.text.transcripts.pseudonyms import pseudonymise
from workshops.text.transcripts.speakers import ParsedCue, ParsedTranscript

VTT = """WEBVTT - a group

NOTE who speaks is marked
by the tool

STYLE
::cue { color: red }

intro
00:01.000 --> 00:04.500 align:start position:10%
<v.loud Anna Smith>Hello <i>all</i> &amp; welcome.</v>
<v Leo>Hi!</v>

01:00:05.250 --> 01:00:07.000
Priya Patel: Two lines
of mine
"""
SRT = """1
00:00:01,000 --> 00:00:04,500
Anna Smith: Hello all

2
01:00:05,250 --> 01:00:07,000
And so on: no name here
"""
LINES = """Group 3, saved today
[00:00:01] Anna Smith: Hello all
and more of it

[01:00:05] leo: hi
1:05:06 Priya Patel: the last word
"""


def test_webvtt_with_voices_notes_styles_and_settings():
    assert parse(VTT).cues == (
        ParsedCue(1.0, 4.5, "Anna Smith", "Hello all & welcome."),
        ParsedCue(1.0, 4.5, "Leo", "Hi!"),
        ParsedCue(3605.25, 3607.0, "Priya Patel", "Two lines of mine"),
    )


def test_srt_with_names_in_front():
    assert parse(SRT).cues == (
        ParsedCue(1.0, 4.5, "Anna Smith", "Hello all"),
        ParsedCue(3605.25, 3607.0, "", "And so on: no name here"),
    )


def test_lines_of_time_name_and_words():
    assert parse(LINES).cues == (
        ParsedCue(1.0, None, "Anna Smith", "Hello all and more of it"),
        ParsedCue(3605.0, None, "leo", "hi"),
        ParsedCue(3906.0, None, "Priya Patel", "the last word"),
    )


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("Anna Smith   0:03\nHello there", ParsedCue(3.0, None, "Anna Smith", "Hello there")),
        (
            "Meeting\n\nAnna Smith\t1:00:03\nHello\nthere",
            ParsedCue(3603.0, None, "Anna Smith", "Hello there"),
        ),
        ("Anna Smith [00:03]\nHello", ParsedCue(3.0, None, "Anna Smith", "Hello")),
        ("10:01:02 From Anna Smith to Everyone:\n\tHello", ParsedCue(36062.0, None, "Anna Smith", "Hello")),
        ("10:01:02 From  Anna : Hello", ParsedCue(36062.0, None, "Anna", "Hello")),
        ("[02:03.5] Hello", ParsedCue(123.5, None, "", "Hello")),
        ("(0:03) Anna: at 10:30: tea", ParsedCue(3.0, None, "Anna", "at 10:30: tea")),
    ],
)
def test_habits_of_tools(text, cue):
    assert parse(text).cues == (cue,)


@pytest.mark.parametrize(("text", "format"), [(VTT, "vtt"), (SRT, "srt"), (LINES, "lines")])
def test_the_format_is_seen_from_the_text(text, format):
    assert sniff(text) == format
    assert parse(text) == parse(text, format)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_bytes_of_every_usual_kind_are_read(encoding, ends):
    text = SRT.replace("Anna", "Zoë").replace("\n", ends)
    assert parse(text.encode(encoding)).cues[0] == ParsedCue(1.0, 4.5, "Zoë Smith", "Hello all")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("WEBVTT\n\nhello\nthere\n", 3, "should stand here"),
        ("WEBVTT\n\n00:04.000 --> 00:01.000\nhello", 3, "ends before"),
        ("WEBVTT\n\n00:61.000 --> 00:71.000\nhello", 3, "00:61.000 is no time"),
        ("1\n00:00:01,000 --> soon\nhello\n\n00:00:01,000 --> 00:00:02,000\nx", 2, "cannot be read"),
        ("[00:61:00] Anna: hi", 1, "00:61:00 is no time"),
        ("just words", 0, "nothing with a time"),
        ("", 0, "nothing with a time"),
        ("WEBVTT\n", 0, "nothing with a time"),
        ("[00:01] \0", 0, "not a text file"),
    ],
)
def test_an_error_is_one_sentence_with_its_line(text, line, says):
    with pytest.raises(TranscriptError, match=says) as error:
        parse(text)
    assert error.value.line == line
    assert str(error.value).startswith(f"Line {line}: " if line else ("There", "This"))


def test_what_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(formats, "CUE_LIMIT", 3)
    assert len(parse("[00:01] x\n" * 3).cues) == 3
    with pytest.raises(TranscriptError, match="more than 3 parts"):
        parse("[00:01] x\n" * 4)
    with pytest.raises(TranscriptError, match="larger than 5 MB"):
        parse(b" " * (formats.SIZE_LIMIT + 1))


@pytest.mark.parametrize(
    "piece",
    [
        "1\n",
        "\n",
        " ",
        "<",
        "<v ",
        "a  ",
        "[00:01",
        "00:01 From ",
        "-->",
        "a: ",
        "0:0 \n",
        "- ",
        "[a",
        "[0:01] - a",
        "[0:01] A - b\n",
        "[0:01] A\nB:c\n",
        "[0:01] A's x ",
    ],
)
def test_a_hostile_file_costs_time_in_proportion_to_its_length(piece):
    def seconds(length: int) -> float:
        begun = time.process_time()
        with suppress(TranscriptError):
            parse((piece * length)[:length])
        return time.process_time() - begun

    # twenty times the text; something quadratic would take four hundred times as long
    assert seconds(100_000) < 100 * max(seconds(5_000), 0.005)


def test_a_format_that_nobody_knows_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="docx"):
        parse(LINES, "docx")


@settings(deadline=None)
@given(
    st.text(max_size=300)
    | st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            ["WEBVTT\n", "00:01", " --> ", "\n", "[", "]", "<v A>", ":", "1", "Anna", " ", "&#x0;", "0:0"]
        ),
        max_size=40,
    ).map("".join)
)
def test_any_file_is_read_or_refused(source):
    try:
        cues = parse(source).cues
    except TranscriptError:
        return
    assert cues
    assert all(cue.text and cue.start >= 0 for cue in cues)


# --- labels of real tools ---------------------------------------------------------------------------


def srt(*said: str) -> str:
    return "\n\n".join(
        f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{words}" for n, words in enumerate(said, 1)
    )


def vtt(*said: str) -> str:
    return "WEBVTT\n\n" + srt(*said).replace(",", ".")


def heard(text: str) -> list[tuple[str, str]]:
    return [(cue.speaker, cue.text) for cue in parse(text).cues]


LABELS = [
    ("[Zofka]: hi", "Zofka"),
    ("[Zofka] hi", "Zofka"),
    ("(Zofka): hi", "Zofka"),
    ("- Zofka: hi", "Zofka"),
    (">> ZOFKA: hi", "ZOFKA"),
    ("&gt;&gt; ZOFKA: hi", "ZOFKA"),
    ("Zofka's iPhone: hi", "Zofka"),
    ("zofka’s galaxy s21: hi", "zofka"),
    ("zofka.kowal: hi", "zofka.kowal"),
    ("zofka.kowal@example.org: hi", "zofka.kowal"),
    ("Zofka:hi", "Zofka"),
    ("Zofka:\nhi", "Zofka"),
    ("Zofka de Souza: hi", "Zofka de Souza"),
    ("Zofka Kowal (Guest): hi", "Zofka Kowal (Guest)"),
    ("Joy Kowal: hi", "Joy Kowal"),
]


@pytest.mark.parametrize("written", [srt, vtt])
@pytest.mark.parametrize(("said", "speaker"), LABELS)
def test_a_label_is_seen_among_words_that_have_none(written, said, speaker):
    assert heard(written("good morning", said, "so it begins", "and more")) == [
        ("", "good morning"), (speaker, "hi"), ("", "so it begins"), ("", "and more"),
    ]  # fmt: skip


@pytest.mark.parametrize("said", [said for said, _speaker in LABELS if "\n" not in said and "&" not in said])
def test_the_same_labels_are_seen_after_a_time(said):
    assert heard(f"[0:01] {said}\n[0:02] and more\n[0:03] yes")[0][1] == "hi"


@pytest.mark.parametrize("written", [srt, vtt])
@pytest.mark.parametrize(
    "said",
    [
        ("zofka: thanks anna, ZOFKA here", "priya patel: hello, zofka here"),
        ("zofka: one", "words", "words", "words", "zofka: ZOFKA again"),
        ("zofka: I am Zofka",),
        ("[Zofka]: one", "Hello zofka", "Zofka?"),
        ("Zofka's iPhone: one", "Hello zofka", "Zofka?"),
        ("zofka.kowal: one", "Hello zofka, or zofka.kowal", "Kowal?"),
        ("- Zofka: one\n- Anna: hello Zofka", "Kowal?"),
        ("Anna: one\nZofka: hello", "Zofka: yes Anna", "well"),
        ("Zofka:", "hello Zofka"),
        ("Joy: one", "Zofka: thank you Joy"),
    ],
)
def test_a_name_in_a_label_goes_from_what_everybody_says(written, said):
    after = str(pseudonymise(parse(written(*said))).cues).lower()
    for name in ("zofka", "priya", "patel", "joy"):
        assert name not in after
    assert "speaker 1" in after


@pytest.mark.parametrize(
    "lines",
    [
        "[0:01] Zofka:hi",
        "[00:00:05] Zofka - hi",
        "[00:00:05] Zofka – hi",
        "[00:00:05]\nZofka\nhi",
        "00:05\nZofka\nhi",
        "00:00:05\n\nZofka\nhi",
        "[0:05] Zofka\nhi",
        "[0:05] [Zofka] hi",
        "[0:05] - Zofka: hi",
    ],
)
def test_lines_with_a_name_after_the_time(lines):
    assert heard(lines) == [("Zofka", "hi")]


def test_a_line_of_two_speakers_becomes_two_parts():
    assert heard(srt("- Zofka: hi\n- Anna: hello\nto you")) == [("Zofka", "hi"), ("Anna", "hello to you")]


@pytest.mark.parametrize(
    "said",
    [
        "The point is: light",
        "the point is: light",
        "So: yes",
        "so: yes",
        "What I mean is: light",
        "And Anna said: no",
        "One thing: light",
        "Question: why",
        "At 10:30 we eat",
        "10:30 is late",
        "Ratio 1:3",
        "https://example.org/a",
        "See https://example.org",
        "www.example.org: look there",
        "mailto:someone",
        "[laughs] no",
        "[Music] no",
        "[inaudible]",
        "Yes - I think so",
        "Well:) no",
    ],
)
def test_ordinary_speech_is_no_label(said):
    for text in (
        srt("Zofka: hi", said, said, "well"), vtt(said), f"[0:01] {said}\n[0:02] {said}\n[0:03] Zofka: hi",
    ):  # fmt: skip
        assert [cue.text for cue in parse(text).cues if cue.text == said and not cue.speaker]
        assert {cue.speaker for cue in parse(text).cues} <= {"", "Zofka"}


def test_a_phrase_before_a_dash_or_on_its_own_line_needs_others_like_it():
    talk = "[0:01] Zofka: hi\n[0:02] Lavender - nice\n[0:03] Lavender\nand more\n[0:04] x\n[0:05] y"
    assert heard(talk.replace("Lavender\n", "Green walls\n"))[1:3] == [
        ("", "Lavender - nice"), ("", "Green walls and more"),
    ]  # fmt: skip


# --- there and back ---------------------------------------------------------------------------------


def clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


TIMES = (
    st.lists(st.integers(0, 10**7), min_size=2, max_size=20)
    .map(sorted)
    .map(lambda times: list(pairwise(times)))
)


@given(TIMES)
def test_times_survive_webvtt(times):
    text = "WEBVTT\n\n" + "\n\n".join(f"{clock(a, '.')} --> {clock(b, '.')}\nwarm" for a, b in times)
    assert [(cue.start, cue.end) for cue in parse(text).cues] == [(a / 1000, b / 1000) for a, b in times]


@given(TIMES)
def test_times_survive_srt(times):
    text = "\n\n".join(
        f"{place}\n{clock(a, ',')} --> {clock(b, ',')}\nwarm" for place, (a, b) in enumerate(times, 1)
    )
    assert [(cue.start, cue.end) for cue in parse(text).cues] == [(a / 1000, b / 1000) for a, b in times]


@given(TIMES)
def test_times_survive_lines(times):
    text = "\n".join(f"[{clock(a, '.')}] Anna: warm" for a, _b in times)
    assert [(cue.start, cue.speaker) for cue in parse(text).cues] == [(a / 1000, "Anna") for a, _b in times]


# --- pseudonyms -------------------------------------------------------------------------------------


def spoken(*said: tuple[str, str], facilitators=()) -> list[tuple[str, str]]:
    cues = tuple(ParsedCue(float(place), None, who, words) for place, (who, words) in enumerate(said))
    return [(cue.speaker, cue.text) for cue in pseudonymise(ParsedTranscript(cues), facilitators).cues]


def test_speakers_are_numbered_in_the_order_of_their_first_words():
    assert spoken(("Priya", "a"), ("", "b"), ("Anna Smith", "c"), ("PRIYA", "d")) == [
        ("Speaker 1", "a"), ("", "b"), ("Speaker 2", "c"), ("Speaker 1", "d"),
    ]  # fmt: skip


def test_the_facilitator_is_called_so_and_takes_no_number():
    assert spoken(("Jo Marsh", "hello"), ("Priya", "thanks Jo"), facilitators=["jo marsh"]) == [
        ("Facilitator", "hello"),
        ("Speaker 1", "thanks Facilitator"),
    ]


def test_names_of_speakers_go_wherever_they_are_spoken():
    assert spoken(
        ("Anna Smith", "I am Anna. Will agrees, and will come"),
        ("Will O'Brien", "Anna Smith's right, ANNA. Call Mr O'Brien, or anna@example.org"),
    ) == [
        ("Speaker 1", "I am Speaker 1. Speaker 2 agrees, and will come"),
        ("Speaker 2", "Speaker 1's right, Speaker 1. Call Mr Speaker 2, or [email]"),
    ]


def test_a_name_that_two_share_is_only_a_name():
    said = spoken(("Anna Smith", "hi"), ("Anna Jones", "Anna? Anna Smith, not me"))
    assert said[1] == ("Speaker 2", "[name]? Speaker 1, not me")


def test_others_who_are_spoken_of_get_a_mark():
    assert spoken(("Anna", "Little Leo at Busy Bees, 07700 900123")) == [
        ("Speaker 1", "Little [name] at [place], [phone number]")
    ]


def test_a_name_without_spaces_around_it_goes_too():
    assert spoken(("李明", "好"), ("Anna", "谢谢李明老师"))[1][1] == "谢谢Speaker 1老师"


def test_times_stay():
    before = parse(VTT)
    after = pseudonymise(before)
    assert [(cue.start, cue.end) for cue in after.cues] == [(cue.start, cue.end) for cue in before.cues]


FIRST = [
    "Anna",
    "Leo",
    "Will",
    "May",
    "Siân",
    "Łukasz",
    "Anne-Marie",
    "Zofka",
    "Xochitl",
    "Rose",
    "Jean-Luc",
    "D'Arcy",
    "ÖZGE",
    "Nour",
]
LAST = [
    "",
    " Smith",
    " O'Brien",
    " Young",
    " Nowak-Jones",
    " de Souza",
    " Achterberg",
    " (Host)",
    " B.",
    "_99",
]
NAMES = st.tuples(st.sampled_from(FIRST), st.sampled_from(LAST)).map("".join)
FILLERS = st.sampled_from(
    [
        "hello",
        "the cots",
        "said",
        "and",
        ",",
        ".",
        "I think",
        "'s idea",
        "-like",
        "at",
        "?",
        "ratio 1:3",
        "\n",
    ]
)


def forms(name: str) -> st.SearchStrategy[str]:
    """Ways to say a name."""
    parts = name.split()
    return st.sampled_from(
        [
            name,
            parts[0],
            parts[-1],
            name.upper(),
            f"{parts[0]}'s",
            f"{name}’s",
            f"({parts[0]})",
            f"{parts[0]}-ish",
            parts[0].title(),
        ]
    )


@st.composite
def conversations(draw) -> ParsedTranscript:
    speakers = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    words = st.lists(st.one_of(FILLERS, *map(forms, speakers)), max_size=12).map(" ".join)
    said = draw(st.lists(st.tuples(st.sampled_from(speakers), words), min_size=1, max_size=8))
    return ParsedTranscript(
        tuple(ParsedCue(float(place), None, who, text) for place, (who, text) in enumerate(said))
    )


@settings(deadline=None, max_examples=150)
@given(conversations())
def test_no_name_of_a_speaker_survives(conversation):
    parts = {
        fold(part)
        for speaker in conversation.speakers
        for part in re.findall(r"[^\W\d_]{2,}", speaker)
        if part not in ("Host", "de")
    }
    after = pseudonymise(conversation)
    assert all(re.fullmatch(r"Speaker [1-9]", cue.speaker) for cue in after.cues)
    left = {
        fold(word)
        for cue in after.cues
        for word in re.findall(r"[^\W\d_]{2,}", cue.text)
        if not word.islower()
    }
    assert left & parts == set()
