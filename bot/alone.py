"""What a message needs of the database beyond a batch's two statements, one transaction each."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from bot.knocks import Taken
from flows.wording import say
from models.ballot_keys import BallotKeys
from models.sealed import Keyring
from services.asks import voting
from services.conversation.scene import Scene
from services.organisations import OrganisationKeyring
from services.people import linking
from services.relays import passing_on
from services.rights import erasing


@dataclass(frozen=True, slots=True)
class Alone:
    """Handles one message by itself: a vote, a wish to be linked, a relay, an erasure."""

    engine: Engine
    keyring: Keyring
    keys: OrganisationKeyring
    ballots: BallotKeys

    def settle(self, scene: Scene, *, now: datetime) -> Taken | None:
        """Write down what such a message does; None when it is an ordinary one."""
        if scene.vote:
            return Taken(
                answered=voting.vote(self.engine, self.keyring, self.ballots, scene, now=now)
            )
        if scene.wish or scene.comes_anew:
            keys = self.keys.open(scene.line.organisation_id)
            tools = linking.Tools(self.engine, self.keyring, keys)
            return Taken(answered=linking.grant(tools, scene, now=now))
        if scene.passing:
            keys = self.keys.open(scene.line.organisation_id)
            tools = linking.Tools(self.engine, self.keyring, keys)
            return Taken(answered=passing_on.grant(tools, scene, now=now))
        if scene.erase:
            number = erasing.erase(self.engine, scene, now=now)
            return Taken(say=say(scene.farewell, scene.language, receipt=number))
        return None
