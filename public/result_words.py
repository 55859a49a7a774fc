"""The sentences of the page of results, in the five languages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from flows.wording import LANGUAGES

_TEXTS: Final = {
    "results": ("Results", "Résultats", "Resultados", "Resultados", "النتائج"),
    "answers": (
        "{n} answers",
        "{n} réponses",
        "{n} respuestas",
        "{n} respostas",
        "عدد الإجابات: {n}",
    ),
    "empty": (
        "Not yet 10 answers. Results are shown from 10 people on, so that nobody stands out.",
        "Pas encore 10 réponses. On montre les résultats à partir de 10 personnes.",
        "Aún no hay 10 respuestas. Los resultados se muestran desde 10 personas.",
        "Ainda não há 10 respostas. Os resultados aparecem a partir de 10 pessoas.",
        "لم تصل 10 إجابات بعد. تظهر النتائج ابتداء من 10 أشخاص.",
    ),
    "at_close": (
        "Shown when the poll is closed.",
        "Affiché à la fin du sondage.",
        "Se muestra al cerrar la consulta.",
        "Aparece quando a consulta terminar.",
        "تظهر عند إغلاق الاستطلاع.",
    ),
    "waits": (
        "Shown as soon as every option has enough answers.",
        "Affiché dès que chaque choix a assez de réponses.",
        "Se muestra cuando cada opción tenga suficientes respuestas.",
        "Aparece quando cada opção tiver respostas suficientes.",
        "تظهر عندما يكون لكل خيار ما يكفي من الإجابات.",
    ),
    "hidden": ("not shown", "non montré", "no se muestra", "não mostrado", "غير معروض"),
    "why_hidden": (
        "Not shown: fewer than 10 people here, or beside it.",
        "Non montré : moins de 10 personnes ici, ou à côté.",
        "No se muestra: menos de 10 personas aquí, o al lado.",
        "Não mostrado: menos de 10 pessoas aqui, ou ao lado.",
        "غير معروض: أقل من 10 أشخاص هنا أو بجانبه.",
    ),
    "rounded": (
        "Counts below 500 are rounded to 5. Nobody can be told apart.",
        "Sous 500, les nombres sont arrondis à 5. Personne n'est reconnaissable.",
        "Por debajo de 500, los números se redondean a 5. Nadie es reconocible.",
        "Abaixo de 500, os números são arredondados para 5. Ninguém é identificável.",
        "الأعداد تحت 500 مقربة إلى 5. لا يمكن تمييز أحد.",
    ),
    "as_of": (
        "State of {moment}: {of} answers are counted here, the newest are not yet.",
        "État au {moment} : {of} réponses comptées ici, les plus récentes pas encore.",
        "Estado del {moment}: aquí se cuentan {of} respuestas, las últimas aún no.",
        "Situação de {moment}: {of} respostas contadas aqui, as últimas ainda não.",
        "الحالة في {moment}: حسبت هنا {of} إجابة، والأحدث ليس بعد.",
    ),
    "open": ("Open", "Ouvert", "Abierta", "Aberta", "مفتوح"),
    "open_until": (
        "Open until {day}",
        "Ouvert jusqu'au {day}",
        "Abierta hasta el {day}",
        "Aberta até {day}",
        "مفتوح حتى {day}",
    ),
    "closed": (
        "Closed on {day}",
        "Fermé le {day}",
        "Cerrada el {day}",
        "Fechada em {day}",
        "أغلق في {day}",
    ),
    "as_of_rows": (
        "State of {moment}.",
        "État au {moment}.",
        "Estado del {moment}.",
        "Situação de {moment}.",
        "الحالة في {moment}.",
    ),
    "next": (
        "What we will do",
        "Ce que nous ferons",
        "Lo que haremos",
        "O que vamos fazer",
        "ماذا سنفعل",
    ),
    "later": (
        "We will say it here by {day}.",
        "Nous le dirons ici avant le {day}.",
        "Lo diremos aquí antes del {day}.",
        "Diremos aqui até {day}.",
        "سنقول ذلك هنا قبل {day}.",
    ),
    "overdue": (
        "Overdue. We promised to say it by {day}, and have not.",
        "En retard. Nous avions promis de le dire avant le {day}.",
        "Atrasado. Prometimos decirlo antes del {day} y no lo hicimos.",
        "Atrasado. Prometemos dizer até {day} e não dissemos.",
        "متأخر. وعدنا أن نقول ذلك قبل {day} ولم نفعل.",
    ),
    "by": ("By {what}", "Selon {what}", "Por {what}", "Por {what}", "حسب {what}"),
    "all_others": (
        "All others",
        "Tous les autres",
        "Todos los demás",
        "Todos os outros",
        "الباقون",
    ),
    "unknown": ("Not told", "Non dit", "No dicho", "Não dito", "لم يذكر"),
    "people": ("People", "Personnes", "Personas", "Pessoas", "الأشخاص"),
    "files": ("As a file:", "En fichier :", "Como archivo:", "Como arquivo:", "ملف:"),
    "gone": (
        "There is no such result.",
        "Ce résultat n'existe pas.",
        "No existe este resultado.",
        "Este resultado não existe.",
        "لا توجد هذه النتيجة.",
    ),
    "country": ("country", "pays", "país", "país", "البلد"),
    "region": ("region", "région", "región", "região", "المنطقة"),
    "age_band": ("age", "âge", "edad", "idade", "العمر"),
    "gender": ("gender", "genre", "género", "gênero", "الجنس"),
    "activity": ("activity", "activité", "actividad", "atividade", "النشاط"),
    "link": ("link to origin", "lien d'origine", "origen", "origem", "الصلة بالأصل"),
    "language": ("language", "langue", "idioma", "idioma", "اللغة"),
    "channel": ("channel", "canal", "canal", "canal", "القناة"),
    "office": ("office", "bureau", "oficina", "escritório", "المكتب"),
    "asker": ("who asked", "qui a demandé", "quién preguntó", "quem perguntou", "من سأل"),
}


def result_texts(language: str) -> Mapping[str, str]:
    """Every sentence in one language, English for a language we do not have."""
    place = LANGUAGES.index(language) if language in LANGUAGES else 0
    return MappingProxyType({name: text[place] for name, text in _TEXTS.items()})
