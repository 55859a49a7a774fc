"""The sentences of the page that opens a chat, in the five languages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from flows.wording import LANGUAGES

_TEXTS: Final = {
    "asks": (
        "{who} asks",
        "{who} vous demande",
        "{who} pregunta",
        "{who} pergunta",
        "{who} يسأل",
    ),
    "how": (
        "Answer in your chat. It takes a minute, and STOP ends it any time.",
        "Répondez dans votre messagerie. Une minute suffit, et STOP arrête tout.",
        "Responda en su chat. Toma un minuto, y STOP termina cuando quiera.",
        "Responda no seu chat. Leva um minuto, e STOP termina quando quiser.",
        "أجب في محادثتك. يكفي دقيقة واحدة، وكلمة STOP توقف كل شيء.",
    ),
    "telegram": (
        "Answer on Telegram",
        "Répondre sur Telegram",
        "Responder por Telegram",
        "Responder no Telegram",
        "أجب عبر تيليغرام",
    ),
    "whatsapp": (
        "Answer on WhatsApp",
        "Répondre sur WhatsApp",
        "Responder por WhatsApp",
        "Responder no WhatsApp",
        "أجب عبر واتساب",
    ),
    "sms": (
        "Answer by SMS",
        "Répondre par SMS",
        "Responder por SMS",
        "Responder por SMS",
        "أجب برسالة SMS",
    ),
    "send": (
        "Or send {code} to {number}.",
        "Ou envoyez {code} au {number}.",
        "O envíe {code} al {number}.",
        "Ou envie {code} para {number}.",
        "أو أرسل {code} إلى {number}.",
    ),
    "until": (
        "Open until {day}.",
        "Ouvert jusqu'au {day}.",
        "Abierto hasta el {day}.",
        "Aberto até {day}.",
        "مفتوح حتى {day}.",
    ),
    "scan": (
        "Scan to open this page on a phone",
        "Scannez pour ouvrir cette page sur un téléphone",
        "Escanee para abrir esta página en un teléfono",
        "Leia o código para abrir esta página no telefone",
        "امسح الرمز لفتح هذه الصفحة على هاتف",
    ),
    "closed": (
        "This poll is closed. Thank you.",
        "Ce sondage est terminé. Merci.",
        "Esta encuesta terminó. Gracias.",
        "Esta enquete acabou. Obrigado.",
        "انتهى هذا الاستطلاع. شكرا.",
    ),
    "result": (
        "See the result",
        "Voir le résultat",
        "Ver el resultado",
        "Ver o resultado",
        "النتيجة",
    ),
    "not_yet": (
        "This poll is not open yet. Please come back later.",
        "Ce sondage n'est pas encore ouvert. Revenez plus tard.",
        "Esta encuesta aún no está abierta. Vuelva más tarde.",
        "Esta enquete ainda não abriu. Volte mais tarde.",
        "هذا الاستطلاع لم يفتح بعد. عد لاحقا.",
    ),
    "opens": (
        "This poll opens on {day}. Please come back then.",
        "Ce sondage ouvre le {day}. Revenez ce jour-là.",
        "Esta encuesta empieza el {day}. Vuelva ese día.",
        "Esta enquete abre em {day}. Volte nesse dia.",
        "يفتح هذا الاستطلاع في {day}. عد عندئذ.",
    ),
    "canceled": (
        "This poll was withdrawn. Thank you.",
        "Ce sondage a été retiré. Merci.",
        "Esta encuesta se retiró. Gracias.",
        "Esta enquete foi retirada. Obrigado.",
        "سحب هذا الاستطلاع. شكرا.",
    ),
    "unknown": (
        "We do not know this code. Please check it on the poster or ask who gave it to you.",
        "Nous ne connaissons pas ce code. Vérifiez-le ou demandez à qui vous l'a donné.",
        "No conocemos este código. Revíselo o pregunte a quien se lo dio.",
        "Não conhecemos este código. Confira ou pergunte a quem o deu.",
        "لا نعرف هذا الرمز. تحقق منه أو اسأل من أعطاك إياه.",
    ),
    "ended": (
        "This invitation is not used any more. Ask who gave it to you, or {who}, for a new one.",
        "Cette invitation ne sert plus. Demandez-en une autre à qui vous l'a donnée, ou à {who}.",
        "Esta invitación ya no se usa. Pida otra a quien se la dio, o a {who}.",
        "Este convite já não se usa. Peça outro a quem o deu, ou a {who}.",
        "لم تعد هذه الدعوة مستعملة. اطلب دعوة جديدة ممن أعطاك إياها أو من {who}.",
    ),
    "print": (
        "Poster to print",
        "Affiche à imprimer",
        "Cartel para imprimir",
        "Cartaz",
        "ملصق للطباعة",
    ),
    "language": ("Language", "Langue", "Idioma", "Idioma", "اللغة"),
}


def join_texts(language: str) -> Mapping[str, str]:
    """Every sentence in one language, English for a language we do not have."""
    place = LANGUAGES.index(language) if language in LANGUAGES else 0
    return MappingProxyType({name: text[place] for name, text in _TEXTS.items()})
