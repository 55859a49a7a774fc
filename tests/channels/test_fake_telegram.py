"""The fake Telegram redelivers, orders and forgets as the real one does."""

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from bot.channels import CHANNELS
from flows.inputs import Input, Pressed, Text
from tests.channels.receiver import Receiver
from tests.channels.views import SECRET, TOKEN, view
from tests.fakes.crowd import Crowd, Seen
from tests.fakes.hooks import Shake
from tests.fakes.server import require_loopback
from tests.fakes.telegram import FakeTelegram

TELEGRAM = CHANNELS["telegram"]


@pytest.fixture
def app() -> Iterator[Receiver]:
    with Receiver() as app:
        yield app


@pytest.fixture
def fake(app: Receiver) -> Iterator[FakeTelegram]:
    with FakeTelegram(speed=200) as fake:
        fake.bot(TOKEN)
        call(fake, "setWebhook", url=f"{app.url}/hook", secret_token=SECRET, max_connections=40)
        yield fake


def call(fake: FakeTelegram, method: str, **fields: object) -> dict[str, object]:
    request = Request(
        f"{fake.url}/bot{TOKEN}/{method}", json.dumps(fields).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urlopen(request, timeout=5) as answer:
        result: dict[str, object] = json.loads(answer.read())
        return result


def inputs(app: Receiver) -> list[Input | None]:
    channel, found = view("telegram"), []
    for request in app.requests:
        TELEGRAM.verify(channel, request)
        found += [arrival.input for arrival in TELEGRAM.parse(channel, request)]
    return found


def test_what_people_say_arrives_in_order_with_the_secret(
    fake: FakeTelegram, app: Receiver
) -> None:
    person = fake.person()
    for number in range(5):
        person.send(str(number))
    app.wait_for(5)
    assert inputs(app) == [Text(str(number)) for number in range(5)]


def test_a_refused_update_holds_up_its_chat_and_nobody_else(
    fake: FakeTelegram, app: Receiver
) -> None:
    app.plan.statuses = [500, 500, 500, 200]
    person = fake.person()
    person.send("first")
    person.send("second")
    app.wait_for(5)
    assert inputs(app) == [Text("first")] * 4 + [Text("second")]


def test_a_retry_after_of_ours_is_honoured(fake: FakeTelegram, app: Receiver) -> None:
    app.plan.statuses = [503, 200]
    app.plan.headers = {"Retry-After": "20"}
    bot = fake.bot(TOKEN)
    fake.person().send("x")
    fake.wait_until(lambda: len(bot.deliveries) == 2)
    first, second = bot.deliveries
    assert second.at - first.at >= 20


def test_a_tap_is_given_up_when_it_is_too_old(fake: FakeTelegram, app: Receiver) -> None:
    person = fake.person()
    person.send("hello")
    app.wait_for(1)
    app.plan.statuses = [500]
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "p"}]]}
    call(fake, "sendMessage", chat_id=person.id, text="?", reply_markup=markup)
    person.tap("Yes")
    app.wait_for(3)
    fake.clock.advance(200)
    fake.wait_until(lambda: fake.metrics()["updates_waiting"] == 0)
    assert inputs(app)[-1] == Pressed("p")


def test_a_method_in_our_answer_is_carried_out(fake: FakeTelegram, app: Receiver) -> None:
    person = fake.person()
    person.send("hello")
    app.wait_for(1)
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "p"}]]}
    call(fake, "sendMessage", chat_id=person.id, text="?", reply_markup=markup)
    query = fake.run(fake.next_query)
    query = str(int(query) + 1)
    app.plan.body = json.dumps(
        {"method": "answerCallbackQuery", "callback_query_id": query}
    ).encode()
    assert person.tap("Yes") == query
    fake.wait_until(lambda: fake.bot(TOKEN).taps[query][1])


def test_deliveries_come_again_when_shaken(fake: FakeTelegram, app: Receiver) -> None:
    fake.courier.shake = Shake(again=1.0, most=4, spread=2.0)
    people = [fake.person() for _ in range(10)]
    for person in people:
        person.send("hello")
    app.wait_for(40)
    receipts = [
        arrival.receipt
        for request in app.requests
        for arrival in TELEGRAM.parse(view("telegram"), request)
    ]
    assert len(set(receipts)) == 10
    assert all(receipts.count(receipt) == 4 for receipt in set(receipts))


def test_one_chat_gets_a_message_a_second_after_a_burst_of_three(fake: FakeTelegram) -> None:
    person = fake.person()
    person.send("hello")
    fake.clock.set_speed(0.001)
    for _ in range(3):
        call(fake, "sendMessage", chat_id=person.id, text="x")
    with pytest.raises(Exception, match="429"):
        call(fake, "sendMessage", chat_id=person.id, text="x")
    fake.clock.advance(1)
    call(fake, "sendMessage", chat_id=person.id, text="x")
    assert len(person.bubbles) == 4


def test_a_crowd_answers_by_itself(fake: FakeTelegram, app: Receiver) -> None:
    crowd = Crowd(fake, think=(0.0, 5.0), seed=3)

    def answer(seen: Seen) -> tuple[str, str] | None:
        return ("tap", seen.labels[0]) if seen.labels else None

    people = [fake.person() for _ in range(20)]
    for person in people:
        crowd.join(person, answer)
    crowd.begin(lambda person: person.send("/start"))
    app.wait_for(20)
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "p"}]]}
    for person in people:
        call(fake, "sendMessage", chat_id=person.id, text="?", reply_markup=markup)
    app.wait_for(40)
    assert inputs(app).count(Pressed("p")) == 20


def test_another_process_can_play_with_it(fake: FakeTelegram, app: Receiver) -> None:
    def control(path: str, body: object) -> object:
        request = Request(f"{fake.url}/__fake__/{path}", json.dumps(body).encode())
        with urlopen(request, timeout=5) as answer:
            return json.loads(answer.read())

    control("inject", {"person": 77, "do": "send", "with": ["hello"]})
    app.wait_for(1)
    assert inputs(app) == [Text("hello")]
    control("script", [{"match": {"method": "sendmessage"}, "fault": {"kind": "html_502"}}])
    with pytest.raises(Exception, match="502"):
        call(fake, "sendMessage", chat_id=77, text="x")
    control("clock", {"advance": 86400})
    control("reset", {})
    call(fake, "sendMessage", chat_id=77, text="x")
    with urlopen(f"{fake.url}/__fake__/metrics", timeout=5) as answer:
        assert json.loads(answer.read())["ledger"] == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "8.8.8.8", "::"])
def test_no_fake_leaves_the_machine(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        require_loopback(host)
    with pytest.raises(ValueError, match="loopback"):
        FakeTelegram(host=host)


def test_both_run_as_a_program() -> None:
    command = [sys.executable, "-m", "tests.fakes", "--no-limits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        words = program.stdout.readline().split()
        with urlopen(f"{words[1]}/bot5:abc/getMe", timeout=5) as answer:
            assert json.loads(answer.read())["result"]["id"] == 5
        program.terminate()
        assert program.wait(10) == 0
