"""`flask seed`: a made-up organisation with made-up people, for the demo."""

import click

from commands.flows import shipped
from commands.terminal import as_json, homeline, refuse, report, sentences
from flows import loader
from services.demo import seeding

KEY_FILE = "demo-key"


@click.command("seed")
@as_json
def seed(json: bool) -> None:
    """Make the demo's organisation, channels, flows and people, or whatever of them is missing."""
    line = homeline()
    if not line.settings.development:
        raise refuse("Made-up people are for HOMELINE_ENV=development.")
    library = [loader.load(file) for file in shipped()]
    with sentences():
        now = line.clock.now()
        done = seeding.seed(line.engine, line.keyring, library, ballot_keys=line.ballots, now=now)
        file = line.settings.data / KEY_FILE
        seeding.key(line.engine, done.organisation_id, file, now=now)
    result = {
        "id": done.organisation_id,
        "name": seeding.NAME,
        "people": done.people,
        "polls": done.polls,
        "code": done.code,
        "key_file": file,
    }
    made = f"{done.people} made-up members, {done.polls} polls"
    made = made if done.people or done.polls else "nothing new"
    report(result, f"{seeding.NAME}: {made}. Its API key is in {file}.", json=json)


COMMANDS = (seed,)
