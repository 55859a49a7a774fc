"""The words a person may send anywhere, per language; data for `keywords`.

The STOP list is long on purpose and matched whole. Languages beyond the shipped five are a draft
from public lists and wait for a native reader.
"""

from typing import Final

STOP: Final = {
    "en": "stop stopall unsubscribe cancel end quit revoke optout remove stop_all opt_out"
    " opt_me_out stop_it stop_messages stop_sms stop_now",
    "fr": "arret arrete arreter arretez arrett desabonner desabonnement desinscription"
    " desinscrire stop_tout stop_sms stopper stoppez ne_plus_recevoir",
    "es": "alto baja parar cancelar basta darme_de_baja dar_de_baja detener parar_mensajes",
    "pt": "sair parar cancelar pare descadastrar parar_mensagens",
    "ar": "توقف إيقاف إلغاء أوقف قف الغاء_الاشتراك وقف وقف_الرسائل أوقف_الرسائل كفى كلمة_stop",
    "de": "stopp abmelden",
    "ru": "стоп отписаться",
    "tr": "dur iptal",
    "sw": "acha sitisha",
    "hi": "रोको बंद",
    "am": "አቁም",
}
BY_PROVIDERS: Final = "stop stopall unsubscribe cancel end quit revoke optout arret arrete arrett"
"""The words of STOP that an SMS provider takes and confirms by itself."""
AMBIGUOUS: Final = (
    "end cancel quit info baja dur basta remove revoke alto cancelar parar sair iptal إلغاء acha"
    " arret pare बंद"
)
"""Words that may also be an answer; where the provider has not decided, the person is asked."""

OTHERS: Final = {
    "start": {
        "en": "start unstop",
        "fr": "demarrer reprendre commencer",
        "es": "empezar iniciar",
        "pt": "iniciar comecar",
        "ar": "ابدأ بدء",
    },
    "help": {
        "en": "help info",
        "fr": "aide",
        "es": "ayuda",
        "pt": "ajuda",
        "ar": "مساعدة",
        "de": "hilfe",
        "ru": "помощь",
        "tr": "yardim",
        "sw": "msaada",
        "am": "እርዳታ",
    },
    "menu": {
        "en": "menu",
        "fr": "menu",
        "es": "menu",
        "pt": "menu",
        "ar": "القائمة قائمة كلمة_القائمة",
    },
    "delete": {
        "en": "delete erase delete_me erase_me delete_everything forget_me",
        "fr": "supprimer effacer supprime efface supprimez effacez tout_effacer",
        "es": "borrar eliminar borra",
        "pt": "apagar excluir eliminar",
        "ar": "حذف احذف امسح مسح كلمة_حذف محو",
    },
    "privacy": {
        "en": "privacy",
        "fr": "confidentialite vie_privee",
        "es": "privacidad",
        "pt": "privacidade",
        "ar": "الخصوصية خصوصية",
    },
    "mydata": {
        "en": "mydata my_data my_answers",
        "fr": "mesdonnees mes_donnees mes_reponses",
        "es": "misdatos mis_datos mis_respuestas",
        "pt": "meusdados meus_dados minhas_respostas",
        "ar": "بياناتي اجوبتي",
    },
    "change": {
        "en": "change correct",
        "fr": "changer modifier corriger",
        "es": "cambiar corregir",
        "pt": "mudar alterar corrigir",
        "ar": "تغيير تعديل غير",
    },
    "person": {
        "en": "person a_person human agent reach_a_person talk_to_a_person speak_to_a_person"
        " real_person",
        "fr": "personne une_personne humain quelqu'un parler_a_quelqu'un parler_a_une_personne",
        "es": "persona una_persona alguien humano hablar_con_alguien hablar_con_una_persona",
        "pt": "pessoa uma_pessoa alguem humano falar_com_alguem falar_com_uma_pessoa",
        "ar": "شخص موظف كلمة_موظف موظفة التحدث_مع_شخص التحدث_مع_موظف اريد_موظفا اريد_موظف",
    },
    "language": {
        "en": "language languages",
        "fr": "langue langues",
        "es": "idioma idiomas lengua",
        "pt": "idioma idiomas lingua",
        "ar": "لغة اللغة",
    },
    "less": {
        "en": "less_often fewer_messages less_messages",
        "fr": "moins_souvent moins_de_messages",
        "es": "menos_veces menos_mensajes",
        "pt": "menos_vezes menos_mensagens",
        "ar": "رسائل_أقل رسائل_اقل",
    },
    "restart": {
        "en": "restart start_again start_over",
        "fr": "recommencer",
        "es": "reiniciar empezar_de_nuevo",
        "pt": "recomecar reiniciar",
        "ar": "إعادة من_جديد",
    },
    "relay": {
        "en": "relay pass_on",
        "fr": "relais relayer",
        "es": "relevo reenviar",
        "pt": "repassar",
        "ar": "تمرير مرر",
    },
}
JOIN: Final = {
    "en": "join",
    "fr": "rejoindre joindre",
    "es": "unirse unirme",
    "pt": "entrar",
    "ar": "انضم انضمام",
}
OPTED_OUT_START: Final = {"en": "yes", "fr": "oui", "es": "si", "pt": "sim", "ar": "نعم"}

