"""The sentences of the pages without an account, in the five languages."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from flows.dates import show
from flows.wording import LANGUAGES

RIGHT_TO_LEFT: Final = frozenset({"ar"})

_TEXTS: Final = {
    "title": (
        "What we keep about you",
        "Ce que nous gardons sur vous",
        "Lo que guardamos sobre usted",
        "O que guardamos sobre você",
        "ما نحفظه عنك",
    ),
    "code_wanted": (
        "We sent a code of six digits to your chat, with this link. Please type it here.",
        "Nous avons envoyé un code de six chiffres avec ce lien. Écrivez-le ici.",
        "Enviamos un código de seis cifras a su chat, con este enlace. Escríbalo aquí.",
        "Enviamos um código de seis números ao seu chat, com este link. Escreva aqui.",
        "أرسلنا رمزا من ستة أرقام إلى محادثتك مع هذا الرابط. اكتبه هنا.",
    ),
    "code": ("Code", "Code", "Código", "Código", "الرمز"),
    "open": ("Show my data", "Voir mes données", "Ver mis datos", "Ver meus dados", "عرض بياناتي"),
    "once": (
        "The page opens once. Close it when you have read it.",
        "La page s'ouvre une seule fois. Fermez-la après lecture.",
        "La página se abre una sola vez. Ciérrela después de leer.",
        "A página abre uma só vez. Feche depois de ler.",
        "تفتح الصفحة مرة واحدة. أغلقها بعد القراءة.",
    ),
    "wrong": (
        "This code is not right. Tries left: {left}.",
        "Ce code n'est pas le bon. Essais restants : {left}.",
        "Este código no es correcto. Intentos que quedan: {left}.",
        "Este código não está certo. Tentativas restantes: {left}.",
        "هذا الرمز غير صحيح. المحاولات الباقية: {left}.",
    ),
    "gone": (
        "This link was used, is too old, or never was one. Send MYDATA in the chat for a new one.",
        "Ce lien a servi, est trop vieux ou n'existe pas. Envoyez MYDATA pour en avoir un autre.",
        "Este enlace ya se usó, es muy viejo o no existe. Envíe MYDATA para recibir otro.",
        "Este link já foi usado, é antigo ou não existe. Envie MYDATA para receber outro.",
        "هذا الرابط مستعمل أو قديم أو غير موجود. أرسل بياناتي في المحادثة لتحصل على رابط جديد.",
    ),
    "answers": ("Your answers", "Vos réponses", "Sus respuestas", "Suas respostas", "إجاباتك"),
    "consents": (
        "What you allowed",
        "Ce que vous avez permis",
        "Lo que permitió",
        "O que você permitiu",
        "ما سمحت به",
    ),
    "addresses": (
        "Where we reach you",
        "Où nous vous joignons",
        "Dónde le escribimos",
        "Onde falamos com você",
        "أين نصل إليك",
    ),
    "messages": ("Messages", "Messages", "Mensajes", "Mensagens", "الرسائل"),
    "cases": (
        "Questions to a person",
        "Questions à une personne",
        "Preguntas a una persona",
        "Perguntas a uma pessoa",
        "أسئلة إلى شخص",
    ),
    "viewings": (
        "Who looked at your data",
        "Qui a regardé vos données",
        "Quién vio sus datos",
        "Quem viu seus dados",
        "من اطلع على بياناتك",
    ),
    "nobody": ("Nobody.", "Personne.", "Nadie.", "Ninguém.", "لا أحد."),
    "nothing": ("Nothing.", "Rien.", "Nada.", "Nada.", "لا شيء."),
    "until": (
        "We erase all this on {day}, or earlier if you send DELETE. Writing to us moves this day.",
        "Nous effaçons tout le {day}, ou plus tôt si vous envoyez DELETE. Écrire repousse ce jour.",
        "Borramos todo el {day}, o antes si envía DELETE. Escribirnos mueve esa fecha.",
        "Apagamos tudo em {day}, ou antes se você enviar DELETE. Escrever muda esse dia.",
        "نمحو كل هذا في {day} أو قبل ذلك إذا أرسلت حذف. الكتابة إلينا تؤخر هذا اليوم.",
    ),
    "messages_until": (
        "Messages are erased after 90 days.",
        "Les messages sont effacés après 90 jours.",
        "Los mensajes se borran a los 90 días.",
        "As mensagens são apagadas após 90 dias.",
        "تمحى الرسائل بعد 90 يوما.",
    ),
    "correct": (
        "To correct an answer, send CHANGE in the chat. To erase everything, send DELETE.",
        "Pour corriger, envoyez CHANGER dans la messagerie. Pour tout effacer, envoyez SUPPRIMER.",
        "Para corregir, envíe CAMBIAR en el chat. Para borrar todo, envíe BORRAR.",
        "Para corrigir, envie MUDAR no chat. Para apagar tudo, envie APAGAR.",
        "للتصحيح أرسل تغيير في المحادثة. لمحو كل شيء أرسل حذف.",
    ),
    "stopped": (
        "You have stopped our messages.",
        "Vous ne recevez plus nos messages.",
        "Usted dejó de recibir nuestros mensajes.",
        "Você parou nossas mensagens.",
        "أوقفت رسائلنا.",
    ),
    "download": (
        "Download everything as a file (JSON)",
        "Télécharger le tout (JSON)",
        "Descargar todo (JSON)",
        "Baixar tudo (JSON)",
        "تنزيل كل شيء (JSON)",
    ),
    "raw": (
        "Everything, as it is stored",
        "Tout, comme c'est gardé",
        "Todo, tal como se guarda",
        "Tudo, como está guardado",
        "كل شيء كما هو محفوظ",
    ),
    "granted": ("allowed", "permis", "permitido", "permitido", "مسموح"),
    "refused": ("refused", "refusé", "rechazado", "recusado", "مرفوض"),
    "withdrawn": ("withdrawn", "retiré", "retirado", "retirado", "مسحوب"),
    "in": ("You", "Vous", "Usted", "Você", "أنت"),
    "out": ("We", "Nous", "Nosotros", "Nós", "نحن"),
    "officer": ("An officer", "Un agent", "Un funcionario", "Um funcionário", "موظف"),
    "api_key": (
        "A program of the office",
        "Un programme du bureau",
        "Un programa de la oficina",
        "Um programa do escritório",
        "برنامج للمكتب",
    ),
    "contact": ("You", "Vous", "Usted", "Você", "أنت"),
    "system": ("Automatic", "Automatique", "Automático", "Automático", "تلقائي"),
}


def texts(language: str) -> Mapping[str, str]:
    """Every sentence in one language, English for a language we do not have."""
    place = LANGUAGES.index(language) if language in LANGUAGES else 0
    return MappingProxyType({name: text[place] for name, text in _TEXTS.items()})


def direction(language: str) -> str:
    """How the language is written: "ltr" or "rtl"."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def day(moment: date, language: str) -> str:
    """A day in words of the language, in one piece inside text from right to left."""
    return f"\u2068{show(f'{moment:%Y-%m-%d}', language)}\u2069"
