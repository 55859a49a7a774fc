"""What Telegram's refusals mean, by the beginnings of their (lower-case) texts (reference 1.6)."""

from bot.channels.base import SendError


def forbidden(text: str) -> SendError:
    """What a 403 means for the address."""
    if "blocked" in text:
        return SendError("blocked", "The person has blocked the bot.", blocked=True)
    if "deactivated" in text:
        return SendError("deactivated", "The account no longer exists.", dead=True)
    if "initiate" in text:
        return SendError("not_opened", "The person never opened the bot.", blocked=True)
    return SendError("removed", "The bot is not in this chat.", dead=True)


def bad_request(text: str) -> SendError:
    """What a 400 means for the message."""
    if any(words in text for words in ("chat not found", "user not found", "peer_id_invalid")):
        return SendError("chat_not_found", "Telegram knows no such chat.", dead=True)
    if "not modified" in text:
        return SendError("not_modified", "The message already looks like this.")
    if "to edit not found" in text or "can't be edited" in text or "message_id_invalid" in text:
        return SendError("not_editable", "The message can no longer be changed.")
    if "query is too old" in text:
        return SendError("query_too_old", "The button press is too old to answer.")
    return SendError("bad_request", "Telegram refuses what we made; a fault of ours.", alert=True)
