"""Pages are tested in front of a whole house."""

from tests.services.conftest import house

__all__ = ["house"]
