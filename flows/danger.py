"""Words by which somebody may tell us that a person is in danger, in every shipped language.

A match opens a case beside the ordinary answer; it never changes what is stored as an answer, so a
word too many costs an officer a look and a word too few may cost more. Matched as whole words and
phrases. The list was reviewed for words that are common in consular questions (emergency, travel
papers, lost, stolen): they are left out. It waits for native readers.
"""

from collections.abc import Mapping
from typing import Final

from flows.normalising import normalise

PHRASES: Final = {
    "en": "suicide|suicidal|kill|kill myself|killed|murder|murdered|want to die|end my life"
    "|hurt myself|self harm|violence|rape|raped|beats me|beating me|hits me|hurts me|hurting me"
    "|kidnap|kidnapped|kidnapping|abducted|hostage|trafficked|trafficking|held against my will"
    "|locked me in|took my passport|police coming|police are coming|police is coming"
    "|police at my door|arrested|detained|deported|tortured|shooting|stabbed|bomb|bombing"
    "|threatened me|threatening me|in danger|help me|save me|sos",
    "fr": "suicide|suicider|me tuer|tuer|tue|meurtre|veux mourir|envie de mourir|violence|violences"
    "|viol|violee|me frappe|me bat|enleve|enlevee|kidnappe|kidnappee|otage|sequestre|sequestree"
    "|la police arrive|la police vient|arrete par la police|en detention|expulse|torture"
    "|coups de feu|bombe|me menace|menace de mort|en danger|aidez moi|aide moi|au secours"
    "|sauvez moi",
    "es": "suicidio|suicidarme|matarme|matar|mataron|asesinato|quiero morir|quitarme la vida"
    "|violencia|violacion|me violaron|me pega|me golpea|secuestro|secuestrado|secuestrada|rehen"
    "|trata de personas|me encerraron|me quitaron el pasaporte|viene la policia"
    "|la policia viene|detenido|detenida|deportado|deportada|tortura|disparos|bomba|me amenaza"
    "|me amenazan|amenaza de muerte|en peligro|ayudame|ayudenme|auxilio|socorro",
    "pt": "suicidio|suicidar|me matar|matar|mataram|assassinato|quero morrer|tirar minha vida"
    "|violencia|estupro|estuprada|me bate|me agride|sequestro|sequestrado|sequestrada|refem"
    "|trafico de pessoas|me trancaram|tiraram meu passaporte|a policia vem"
    "|policia esta vindo|preso|presa|detido|detida|deportado|deportada|tortura|tiros|bomba"
    "|me ameaca|ameaca de morte|em perigo|me ajude|me ajudem|socorro",
    "ar": "انتحار|الانتحار|انتحر|سانتحر|اقتل نفسي|قتل|القتل|قتلوا|يقتلني|سيقتلني|سيقتلونني"
    "|جريمة قتل"
    "|اريد ان اموت|عنف|العنف|اغتصاب|اغتصبني|يضربني|يضربونني|خطف|مخطوف|مخطوفة|خطفوني|اختطاف"
    "|رهينة|اتجار بالبشر|حبسوني|اخذوا جوازي|الشرطة قادمة|الشرطة تاتي|معتقل|معتقلة|اعتقلوني"
    "|محتجز|محتجزة|ترحيل|تعذيب|اطلاق نار|قنبلة|يهددني|يهددونني|في خطر|ساعدوني|ساعدني|انقذوني"
    "|النجدة",
}


def _by_first_word() -> Mapping[str, tuple[str, ...]]:
    """Each phrase as it stands between blanks, under its first word."""
    found: dict[str, set[str]] = {}
    for listed in PHRASES.values():
        for phrase in map(normalise, listed.split("|")):
            found.setdefault(phrase.split()[0], set()).add(f" {phrase} ")
    return {first: tuple(sorted(phrases)) for first, phrases in found.items()}


_BY_FIRST_WORD: Final = _by_first_word()


def in_danger(text: str) -> bool:
    """Whether what somebody wrote may mean danger; total on any text, in every language at once."""
    normalised = normalise(text)
    told = f" {normalised} "
    return any(
        phrase in told
        for word in normalised.split()
        if word in _BY_FIRST_WORD
        for phrase in _BY_FIRST_WORD[word]
    )
