"""A webhook goes to the public internet and nowhere else, however the address is spelt (N-06)."""

import pytest

from services.errors import Invalid
from services.webhooks.webhook_targets import checked_url, is_here_or_public, is_public

SPELLINGS = """
https://127.0.0.1/ https://127.1/ https://127.0.1/ https://2130706433/ https://017700000001/
https://0x7f000001/ https://0x7f.0.0.1/ https://0x7f.1/ https://0177.0.0.1/ https://0177.1/
https://127.0.0.1./ https://127.000.000.001/ https://127.255.255.254/ https://0.0.0.0/ https://0/
https://0x0/ https://00000000/ https://localhost/ https://LOCALHOST/ https://localhost./
https://a.localhost/ https://printer.local/ https://metadata.google.internal/ https://router.home.arpa/
https://intranet/ https://10.0.0.1/ https://10.255.255.255/ https://012.0.0.1/ https://0xa000001/
https://167772161/ https://172.16.0.1/ https://172.31.255.255/ https://192.168.0.1/ https://192.168.1/
https://169.254.169.254/ https://169.254.169.254:443/latest/ https://2852039166/ https://0xa9fea9fe/
https://0251.0376.0251.0376/ https://100.64.0.1/ https://100.127.255.255/ https://192.0.0.1/
https://198.18.0.1/ https://192.0.2.1/ https://203.0.113.1/ https://192.88.99.1/ https://224.0.0.1/
https://239.255.255.250/ https://240.0.0.1/ https://255.255.255.255/ https://[::]/ https://[::1]/
https://[0:0:0:0:0:0:0:1]/ https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/ https://[::127.0.0.1]/
https://[::ffff:10.0.0.1]/ https://[::ffff:0:127.0.0.1]/ https://[64:ff9b::127.0.0.1]/
https://[64:ff9b::a9fe:a9fe]/ https://[64:ff9b:1::a00:1]/ https://[2002:7f00:1::]/
https://[2001:0:7f00:1::]/ https://[fc00::1]/ https://[fd12:3456::1]/ https://[fe80::1]/
https://[fe80::1%25eth0]/ https://[fec0::1]/ https://[ff02::1]/ https://[2001:db8::1]/
https://[100::1]/ https://[3fff::1]/ https://[5f00::1]/
https://user@127.0.0.1/ https://example.org@127.0.0.1/ https://127.0.0.1%2f@example.org/
https://example.org#@127.0.0.1/ https://127.0.0.1\\@example.org/ https://①②⑦.⓪.⓪.①/
https://１２７.0.0.1/ https://127。0。0。1/ https://%31%32%37.0.0.1/ https://127.0.0.1%00.example.org/
http://example.org/ ftp://example.org/ file:///etc/passwd gopher://example.org/ //example.org/
https:/// https://[::1 https://example.org:0/ https://example.org:99999/ javascript:alert(1)
""".split()  # fmt: skip


def test_the_list_is_long_enough() -> None:
    assert len(set(SPELLINGS)) >= 60


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_our_own_house_is_taken(spelling: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_url(spelling)
    assert refused.value.place == "url"


@pytest.mark.parametrize(
    "spelling", ["https://a b.example/", "https://a.example/\n", "https://é.example/"]
)
def test_odd_characters_are_refused(spelling: str) -> None:
    with pytest.raises(Invalid):
        checked_url(spelling)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://hooks.example.org:8443/homeline?key=1",
        "https://xn--mgberp4a5d4ar/hook".replace("ar/", "ar.example/"),
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]/hook",
    ],
)
def test_ordinary_addresses_are_taken_as_they_are(url: str) -> None:
    assert checked_url(url) == url


HERE = ["http://127.0.0.1:9000/hook", "http://localhost:9000/", "http://[::1]:9000/"]


@pytest.mark.parametrize("url", HERE)
def test_http_is_for_this_machine_in_development_alone(url: str) -> None:
    assert checked_url(url, development=True) == url
    with pytest.raises(Invalid, match="https://"):
        checked_url(url)
    with pytest.raises(Invalid):
        checked_url(url.replace("http", "https", 1), development=True)


OURS = {"localhost", "LOCALHOST", "[::1]", "[0:0:0:0:0:0:0:1]", "127.0.0.1"}


@pytest.mark.parametrize("spelling", [*SPELLINGS, "http://a.localhost/", "http://8.8.8.8/"])
def test_development_opens_no_other_way_home_nor_sends_in_the_clear(spelling: str) -> None:
    for url in {spelling, spelling.replace("https:", "http:")} - {f"http://{one}/" for one in OURS}:
        with pytest.raises(Invalid):
            checked_url(url, development=True)


def test_the_problem_says_what_http_is_for() -> None:
    with pytest.raises(
        Invalid, match=r"http is for this machine alone, as http://127\.0\.0\.1:9000/"
    ):
        checked_url("http://example.org/", development=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "8.8.8.8"])
def test_in_development_this_machine_and_the_internet_are_reached(address: str) -> None:
    assert is_here_or_public(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"]
)
def test_in_development_no_other_house_is_reached(address: str) -> None:
    assert not is_here_or_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "193.0.6.139"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["", "example.org", "1.2.3", "fe80::1%eth0", "::ffff:8.8.8.8"])
def test_what_is_no_plain_public_address_is_not(address: str) -> None:
    assert not is_public(address)
