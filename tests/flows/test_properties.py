"""What holds for any person, whatever they send."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.engine import resume, start, step
from flows.events import Answered, Asked, Completed, Said, as_part
from flows.flow import Flow
from flows.inputs import Attachment, Input, Pin, Pressed, Text
from flows.loader import library
from flows.questions import TYPES
from flows.state import COMPLETE, WAITING, State
from flows.wording import as_lines, compose
from tests.flows.play import NAMES, NOW, TAG, flow_of, shipped

EVERYTHING = flow_of(
    *({**kind.example, "id": f"q{place}"} for place, kind in enumerate(TYPES) if kind.waits),
    languages=("en", "fr"),
)
FLOWS = (EVERYTHING, *(shipped(name) for name in library()))
WORDS = ["1", "1,2", "0", "7", "8", "9", "back", "skip", "yes", "no", "more", "done", "south",
         "Kenya", "pariss", "I agree", "STOP", "👍", "٢"]  # fmt: skip
VALUES = ["yes", "no", "more", "skip", "back", "menu", "done", "none", "person", "en", "za", "x"]

TEXTS = st.one_of(st.sampled_from(WORDS), st.text(st.characters(), max_size=30))
INPUTS: st.SearchStrategy[Input] = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Text, TEXTS.map(lambda one: one * 300)),
    st.builds(Pressed, st.text(st.characters(), max_size=20)),
    st.builds(
        lambda question, value: Pressed(f"{TAG}.{question}.{value}"),
        st.sampled_from([one.id for flow in FLOWS for one in flow.questions]),
        st.one_of(st.sampled_from(VALUES), st.text(max_size=5)),
    ),
    st.builds(Pin, st.floats(), st.floats()),
    st.builds(Attachment, st.text(max_size=8), st.none() | st.text(max_size=3)),
    st.builds(Attachment, st.just("sticker"), st.sampled_from(["👍", "🙂", ""])),
)


def shown(flow: Flow, state: State, events: tuple[object, ...]) -> str:
    parts = [as_part(one) for one in events if isinstance(one, Said | Asked)]
    return as_lines(compose(parts, flow=flow, language=state.language, tag=TAG, names=NAMES))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(FLOWS), st.lists(INPUTS, max_size=12))
def test_step_is_total_pure_and_survives_storing(flow: Flow, inputs: list[Input]) -> None:
    state, events = start(flow, tag=TAG, language="en", now=NOW)
    for one in inputs:
        state = State.from_json(state.to_json())
        again = step(flow, state, one, NOW)
        state, events = step(flow, state, one, NOW)
        assert (state, events) == again
        shown(flow, state, events)
        assert resume(flow, state, now=NOW)[0].answers.keys() >= state.answers.keys()
        answered = [event for event in events if isinstance(event, Answered)]
        assert len(answered) <= 1
        for answer in answered:
            assert answer.question in flow.by_id
        if state.status == WAITING:
            assert state.asked in flow.by_id
            assert len(events) <= 6


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FLOWS), st.lists(INPUTS, max_size=8))
def test_every_session_ends_once_the_person_answers(flow: Flow, inputs: list[Input]) -> None:
    state, events = start(flow, tag=TAG, language="en", now=NOW)
    for one in inputs:
        state, events = step(flow, state, one, NOW)
    for _ in range(3 * len(flow.questions) + 3):
        if state.status != WAITING:
            break
        state, events = step(flow, state, answer_to(flow, state), NOW)
    assert state.status != WAITING
    assert (state.status == COMPLETE) == any(isinstance(event, Completed) for event in events) or (
        not events
    )


def answer_to(flow: Flow, state: State) -> Input:
    """A valid answer to whatever waits: the first option, a country, a town, some words."""
    question = flow.question(state.asked)
    assert question is not None
    if state.guess is not None:
        return Text("1")
    if question.several:
        return Text("1")
    if question.sample:
        return Text(question.sample)
    return Pressed(f"{TAG}.{question.id}.{question.values()[0]}")
