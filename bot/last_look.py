"""What is looked at once more of a claimed message before it leaves."""

from models.delivery_path import Claimed


def unwanted(message: Claimed) -> str | None:
    """Why a claimed message is no longer to be sent: consent and address are read at the claim."""
    if message.superseded:
        return "superseded"
    if message.kind == "rights":
        return None
    if message.contact_status != "active":
        return "stopped"
    if message.address_status != "active":
        return message.address_status
    return None
