"""A condition over people as a sentence in an officer's language, with the names people know."""

from typing import Final

from flows.conditions import Condition
from flows.countries import countries
from flows.gazetteer import bundled
from flows.questions.base import Question
from flows.questions.language import NAMES
from flows.sentences import Name, as_written, sentence
from flows.wording import LANGUAGES
from models.conditions import CONSENT
from models.person_fields import GRANTED
from services.audiences.audience_checks import options_of
from services.catalogue import Catalogue

_FIELDS: Final = {
    "country": ("country", "le pays", "el país", "o país", "البلد"),
    "place": ("town", "la ville", "la ciudad", "a cidade", "المدينة"),
    "region": ("region", "la région", "la región", "a região", "المنطقة"),
    "time_zone": (
        "time zone",
        "le fuseau horaire",
        "la zona horaria",
        "o fuso horário",
        "المنطقة الزمنية",
    ),
    "link": ("link to origin", "le lien d'origine", "el vínculo", "o vínculo", "الصلة بالوطن"),
    "age_band": ("age", "l'âge", "la edad", "a idade", "العمر"),
    "gender": ("gender", "le genre", "el género", "o gênero", "الجنس"),
    "activity": ("activity", "l'activité", "la actividad", "a atividade", "النشاط"),
    "language": ("language", "la langue", "el idioma", "o idioma", "اللغة"),
    "channel": ("channel", "le canal", "el canal", "o canal", "القناة"),
    "office": ("office", "le bureau", "la oficina", "o escritório", "المكتب"),
    "joined": (
        "first message",
        "le premier message",
        "el primer mensaje",
        "a primeira mensagem",
        "أول رسالة",
    ),
    "registered": (
        "registration",
        "l'inscription",
        "el registro",
        "o registro",
        "التسجيل",
    ),
    "last_seen": (
        "last message",
        "le dernier message",
        "el último mensaje",
        "a última mensagem",
        "آخر رسالة",
    ),
    "relay": ("relay", "le relais", "el enlace", "o elo", "حلقة الوصل"),
}
_CONSENT: Final = {
    "en": "consent to {purpose}",
    "fr": "le consentement à {purpose}",
    "es": "el consentimiento para {purpose}",
    "pt": "o consentimento para {purpose}",
    "ar": "الموافقة على {purpose}",
}
_GRANTED: Final = {
    "en": "given",
    "fr": "donné",
    "es": "dado",
    "pt": "dado",
    "ar": "معطاة",
}
_CHANNELS: Final = {
    "telegram": "Telegram",
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "simulator": "simulator",
}


def say(condition: Condition, catalogue: Catalogue, language: str) -> str:
    """Return the condition in words, English where we do not speak the language."""
    spoken = language if language in LANGUAGES else "en"
    return sentence(condition, spoken, _names(catalogue, spoken))


def _names(catalogue: Catalogue, language: str) -> Name:
    def name(field: str, value: str | None) -> str:
        if field.startswith(CONSENT):
            return _of_consent(catalogue, field, value, language)
        if value is None:
            return _of_field(catalogue, field, language)
        return _of_value(catalogue, field, value, language)

    return name


def _of_consent(catalogue: Catalogue, field: str, value: str | None, language: str) -> str:
    if value == GRANTED:
        return _GRANTED[language]
    if value is not None:
        return value
    purpose = field.removeprefix(CONSENT)
    for published in catalogue.newest.values():
        for question in published.flow.questions:
            if getattr(question, "grants", False) and purpose in question.values():
                return _CONSENT[language].format(purpose=f"«{question.label(purpose, language)}»")
    return _CONSENT[language].format(purpose=f"«{purpose.replace('_', ' ')}»")


def _of_field(catalogue: Catalogue, field: str, language: str) -> str:
    if field in _FIELDS:
        return _FIELDS[field][LANGUAGES.index(language)]
    question = _question(catalogue, field)
    if question is None:
        return as_written(field, None)
    return f"«{question.in_language(question.text, language)}»"


def _of_value(catalogue: Catalogue, field: str, value: str, language: str) -> str:
    match field:
        case "country":
            return countries().name(value, language)
        case "language":
            return NAMES.get(value, value)
        case "channel":
            return _CHANNELS.get(value, value)
        case "place":
            place = bundled().get(value)
            return value if place is None else place.name(language)
        case "office":
            return next(
                (told for one, told in catalogue.offices.items() if str(one) == value), value
            )
    question = options_of(catalogue, field).get(value) or _question(catalogue, field)
    return value if question is None else question.label(value, language)


def _question(catalogue: Catalogue, field: str) -> Question | None:
    flow, _, asked = field.partition(".")
    published = catalogue.newest.get(flow)
    return None if published is None else published.flow.question(asked)
