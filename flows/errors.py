"""What can be wrong with a flow file.

FlowError
├── FlowInvalid    the file breaks the format; says where and why
└── FlowLimit      the file is larger than any conversation can be
"""


class FlowError(Exception):
    """The flow cannot be used."""


class FlowInvalid(FlowError):
    """The flow file breaks the format; `place` says where, `problem` says why."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place = place
        self.problem = problem


class FlowLimit(FlowInvalid):
    """The flow file is larger than any conversation can be."""