SENTENCES: Final = {
    "en": (
        r"\bstop (?:(?:texting|messaging|writing|contacting|bothering|spamming|sending)\b"
        r"|(?:the |these |those |your |all )?(?:messages?|texts?|sms|spam)\b)"
        r"|\bplease stop\b|\bstop (?:it|this|that|now|please)\b"
        r"|\bunsubscribe\b|\bopt (?:me )?out\b"
        r"|\b(?:don t|do not|never|no longer)(?: ever)? (?:text|message|contact|write(?: to)?|send)"
        r"(?: me\b| us\b| any| more\b)"
        r"|\bleave me alone\b|\bno more (?:messages?|texts?|sms)\b"
        r"|\b(?:take|remove) me (?:off|from)\b|\bremove my number\b"
    ),
    "fr": (
        r"\b(?:arretez?|cessez|cesse|stoppez) (?:de |d |tout|les? |ces? |vos |svp|s il)"
        r"|\bstop (?:aux? |les |svp|s il|merci)|\bn ?e? ?m ecri(?:vez|s) plus\b"
        r"|\bne (?:me |m |nous )?(?:contactez|ecrivez|envoyez|texto?ez|derangez) (?:plus|pas)\b"
        r"|\b(?:laissez|fichez) moi (?:tranquille|la paix)\b|\bplus de (?:messages?|sms|textos?)\b"
        r"|\b(?:me|se) desabonner\b|\bdesabonnez moi\b|\bdesinscri(?:re|vez)\b"
        r"|\b(?:retirez|supprimez|enlevez) (?:moi|mon numero)\b"
    ),
    "es": (
        r"\b(?:dejen?|pare?n?|basta) de (?:escribir|mandar|enviar|molestar|contactar)"
        r"|\bno (?:me |nos )?(?:escriban?|escribas|manden?|mandes|envien?|envies|contacten?|"
        r"molesten?) mas\b|\bno quiero (?:mas |recibir )|\bdarme? de baja\b|\bdenme de baja\b"
        r"|\bno mas (?:mensajes|sms)\b|\bpor favor (?:pare|paren|basta|alto)\b"
        r"|\bborren mi numero\b"
    ),
    "pt": (
        r"\b(?:parem?|deixem?) de (?:me )?(?:escrever|enviar|mandar|contatar|contactar|incomodar)"
        r"|\bnao (?:me )?(?:escrevam?|mandem?|enviem?|contatem?|contactem?|incomodem?) mais\b"
        r"|\bnao quero (?:mais |receber )|\bchega de (?:mensagens|sms)\b"
        r"|\bpor favor,? parem?\b|\bsem mais mensagens\b|\b(?:tirem|removam) meu numero\b"
    ),
    "ar": (
        r"(?:توقفوا|توقف|اوقفوا|اوقف|كفوا|كفي|وقفوا) (?:عن|ارسال|الرسائل|مراسلتي|هذه)"
        r"|لا (?:ترسلوا|ترسل|تراسلوني|تراسلني|تكتبوا|تتصلوا|تبعثوا|تزعجوني)"
        r"|لا اريد (?:رسائل|المزيد|اي رسائل|استلام|تلقي)|(?:الغوا|الغاء) (?:اشتراكي|الاشتراك)"
        r"|(?:احذفوا|ازيلوا) رقمي"
    ),
}
"""Sentences that ask us to stop, on normalised text. They are asked about, never ignored."""

