"""What is never asked by chat, as terms in each language; matched on normalised text.

Papers and their numbers, residence status, exact address, accounts and amounts, religion and
ethnicity, party and vote, health, orientation, crimes, third persons, children, secrets.
"""

import re
from typing import Final

from flows.normalising import normalise

_TERMS: Final = {
    "en": (
        "passport number|number of (?:your )?passport|national id|identity (?:card|number)"
        "|id number|visa number|(?:photo|copy|scan) of (?:your )?(?:passport|id|visa|document)"
        "|residence (?:permit|status)|immigration status|migration status|undocumented|asylum"
        "|fingerprints?|biometrics?|(?:home|street|exact|full) address|where exactly do you live"
        "|live location|bank account|account number|iban|card number|credit card|mobile money"
        "|how much (?:money )?do you (?:send|earn|make)|your (?:salary|income|earnings)"
        "|religions?|religious|ethnicity|ethnic|tribes?|clans?|castes?"
        "|political party|which party|vote for|voted for|did you vote"
        "|diagnos\\w+|hiv|aids|pregnan\\w+|sexual orientation|are you gay"
        "|criminal record|convict\\w+|arrested|date of birth|birth ?date|full birthday"
        "|passwords?|pin code|security code|children s names?|name of your (?:child|wife|husband)"
    ),
    "fr": (
        "numero d(?:e|u) (?:votre )?(?:passeport|visa|carte|compte)|carte d identite"
        "|(?:photo|copie|scan) d(?:e|u) (?:votre )?(?:passeport|carte|visa|document)"
        "|titre de sejour|statut (?:migratoire|de sejour)|sans papiers|asile"
        "|empreintes?|biometri\\w+|adresse (?:exacte|complete|de votre domicile)"
        "|compte (?:bancaire|en banque)|iban|carte bancaire|carte de credit"
        "|combien (?:d argent )?(?:envoyez|gagnez)|votre salaire|vos revenus"
        "|religions?|religieu\\w+|ethni\\w+|tribus?|clans?|castes?"
        "|parti politique|quel parti|avez vous vote|pour qui (?:votez|avez)"
        "|diagnosti\\w+|vih|sida|enceinte|grossesse|orientation sexuelle"
        "|casier judiciaire|condamn\\w+|date de naissance|mot de passe|code (?:pin|secret)"
    ),
    "es": (
        "numero de (?:su )?(?:pasaporte|visa|cuenta|tarjeta|documento)|documento de identidad"
        "|(?:foto|copia) de (?:su )?(?:pasaporte|documento|visa)|permiso de residencia"
        "|(?:estatus|situacion) migratori\\w+|indocumentad\\w+|asilo|huellas?|biometri\\w+"
        "|direccion (?:exacta|completa)|cuenta bancaria|iban|tarjeta de credito"
        "|cuanto (?:dinero )?(?:envia|gana)|su (?:salario|sueldo)|sus ingresos"
        "|religion(?:es)?|religios\\w+|etni\\w+|tribus?|clan(?:es)?|casta"
        "|partido politico|que partido|por quien vot\\w+|diagnosti\\w+|vih|sida|embaraz\\w+"
        "|orientacion sexual|antecedentes penales|fecha de nacimiento|contrasena|codigo pin"
    ),
    "pt": (
        "numero d[eo] (?:seu )?(?:passaporte|visto|cartao|documento)|numero da conta"
        "|carteira de identidade|bilhete de identidade|(?:foto|copia) d[eo] (?:seu )?(?:passaporte"
        "|documento)|autorizacao de residencia|situacao migratoria|indocumentad\\w+|asilo"
        "|impress(?:ao|oes) digita\\w+|biometri\\w+|endereco (?:exato|completo)"
        "|conta bancaria|iban|cartao de credito|quanto (?:dinheiro )?(?:envia|ganha)"
        "|seu salario|sua renda|religi\\w+|etni\\w+|tribos?|clas?|casta"
        "|partido politico|que partido|em quem votou|diagnosti\\w+|hiv|aids|gravid\\w+"
        "|orientacao sexual|antecedentes criminais|data de nascimento|senha|codigo pin"
    ),
    "ar": (
        "رقم (?:ال)?(?:جواز|تاشيره|هويه|بطاقه|حساب)"
        "|(?:صوره|نسخه) (?:من )?(?:ال)?(?:جواز|هويه|بطاقه)"
        "|تصريح الاقامه|وضع(?:ك)? (?:ال)?قانوني|اللجوء|بصم(?:ه|ات)|عنوان(?:ك)? (?:الكامل|بالتفصيل)"
        "|حساب(?:ك)? (?:ال)?(?:بنكي|مصرفي)|بطاقه ائتمان|كم (?:ترسل|تكسب)|راتبك|دخلك"
        "|دينك|ديانتك|الديانه|مذهبك|طائفتك|قبيلتك|عشيرتك|عرقك|حزب|انتخبت|صوت لمن"
        "|مرضك|تشخيص|الايدز|حامل|ميولك|سجل(?:ك)? (?:ال)?جنائي"
        "|تاريخ (?:ال)?ميلاد|كلمه (?:ال)?(?:سر|مرور)"
    ),
}
_ENDINGS: Final = {"ar": "(?:كم|ك|ها|ه)?"}
_PATTERNS: Final = {
    language: re.compile(rf"(?<!\w)(?:{terms}){_ENDINGS.get(language, '')}(?!\w)")
    for language, terms in _TERMS.items()
}


def forbidden(text: str) -> str | None:
    """The first forbidden term in a text, in whichever language; None when there is none."""
    plain = normalise(text)
    found = (pattern.search(plain) for pattern in _PATTERNS.values())
    return next((match[0] for match in found if match), None)
