"""Writes flows/library/countries.json from the CLDR data inside Babel; run by hand.

    python tools/build_countries.py

The names are Unicode CLDR data, (c) Unicode, Inc., under the Unicode License v3
(https://www.unicode.org/license.txt). The list `ALSO` of everyday names is our own.
"""

import json
from pathlib import Path

import babel
from babel import Locale

LANGUAGES = ("en", "fr", "es", "pt", "ar")
NOT_COUNTRIES = frozenset("AC AQ BV CP CQ DG EA EU EZ GS HM IC QO TA TF UM UN XA XB ZZ".split())
ALSO = {
    "AE": "uae|emirates|eau|emirats|dubai|emiratos|الإمارات",
    "BA": "bosnia|bosnie|البوسنة",
    "BO": "bolivie|bolivia",
    "CD": "drc|dr congo|rdc|congo kinshasa|congo rdc|zaire|الكونغو الديمقراطية",
    "CF": "car|rca|centrafrique",
    "CG": "congo|congo brazzaville|republic of the congo|republique du congo",
    "CI": "ivory coast|cote d'ivoire|ساحل العاج",
    "CN": "china|chine",
    "CV": "cape verde|cap vert|cabo verde",
    "CZ": "czech republic|republique tcheque",
    "FM": "micronesia",
    "GB": "uk|great britain|britain|england|scotland|wales|northern ireland|angleterre|ecosse"
    "|grande bretagne|inglaterra|بريطانيا|انجلترا",
    "GM": "gambia|gambie",
    "GW": "guinea bissau|guinee bissau",
    "HK": "hong kong",
    "IR": "iran",
    "KP": "north korea",
    "KR": "korea|coree|كوريا",
    "LA": "laos",
    "LC": "st lucia",
    "MD": "moldova|moldavie",
    "MK": "macedonia|macedoine",
    "MM": "burma|birmanie",
    "MO": "macau|macao",
    "NL": "holland|hollande|holanda|هولندا",
    "PS": "palestine|palestina|فلسطين",
    "RU": "russia|russie",
    "SA": "ksa|saudi|arabie saoudite|السعودية",
    "SN": "senegal",
    "ST": "sao tome",
    "SY": "syria|syrie|سوريا",
    "SZ": "swaziland|eswatini",
    "TL": "east timor",
    "TR": "turkey|turquie|turquia|تركيا",
    "TT": "trinidad|tobago",
    "TZ": "tanzania|tanzanie",
    "US": "usa|us|america|united states of america|states|etats unis|amerique|eeuu|estados unidos"
    "|eua|أمريكا|امريكا",
    "VA": "vatican",
    "VN": "vietnam",
    "ZA": "south africa|rsa|afrique du sud|جنوب افريقيا",
}


def main() -> None:
    """Writes the file and prints how many countries it holds."""
    names: dict[str, dict[str, str]] = {
        language: {str(code): str(name) for code, name in Locale(language).territories.items()}
        for language in LANGUAGES
    }
    codes = sorted(
        code
        for code in names["en"]
        if len(code) == 2 and code.isalpha() and code not in NOT_COUNTRIES
    )
    rows = {
        code: {language: names[language][code] for language in LANGUAGES}
        | {"also": ALSO[code].split("|") if code in ALSO else []}
        for code in codes
    }
    notice = (
        f"Names: Unicode CLDR by way of Babel {babel.__version__}, (c) Unicode, Inc., "
        "Unicode License v3, https://www.unicode.org/license.txt; "
        "'also': our own. Made by tools/build_countries.py."
    )
    head = json.dumps(notice, ensure_ascii=False)
    lines = ",\n".join(
        f"    {json.dumps(code)}: {json.dumps(row, ensure_ascii=False)}"
        for code, row in rows.items()
    )
    text = f'{{\n  "notice": {head},\n  "countries": {{\n{lines}\n  }}\n}}\n'
    target = Path(__file__).parent.parent / "flows" / "library" / "countries.json"
    target.write_text(text, encoding="utf-8")
    print(f"{target}: {len(rows)} countries")


if __name__ == "__main__":
    main()