HELLO: Final = {
    "en": "hello hi hey hallo helo hiya howdy good_morning good_afternoon good_evening good_day"
    " greetings hello_there hi_there hey_there yo morning how_are_you hello_how_are_you"
    " hi_how_are_you",
    "fr": "bonjour bonsoir salut coucou bjr bsr slt bonjour_madame bonjour_monsieur bonne_journee"
    " bonjour_a_tous allo bonjour_comment_allez_vous comment_ca_va ca_va",
    "es": "hola buenas buenos_dias buenas_tardes buenas_noches holi saludos que_tal hola_que_tal"
    " buen_dia hola_buenos_dias hola_buenas_tardes hola_buenas_noches",
    "pt": "ola oi bom_dia boa_tarde boa_noite oie ola_bom_dia oi_tudo_bem ola_tudo_bem tudo_bem"
    " ola_boa_tarde ola_boa_noite",
    "ar": "مرحبا اهلا السلام_عليكم سلام السلام_عليكم_ورحمه_الله سلام_عليكم اهلين هلا صباح_الخير"
    " مساء_الخير تحيه السلام_عليكم_ورحمه_الله_وبركاته اهلا_وسهلا مرحبتين هاي هلو",
    "de": "guten_tag guten_morgen guten_abend moin servus gruezi",
    "it": "ciao buongiorno buonasera salve",
    "sw": "jambo habari hujambo mambo shikamoo",
    "so": "salaan asc iska_warran",
    "am": "ሰላም ጤና_ይስጥልኝ",
    "tr": "merhaba selam selamun_aleykum",
    "ru": "привет здравствуйте добрый_день",
    "hi": "नमस्ते namaste namaskar नमस्कार",
    "ur": "السلام_علیکم salam salaam assalamualaikum assalam_alaikum assalamu_alaikum"
    " as_salamu_alaykum salam_alaikum salamalekum asalam_aleikum",
    "zu": "sawubona molo dumela",
    "zh": "你好 您好",
}
"""Greetings, matched whole: no answer to anything."""

RIGHT: Final = (
    "that_is_right right correct oui_c'est_cela exact eso_es correcto isso_mesmo certo"
    " نعم_هذا_هو صحيح yes_i_do oui_j'y_vis si_vivo_ahi sim_vivo_la نعم_اعيش_فيه"
)
WRONG: Final = (
    "no_i_try_again wrong non_je_recommence faux no_escribo_otra_vez escrevo_de_novo errado"
    " لا_ساكتب_ثانية خطا another_country un_autre_pays otro_pais outro_pais بلد_اخر"
)
"""What people press or type to "Did you mean?", beside yes and no."""

INSIDE: Final = {
    "back": {
        "en": "back go_back previous",
        "fr": "retour precedent",
        "es": "atras volver anterior",
        "pt": "voltar anterior",
        "ar": "رجوع السابق ارجع عودة",
    },
    "skip": {
        "en": "skip pass next",
        "fr": "passer sauter",
        "es": "saltar omitir pasar",
        "pt": "pular saltar",
        "ar": "تخطي تخط تجاوز",
    },
    "more": {
        "en": "more show_more",
        "fr": "plus voir_plus",
        "es": "mas ver_otras",
        "pt": "mais ver_outras",
        "ar": "المزيد اكثر عرض_المزيد",
    },
}
"""Words that only mean something while a question waits; the engine reads them."""
