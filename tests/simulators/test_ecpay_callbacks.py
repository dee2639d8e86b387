"""Callbacks: the check value, who is called, what is tried again, and what may go wrong."""

from __future__ import annotations

import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulators.ecpay import Simulator
from simulators.ecpay.mac import check_mac_value
from tests.simulators.ecpay_client import IV, KEY, Client, delayed, issued, online
from tests.simulators.receiver import Receiver

# ECPay developers page 38242
OFFICIAL = {
    "RtnCode": "1",
    "RtnMsg": "",
    "IA_Allow_No": "1909181313013546",
    "IA_Invoice_No": "UV11100019",
    "IA_Date": "2019-09-18 13:13:23",
    "IIS_Remain_Allowance_Amt": "0",
}


def mac(form: dict[str, str]) -> str:
    """The check value, spelt out step by step for the characters that occur here."""
    names = sorted(set(form) - {"CheckMacValue"}, key=str.lower)
    text = f"HashKey={KEY}&" + "".join(f"{name}={form[name]}&" for name in names) + f"HashIV={IV}"
    for character, code in (("=", "%3d"), ("&", "%26"), (":", "%3a"), (" ", "+")):
        text = text.replace(character, code)
    return hashlib.md5(text.lower().encode()).hexdigest().upper()  # noqa: S324 - the protocol's own digest


def test_official_vector() -> None:
    """The published fields give the published value, whatever their order and whatever value came with them."""
    assert check_mac_value(OFFICIAL, KEY, IV) == "50A276E71DAE26343013958B405EEEA0" == mac(OFFICIAL)
    shuffled = {"CheckMacValue": "x", **dict(reversed(OFFICIAL.items()))}
    assert check_mac_value(shuffled, KEY, IV) == mac(OFFICIAL)
    assert check_mac_value({**OFFICIAL, "RtnMsg": "x"}, KEY, IV) != mac(OFFICIAL)


@pytest.fixture
def asked(client: Client, receiver: Receiver) -> str:
    """An online allowance of 30 of 100 that waits for the buyer."""
    number, at = issued(client, "CB")
    answer = client.call("AllowanceByCollegiate", **online(number, at, 30, ReturnURL=receiver.url))
    return str(answer.data["IA_Allow_No"])


def test_consent_is_told_before_agree_returns(sim: Simulator, asked: str, receiver: Receiver) -> None:
    """Also in the lenient profile; with a true check value; nothing is posted before."""
    assert receiver.forms == []
    sim.agree(asked)
    (form,) = receiver.forms
    assert form["CheckMacValue"] == mac(form)
    assert (form["RtnCode"], form["RtnMsg"], form["IA_Allow_No"]) == ("1", "", asked)
    assert (form["IIS_Remain_Allowance_Amt"], form["IA_Invoice_No"]) == ("70", sim.invoices()[0]["number"])
    (told,) = sim.callbacks()
    assert (told["op"], told["relate"], told["state"]) == ("AllowanceByCollegiate", "CB", "delivered")
    assert told["form"] == form


def test_tried_again_until_the_answer_is_exact(sim: Simulator, asked: str, receiver: Receiver) -> None:
    """Anything but ``1|OK`` is asked again after a while of the simulator's time, with the same form."""
    receiver.answers = ["OK", "1|OK\n", "1|OK"]
    sim.agree(asked)
    assert (len(receiver.forms), sim.callbacks()[0]["state"]) == (1, "waiting")
    sim.move_clock(advance_s=899)
    assert len(receiver.forms) == 1
    sim.move_clock(advance_s=86400)
    assert receiver.forms == [receiver.forms[0]] * 3
    (told,) = sim.callbacks()
    assert (told["state"], [attempt["answer"] for attempt in told["attempts"]]) == (
        "delivered",
        ["OK", "1|OK\n", "1|OK"],
    )
    assert sim.pending() == []


def test_given_up_after_four_attempts(sim: Simulator, asked: str, receiver: Receiver) -> None:
    """Nobody listens: four attempts, then never again; the allowance is in force all the same."""
    receiver.close()
    sim.agree(asked)
    sim.move_clock(advance_s=10 * 86400)
    (told,) = sim.callbacks()
    assert (told["state"], [attempt["status"] for attempt in told["attempts"]]) == ("given up", [None] * 4)
    assert [one["number"] for one in sim.allowances()] == [asked]


def test_a_silent_receiver_is_left_after_the_timeout(sim: Simulator, client: Client) -> None:
    """It accepts and says nothing: an attempt without a status, and the simulator goes on."""
    sim.settings({"callback_timeout_s": 0.05, "callback_attempts": 1})
    number, at = issued(client, "SL")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        made = client.call("AllowanceByCollegiate", **online(number, at, 30, ReturnURL=url)).data["IA_Allow_No"]
        sim.agree(made)
    (told,) = sim.callbacks()
    assert (told["state"], told["attempts"][0]["answer"]) == ("given up", "TimeoutError")


