"""Modules: what somebody who is registered may add later, one at a time."""

from flows.events import ConsentRefused, Ended, Said
from flows.state import STOPPED
from tests.flows.play import Talk, choice, flow_of

CONSENT = {
    "id": "consent",
    "type": "consent",
    "purpose": "skills",
    "text": {"en": "May we ask about your work?"},
}


def test_who_declines_a_module_is_not_told_that_everything_is_gone() -> None:
    talk = Talk(flow_of(CONSENT, choice())).say("no")
    assert talk.state.status == STOPPED
    assert talk.events == (ConsentRefused("consent"), Ended("declined"), Said("declined"))
    assert "nothing else changes" in talk.prompt.text
