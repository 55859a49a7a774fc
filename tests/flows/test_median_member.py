"""The median member finishes in three minutes by SMS (issue 3), played over the real flow.

A member reads, types and waits for the network: 15 to 20 seconds a message, nearer to 20 the more
there is to read and to type. Some agree only after more is told, misspell their town, choose by
words, or send what fits nothing. The clock runs from JOIN to the goodbye. `-s` shows the figures.
"""

import random
import sys
from dataclasses import dataclass
from statistics import median, quantiles

import pytest

from flows import engine
from flows.events import Asked, Said, as_part
from flows.flow import Flow
from flows.inputs import Text
from flows.state import COMPLETE, State
from flows.wording import LANGUAGES, Prompt, as_lines, compose, say
from tests.flows.play import NAMES, NOW, TAG, shipped

MEMBERS = 600
LONGEST_MEDIAN = 180.0
QUICKEST, SLOWEST = 15.0, 20.0
MUCH_TO_READ, MUCH_TO_TYPE = 300, 12
HINTED = 0.7
HABITS = {"wants more": 0.10, "misspells": 0.15, "skips": 0.10, "by words": 0.10, "misses": 0.04}
HOMES = {
    "en": ("South Africa", "Cape Town", "ZA"),
    "fr": ("Belgique", "Bruxelles", "BE"),
    "es": ("Argentina", "Rosario", "AR"),
    "pt": ("Alemanha", "Hamburgo", "DE"),
    "ar": ("ألمانيا", "برلين", "DE"),
}
LANGUAGE_DIGIT = {language: str(place) for place, language in enumerate(LANGUAGES, start=1)}


@dataclass
class Member:
    """One person with habits of their own, in front of the registration on an old phone."""

    language: str
    dice: random.Random
    messages: int = 0
    seconds: float = 0.0

    def register(self, flow: Flow) -> None:
        """Go through the whole flow."""
        country = HOMES[self.language][2]
        hints = {"country": country} if self.dice.random() < HINTED else {}
        state, events = engine.start(flow, tag=TAG, language="en", now=NOW, hints=hints)
        missed = False
        while state.status != COMPLETE:
            parts = [as_part(event) for event in events if isinstance(event, Said | Asked)]
            said = compose(parts, flow=flow, language=state.language, tag=TAG, names=NAMES)
            missed = not missed and self.does("misses")
            typed = "??" if missed else self.answer(state, said)
            self.seconds += self.pace(as_lines(said), typed)
            self.messages += 1
            assert self.messages < 40, f"{self.language} is stuck at {state.asked}"
            state, events = engine.step(flow, state, Text(typed), NOW)

    def answer(self, state: State, said: Prompt) -> str:
        """What this member sends now."""
        country, town, _ = HOMES[self.language]
        if state.guess is not None or state.picked:
            return "1"
        match state.asked:
            case "language":
                return LANGUAGE_DIGIT[self.language]
            case "consent":
                return "3" if state.page == 0 and self.does("wants more") else "1"
            case "country":
                return self.spelt(country)
            case "place":
                return say("skip", self.language) if self.does("skips") else self.spelt(town)
            case "purposes":
                return "1,2"
        chosen = self.dice.choice(said.choices[1:4])  # nobody here is under 18
        return chosen.label if self.does("by words") else chosen.digit

    def does(self, habit: str) -> bool:
        """Whether a habit shows this time."""
        return self.dice.random() < HABITS[habit]

    def spelt(self, name: str) -> str:
        """The name, at times without one of its letters."""
        if not self.does("misspells"):
            return name
        gone = self.dice.randrange(1, len(name) - 1)
        return name[:gone] + name[gone + 1 :]

    def pace(self, read: str, typed: str) -> float:
        """Seconds from our message to the arrival of theirs."""
        load = (min(1, len(read) / MUCH_TO_READ) + min(1, len(typed) / MUCH_TO_TYPE)) / 2
        share = 0.5 * load + 0.5 * self.dice.random()
        return QUICKEST + (SLOWEST - QUICKEST) * share


def quartiles(of: list[Member]) -> tuple[float, float, float]:
    """The first, second and third quartile of their seconds."""
    first, second, third = quantiles((one.seconds for one in of), n=4)
    return first, second, third


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_median_member_finishes_in_three_minutes(language: str) -> None:
    flow = shipped("registration")
    members = [Member(language, random.Random(f"{language}{seed}")) for seed in range(MEMBERS)]
    for member in members:
        member.register(flow)
    quick, middle, slow = quartiles(members)
    sent = [member.messages for member in members]
    sys.stdout.write(
        f"\n{language}: half between {quick:.0f} and {slow:.0f} s, median {middle:.0f} s; "
        f"after JOIN {min(sent)} to {max(sent)} messages, median {median(sent):.0f}\n"
    )
    assert min(sent) == 9, "language, consent, and seven questions"
    assert middle <= LONGEST_MEDIAN