def test_consents_of_many_at_once(sim: Simulator, client: Client, receiver: Receiver) -> None:
    """Every buyer's callback is posted exactly once, and nobody agrees twice."""
    number, at = issued(client, "MANY")
    made = [
        client.call("AllowanceByCollegiate", **online(number, at, 5, ReturnURL=receiver.url)).data["IA_Allow_No"]
        for _ in range(20)
    ]
    with ThreadPoolExecutor(10) as pool:
        seen = list(
            pool.map(lambda no: client.control("POST", f"online-allowances/{no}", {"agree": True})[0], made * 2)
        )
    assert sorted(seen) == [200] * 20 + [400] * 20
    assert sorted(form["IA_Allow_No"] for form in receiver.forms) == sorted(made)
    assert sim.invoices()[0]["living"] is False


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.1/x",
        "http://example.com/x",
        "https://127.0.0.1/x",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://127.0.0.1:99999/",
        "file:///etc/hosts",
        "//127.0.0.1/",
        "nonsense",
    ],
)
def test_only_this_machine_is_called(sim: Simulator, client: Client, url: str) -> None:
    """Nothing else is contacted, and the record says so."""
    number, at = issued(client, "LB")
    made = client.call("AllowanceByCollegiate", **online(number, at, 30, ReturnURL=url)).data["IA_Allow_No"]
    sim.agree(made)
    assert [(one["state"], one["attempts"]) for one in sim.callbacks()] == [("not sent", [])]


def test_faults_of_callbacks(sim: Simulator, client: Client, receiver: Receiver) -> None:
    """Lost, late, twice, and after a forged one: each meets the callback it is ordered for, and no call."""
    number, at = issued(client, "FC", SalesAmount=100)
    made = [
        client.call("AllowanceByCollegiate", **online(number, at, 10, ReturnURL=receiver.url)).data["IA_Allow_No"]
        for _ in range(4)
    ]
    sim.fault("callback_lost", relate="fc")
    sim.agree(made[0])
    assert (receiver.forms, sim.callbacks()[0]["reason"]) == ([], "callback_lost")
    sim.fault("callback_late", op="AllowanceByCollegiate", seconds=600)
    sim.agree(made[1])
    assert receiver.forms == []
    sim.move_clock(advance_s=601)
    assert len(receiver.forms) == 1
    sim.fault("callback_duplicate", invoice_no=number)
    sim.agree(made[2])
    assert receiver.forms[1] == receiver.forms[2]
    sim.fault("callback_forged")
    sim.agree(made[3])
    false, true = receiver.forms[3:]
    assert (false["CheckMacValue"] == mac(false), true["CheckMacValue"] == mac(true)) == (False, True)
    assert [one["forged"] for one in sim.callbacks()] == [False, False, False, False, True, False]
    assert [fault["met"] for fault in sim.faults()] == [1, 1, 1, 1]
    assert all(not call["faults"] for call in sim.calls())


def test_forged_callbacks_without_a_cause(sim: Simulator, client: Client, receiver: Receiver) -> None:
    """Somebody posts although nothing happened; what is there does not change."""
    number, at = issued(client, "FG")
    made = client.call("AllowanceByCollegiate", **online(number, at, 10, ReturnURL=receiver.url)).data["IA_Allow_No"]
    client.call("DelayIssue", **delayed("FD", NotifyURL=receiver.url))
    assert client.control("POST", f"online-allowances/{made}", {"forge_callback": True})[0] == 200
    assert client.control("POST", "delayed/T-FD", {"forge_callback": True})[0] == 200
    consent, issue = receiver.forms
    assert consent["CheckMacValue"] != mac(consent)
    assert (issue["tsr"], issue["invoicenumber"], issue["inv_error"]) == ("T-FD", "ZZ99999999", "")
    assert client.call("GetIssue", RelateNumber="FD").code == 2
    assert (sim.online_allowances()[0]["state"], sim.delayed()[0]["state"]) == ("waiting", "waiting")
    assert client.control("POST", "delayed/none", {"forge_callback": True})[0] == 404
    assert client.control("POST", "delayed/T-FD", {})[0] == 400
    client.call("DelayIssue", **delayed("FE"))
    assert client.control("POST", "delayed/T-FE", {"forge_callback": True})[0] == 400


def test_receiver_may_ask_before_it_answers(sim: Simulator, client: Client, asked: str) -> None:
    """A careful merchant looks at the invoice while the callback waits; the simulator is not locked meanwhile."""
    seen: list[str] = []

    class Asking(list[str]):
        def __len__(self) -> int:
            found = client.call("GetAllowanceList", SearchType="0", AllowanceNo=asked).data
            seen.append(found["AllowanceInfo"][0]["IA_Invalid_Status"])
            return 1

    receiver = Receiver()
    receiver.answers = Asking(["1|OK"])
    sim.world.requests["2000132", asked].return_url = receiver.url
    sim.agree(asked)
    receiver.close()
    assert (seen, sim.callbacks()[0]["state"]) == (["0"], "delivered")


def test_callbacks_over_http(client: Client, sim: Simulator, asked: str) -> None:
    """The control API lists them; a reset forgets them and the attempts to come."""
    sim.world.requests["2000132", asked].return_url = "http://127.0.0.1:9/"
    sim.agree(asked)
    assert client.control("GET", "callbacks")[1]["callbacks"] == sim.callbacks()
    assert sim.callbacks()[0]["state"] == "waiting"
    sim.reset()
    assert (sim.callbacks(), sim.online_allowances(), sim.delayed()) == ([], [], [])
    settings = {"callback_attempts": 1, "callback_retry_s": 60, "delayed_issue_s": 0, "allocation": False}
    assert client.control("POST", "settings", settings)[1]["callback_attempts"] == 1
    for wrong in ({"callback_attempts": 0}, {"callback_attempts": True}, {"callback_retry_s": "x"}, {"allocation": 1}):
        assert client.control("POST", "settings", wrong)[0] == 400
