"""One or more questions of every poll type, and hypothesis strategies for valid ballots of each."""

from hypothesis import strategies as st

from polls.types import POLL_TYPES, Question
from polls.types.base import Option

OPTIONS = tuple(
    Option(key, label)
    for key, label in [("a", "Ground floor"), ("b", "Quiet"), ("c", "Garden"), ("d", "None")]
)
ITEMS = [{"key": "calm", "label": "It is calm"}, {"key": "light", "label": "It has daylight"}]

QUESTIONS = {
    "single": Question("single_choice", "Which?", options=OPTIONS),
    "single_other": Question(
        "single_choice", "Which?", options=OPTIONS, settings={"other": True, "shuffle": True}
    ),
    "multiple": Question("multiple_choice", "Where?", options=OPTIONS, settings={"exclusive": ["d"]}),
    "multiple_two": Question("multiple_choice", "Which two?", options=OPTIONS, settings={"min": 2, "max": 2}),
    "scale": Question("scale", "How important?", settings={"points": ["Not", "Slightly", "Rather", "Very"]}),
    "scale_eleven": Question("scale", "How likely?", settings={"points": 11}),
    "scale_block": Question("scale", "How true?", settings={"points": 5, "items": ITEMS}),
    "ranking": Question("ranking", "In which order?", options=OPTIONS),
    "ranking_top": Question("ranking", "Your top two?", options=OPTIONS, settings={"top": 2}),
    "words": Question("words", "In a word?", settings={"max_entries": 3, "max_length": 25}),
    "open": Question("open_text", "Your hope?", settings={"max_length": 280}),
    "number": Question(
        "number",
        "How many babies?",
        settings={
            "min": 0,
            "max": 60,
            "step": 1,
            "unit": "babies",
            "check_above": 30,
            "none_label": "No baby room",
        },
    ),
    "number_half": Question("number", "How many hours?", settings={"min": 0, "max": 24, "step": 0.25}),
    "points": Question("points", "What would you spend on?", options=OPTIONS),
    "statement": Question("statement", "The ideal baby room is small."),
}

own_words = st.text(min_size=1, max_size=20)


@st.composite
def shares(draw, keys, budget):
    cuts = sorted(draw(st.lists(st.integers(0, budget), min_size=len(keys) - 1, max_size=len(keys) - 1)))
    return dict(zip(keys, (b - a for a, b in zip([0, *cuts], [*cuts, budget], strict=True)), strict=True))


def raw(question):
    """What a phone may send: valid, not yet canonical (some free text may still be refused)."""
    keys, settings = list(question.keys), question.settings
    match question.type:
        case "single_choice":
            chosen = st.sampled_from(keys)
            return chosen | st.fixed_dictionaries({"other": own_words}) if settings.get("other") else chosen
        case "multiple_choice":
            free = [key for key in keys if key not in settings.get("exclusive", [])]
            low, high = settings.get("min", 1), min(settings.get("max", len(free)), len(free))
            alone = [st.just([key]) for key in settings.get("exclusive", [])]
            return st.one_of(
                st.lists(st.sampled_from(free), min_size=low, max_size=high, unique=True), *alone
            )
        case "scale":
            k = settings["points"] if isinstance(settings["points"], int) else len(settings["points"])
            point = st.integers(1, k)
            items = [item["key"] for item in settings.get("items", [])]
            return st.dictionaries(st.sampled_from(items), point, min_size=1) if items else point
        case "ranking":
            return st.permutations(keys).flatmap(
                lambda order: st.integers(1, settings.get("top", len(keys))).map(
                    lambda top: list(order[:top])
                )
            )
        case "words":
            return st.lists(own_words, min_size=1, max_size=settings["max_entries"])
        case "open_text":
            return st.text(min_size=1, max_size=100)
        case "number":
            step = settings.get("step", 1)
            number = st.integers(int(settings["min"] / step), int(settings["max"] / step)).map(
                lambda i: i * step
            )
            return number | st.just({"none": True}) if settings.get("none_label") else number
        case "points":
            return shares(keys, settings.get("budget", 100))
        case "statement":
            choice = st.sampled_from(["agree", "live_with", "disagree"])
            return st.fixed_dictionaries({"choice": choice}, optional={"reason": st.text(max_size=50)})
    raise AssertionError(f"no ballots for {question.type}")


def ballots(question):
    """Canonical values that are no passes."""
    from polls.types import InvalidBallot

    poll_type = POLL_TYPES[question.type]

    def cleaned(value):
        try:
            return poll_type.clean(value, question)
        except InvalidBallot:
            return None

    return raw(question).map(cleaned).filter(lambda value: value is not None)
