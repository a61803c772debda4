from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lab.sweep.grid import Grid, Wanted
from lab.sweep.parameter import ParameterValue, parameters_of
from lab.wire.grammar import parse_rule


def links_of(scenario: str, own: Mapping[str, ParameterValue]) -> tuple[str, ...]:
    return tuple(f"h{n}-s1" for n in range(1, 1 + int(own.get("hosts", 1))))


def grid(*over: str, repeat: int = 1, scenarios: tuple[str, ...] = ("tcp",)) -> Grid:
    return Grid(scenarios, parameters_of(over, {"hosts": 1}), repeat)


def runs(made: Grid) -> list[Wanted]:
    return list(made.runs(links_of))


def test_every_scenario_meets_every_combination_so_many_times() -> None:
    made = grid("loss=0,1,2,5", "congestion=reno,cubic", repeat=3, scenarios=("tcp", "nagle"))
    every = runs(made)
    assert len(made) == len(every) == 2 * 4 * 2 * 3
    assert len({run.key for run in every}) == len(every)
    assert Counter(run.seed for run in every) == {1: 16, 2: 16, 3: 16}
    # All combinations come once before any comes again.
    assert [run.seed for run in every] == sorted(run.seed for run in every)


def test_a_sweep_without_parameters_repeats_a_run() -> None:
    assert [(run.seed, run.wire, run.over) for run in runs(grid(repeat=2))] == [
        (1, (), ()),
        (2, (), ()),
    ]


def test_loss_is_a_rule_of_every_link_and_draws_other_lots_each_time() -> None:
    first, second = runs(grid("loss=5", "hosts=2", repeat=2))
    assert first.wire == ("h1-s1 loss 5% seed 1", "h2-s1 loss 5% seed 2000007")
    assert second.wire[0] == "h1-s1 loss 5% seed 2"
    assert len({*first.wire, *second.wire}) == 4


def test_a_frame_waits_for_its_turn_then_travels_then_may_be_lost() -> None:
    (run,) = runs(grid("loss=1", "jitter=2", "delay=10", "queue=8", "rate=5M"))
    assert run.wire == (
        "h1-s1 rate 5M queue 8",
        "h1-s1 delay 10 jitter 2 seed 1000004",
        "h1-s1 loss 1% seed 1",
    )


def test_one_way_of_one_link_can_be_meant() -> None:
    (run,) = runs(grid("a>b:loss=1", "b>a:jitter=3"))
    assert run.wire == ("a>b loss 1% seed 1", "b>a jitter 3 seed 3000010")


def test_a_value_of_0_is_a_rule_as_well() -> None:
    (run,) = runs(grid("loss=0", "delay=0"))
    assert run.wire == ("h1-s1 delay 0", "h1-s1 loss 0% seed 1")


def test_every_rule_that_is_made_is_one() -> None:
    over = ("loss=0,1.5", "jitter=0,2ms", "delay=0,1s", "queue=8", "rate=5M,500k")
    for run in runs(grid(*over, repeat=2)):
        assert [parse_rule(rule).text for rule in run.wire] == list(run.wire)


def test_rules_in_words_sysctls_family_and_trace_become_what_is_run() -> None:
    over = (
        "wire=none,h1>s1 drop SYN 1", "congestion=reno", "server:net.ipv4.tcp_sack=0",
        "family=6", "trace=none", "hosts=2",
    )  # fmt: skip
    made = Grid(
        ("tcp",), parameters_of(over, {"hosts": 1}), 1,
        wire=("h1-s1 delay 5",), sysctls=(("net.ipv4.tcp_sack", "1"),), expected=("no-reset",),
    )  # fmt: skip
    plain, struck = runs(made)
    assert plain.wire == ("h1-s1 delay 5",)
    assert struck.wire == ("h1-s1 delay 5", "h1>s1 drop SYN 1")
    assert dict(plain.sysctls) == {
        "net.ipv4.tcp_congestion_control": "reno",
        "net.ipv4.tcp_sack": "1",
        "server:net.ipv4.tcp_sack": "0",
    }
    assert (plain.family, plain.trace, plain.own) == (6, "none", (("hosts", 2),))
    assert plain.expected == ("no-reset",)


def test_a_key_is_what_is_run_and_not_how_the_sweep_was_written() -> None:
    (by_parameter,) = runs(grid("congestion=reno"))
    (by_option,) = runs(Grid(("tcp",), (), 1, sysctls=by_parameter.sysctls))
    assert by_parameter.key == by_option.key
    (longer,) = [run for run in runs(grid("congestion=cubic,reno")) if "reno" in str(run.sysctls)]
    assert longer.key == by_parameter.key
    # It is the same tomorrow and elsewhere: sweeps that were begun go on.
    assert runs(grid("loss=5"))[0].key == "8dd881bed4d13945"


def test_what_is_run_otherwise_has_another_key() -> None:
    (one,) = runs(grid("loss=5"))
    others = [
        *runs(grid("loss=6")), *runs(grid("loss=5", "family=6")), *runs(grid("loss=5", "hosts=1")),
        *runs(grid("loss=5", "trace=none")), *runs(grid("loss=5", scenarios=("udp",))),
        *runs(grid("loss=5", repeat=2))[1:],
    ]  # fmt: skip
    assert len({one.key, *(other.key for other in others)}) == 1 + len(others) == 7
