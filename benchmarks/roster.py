"""The names a run can be asked for."""

from collections.abc import Sequence

from benchmarks import ours, targets
from benchmarks.processes import NotStarted
from benchmarks.targets import Place, Target

PEERS = {
    "ceiling": targets.echo,
    "ptb-sql": targets.ptb_sql,
    "telegraf-pg": targets.telegraf_pg,
    "flask-twilio": targets.flask_twilio,
}
OURS = ("ours", "ours-sms")


def build(names: Sequence[str], place: Place, project_python: str) -> dict[str, Target]:
    """Targets by name, in the order asked for; ours share one database and one set-up.

    Raises NotStarted for a name nobody has, and when Homeline cannot be set up.
    """
    if unknown := [name for name in names if name not in PEERS and name not in OURS]:
        known = ", ".join((*PEERS, *OURS))
        raise NotStarted(f"no target {', '.join(unknown)}; there are {known}")
    wanted = [name for name in names if name in OURS]
    own = ours.build(place, project_python) if wanted else {}
    return {name: own[name] if name in OURS else PEERS[name](place) for name in names}
