"""The registration every target implements, and the members who answer it.

Replies carry a tag (``Q3/8 ``), so that the driver sees whether each member got the right
next question; the closing message has ``DONE``.
"""

QUESTIONS = (
    ("consent", "Do you agree that we store your answers? (yes/no)", "yesno"),
    ("name", "What is your full name?", "text"),
    ("birth_year", "In which year were you born?", "year"),
    ("country", "Which country do you live in?", "text"),
    ("city", "Which city do you live in?", "text"),
    ("postcode", "What is your postal code?", "text"),
    ("household", "How many people live in your home?", "count"),
    ("volunteer", "Would you help as a volunteer? (yes/no)", "yesno"),
)
N = len(QUESTIONS)
DONE = "DONE Thank you, you are registered."


def prompt(step: int) -> str:
    """The question of this step (0-based), or the closing text after the last one."""
    return f"Q{step + 1}/{N} {QUESTIONS[step][1]}" if step < N else DONE


def tag(step: int) -> str:
    """What a right reply holds when this step is due."""
    return f"Q{step + 1}/{N} " if step < N else "DONE"


def answer(member: int, step: int) -> str:
    """What this member answers to this step; known in advance, so that storage can be checked.

    Names and postal codes are of letters as well as digits: a target may refuse to keep what looks
    like the number of a card or a passport.
    """
    return (
        "yes",
        f"Member {letters(member)}",
        str(1930 + member % 80),
        f"Country {member % 190}",
        f"City {member % 9973}",
        f"{letters(member % 676)} {member % 89 + 10}",
        str(1 + member % 9),
        ("yes", "no")[member % 2],
    )[step]


def letters(number: int) -> str:
    """The number in letters, Aa onwards."""
    text = ""
    while number or not text:
        number, digit = divmod(number, 26)
        text = chr(97 + digit) + text
    return text.capitalize()


def valid(step: int, text: str) -> str | None:
    """The value a peer stores for this text, or None when it has to ask again."""
    kind, text = QUESTIONS[step][2], text.strip()
    if kind == "text":
        return text if 0 < len(text) <= 200 else None
    if kind == "year":
        return text if text.isdigit() and 1900 <= int(text) <= 2026 else None
    if kind == "count":
        return text if text.isdigit() and 1 <= int(text) <= 30 else None
    return text.lower() if text.lower() in ("yes", "no") else None
