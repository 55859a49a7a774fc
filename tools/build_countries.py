"""Writes flows/library/countries.json and country_names.tsv from CLDR; run by hand.

    python tools/build_countries.py

The first holds names to show, in the shipped languages; the second what a country is called in
every language of the CLDR data inside Babel, normalised, with codes of three letters. The
names are Unicode CLDR data, (c) Unicode, Inc., under the Unicode License v3
(https://www.unicode.org/license.txt). The list `ALSO` of everyday names is our own.
"""

import json
import sys
from pathlib import Path

import babel
from babel import Locale, localedata
from babel.core import get_global

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from flows.normalising import normalise  # noqa: E402 - the path has to be set before

LANGUAGES = ("en", "fr", "es", "pt", "ar")
NOT_COUNTRIES = frozenset("AC AQ BV CP CQ DG EA EU EZ GS HM IC QO TA TF UM UN XA XB ZZ".split())
ALSO = {
    "AR": "argentine|الارجنتين",
    "AU": "oz|aussie|aus",
    "BE": "belgique|belgie|bruxelles",
    "BR": "brasil|bresil",
    "CH": "swiss|suisse|schweiz|svizzera|suiza",
    "DE": "deutschland|allemagne|germania|alemania|almania",
    "ET": "abyssinia",
    "IE": "eire|republic of ireland|rep of ireland|southern ireland|irlande|roi",
    "NZ": "aotearoa|new zeland",
    "PH": "philippines|pinas|pilipinas",
    "PG": "png",
    "PT": "portugal continental",
    "SS": "south sudan|soudan du sud|جنوب السودان",
    "AE": "uae|emirates|eau|emirats|dubai|emiratos|الإمارات",
    "BA": "bosnia|bosnie|البوسنة",
    "BO": "bolivie|bolivia",
    "CD": "drc|d r c|r d c|dr congo|democratic republic of congo"
    "|republique democratique du congo|rdc|congo kinshasa|congo rdc|zaire|الكونغو الديمقراطية",
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
    target = ROOT / "flows" / "library" / "countries.json"
    target.write_text(text, encoding="utf-8")
    _write_names(codes, notice)
    print(f"{target}: {len(rows)} countries")


def _write_names(codes: list[str], notice: str) -> None:
    """Every name of every country in every language, a line a country."""
    found: dict[str, set[str]] = {code: set() for code in codes}
    for identifier in localedata.locale_identifiers():
        for code, name in Locale.parse(identifier).territories.items():
            plain = normalise(str(name))
            if code in found and len(plain) > 1:
                found[code].add(plain)
    for alias, targets in get_global("territory_aliases").items():
        if len(alias) == 3 and alias.isalpha() and len(targets) == 1 and targets[0] in found:
            found[targets[0]].add(alias.lower())
    lines = [f"# {notice}", *("\t".join((code, *sorted(found[code]))) for code in codes)]
    target = ROOT / "flows" / "library" / "country_names.tsv"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{target}: {sum(map(len, found.values()))} names")


if __name__ == "__main__":
    main()
