"""Small programme files of all kinds, for tests with hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from workshops.programmes.file import schema
from workshops.programmes.file.checks import ProgrammeFileError
from workshops.programmes.file.format import dump, parse

KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Cn", "Co"], include_characters="\n\t"),
    min_size=1,
    max_size=12,
).filter(str.strip)
OPTIONS = st.dictionaries(st.sampled_from("uvwxyz"), WORDS, min_size=2, max_size=4)
QUESTIONS = st.one_of(
    st.builds(schema.Instrument, key=KEYS, name=st.just("") | WORDS, type=st.just("open_text"), text=WORDS,
              settings=st.sampled_from([{}, {"max_length": 200}])),
    st.builds(schema.Instrument, key=KEYS, type=st.just("single_choice"), text=WORDS, options=OPTIONS,
              measure=st.sampled_from([[], [schema.Measure(key="m", label="One", kind="top_box", boxes=1)]])),
)  # fmt: skip
PROMPTS = st.builds(
    schema.Prompt, key=KEYS, text=WORDS, probes=st.lists(WORDS, max_size=2), minutes=st.integers(0, 20)
)
PROGRAMMES = st.builds(
    schema.ProgrammeFile,
    programme=st.builds(schema.ProgrammeSection, key=st.just("p"), title=WORDS, closing=st.just("") | WORDS, hue=st.integers(0, 359)),
    information=st.none() | st.builds(schema.Information, text=WORDS, consent=st.just([schema.Consent(key="r", text="R", required=True)])),
    domain=st.lists(st.builds(schema.Domain, key=KEYS, title=WORDS), max_size=3, unique_by=lambda row: row.key),
    instrument=st.lists(QUESTIONS, max_size=4, unique_by=lambda row: row.key),
    prompt=st.lists(PROMPTS, max_size=3, unique_by=lambda row: row.key),
)  # fmt: skip


def valid(file: schema.ProgrammeFile) -> schema.ProgrammeFile | None:
    try:
        return parse(dump(file))
    except ProgrammeFileError:
        return None


VALID = PROGRAMMES.map(valid).filter(bool)
