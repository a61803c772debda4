from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.sweep.parameter import Kind, Parameter, file_name, is_number, parameters_of


def one(text: str, **own: int | float | str) -> Parameter:
    (parameter,) = parameters_of([text], own)
    return parameter


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("loss=0,1,2.5,5%", Kind.LINK, (0, 1, 2.5, 5)),
        ("client>server:loss=1", Kind.LINK, (1,)),
        ("delay=20,1.5s,500us", Kind.LINK, (20, "1.5s", "500us")),
        ("congestion=reno, cubic", Kind.SYSCTL, ("reno", "cubic")),
        ("net.ipv4.tcp_sack=0,1", Kind.SYSCTL, (0, 1)),
        ("server:net.ipv4.tcp_rmem=4096 87380 99999", Kind.SYSCTL, ("4096 87380 99999",)),
        ("family=4,6", Kind.FAMILY, (4, 6)),
        ("trace=none,ptrace", Kind.TRACE, ("none", "ptrace")),
        ("wire=none,client>server drop SYN 1", Kind.RULE, ("none", "client>server drop SYN 1")),
        (
            "wire=client>server drop bpf 'tcp[13] = 2, 3'",
            Kind.RULE,
            ("client>server drop bpf 'tcp[13] = 2, 3'",),
        ),
    ],
)
def test_a_parameter_is_what_its_name_says(
    text: str, kind: Kind, values: tuple[object, ...]
) -> None:
    parameter = one(text)
    assert (parameter.kind, parameter.values) == (kind, values)
    assert parameter.name == text.partition("=")[0]


def test_a_way_stands_before_what_a_link_does() -> None:
    assert (one("client>server:loss=1").way, one("client>server:loss=1").of_link) == (
        "client>server",
        "loss",
    )
    assert one("loss=1").way == ""


def test_congestion_is_a_sysctl_by_a_shorter_name() -> None:
    assert one("congestion=reno").sysctl == "net.ipv4.tcp_congestion_control"
    assert one("server:net.ipv4.tcp_sack=0").sysctl == "server:net.ipv4.tcp_sack"


def test_a_scenarios_own_parameter_has_the_type_of_its_default() -> None:
    assert one("hosts=2,4", hosts=3) == Parameter("hosts", Kind.OWN, (2, 4))
    assert one("word=2", word="a").values == ("2",)
    assert one("share=1,0.5", share=0.1).values == (1, 0.5)
    for words in ("hosts=two", "hosts=2.5"):
        with pytest.raises(UsageError, match="is not a whole number, as 3 is"):
            one(words, hosts=3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["los=1"], "there is no parameter 'los'; did you mean 'loss'?"),
        (["congestoin=reno"], "did you mean 'congestion'?"),
        (["zzz=1"], "there are: rate, queue, delay"),
        (["loss"], "write NAME=VALUE,VALUE"),
        (["=1"], "write NAME=VALUE,VALUE"),
        (["loss="], "has an empty value"),
        (["loss=1,,2"], "has an empty value"),
        (["loss=1,2,1"], "has the value 1 twice"),
        (["loss=1", "loss=2"], "is there twice"),
        (["family=5"], "no IP version"),
        (["trace=ptrac"], "did you mean 'ptrace'?"),
        (["queue=5"], "a queue is that of a rate; give rate too"),
        (["a>b:queue=5", "rate=1M"], "give a>b:rate too"),
    ],
)
def test_what_is_wrong_is_refused_with_what_was_meant(words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parameters_of(words, {})
    assert said in str(caught.value)


def test_an_unknown_name_may_have_been_a_scenarios_own() -> None:
    with pytest.raises(UsageError, match="did you mean 'kilobytes'"):
        one("kilobyte=5", kilobytes=1)


def test_values_that_are_all_numbers_have_a_distance() -> None:
    assert is_number(one("loss=0,1.5"))
    assert not is_number(one("delay=0,1.5s"))


def test_a_parameter_is_called_with_the_unit_of_plain_numbers() -> None:
    said = [one(each).words for each in ("loss=1", "a>b:delay=5", "delay=5,1s", "family=4")]
    assert said == ["loss, %", "a>b:delay, ms", "delay", "family"]


def test_a_file_name_has_no_strange_letters() -> None:
    assert file_name("goodput-wire=a>b drop SYN/é.svg") == "goodput-wire=a_b_drop_SYN_.svg"
