"""Tracing by BPF: programs say what they did, and the trace must say the same."""

from __future__ import annotations

import subprocess

import pytest
import traced_programs
from traced_programs import CONVERSATION, run

from lab.kernel.sandbox.sandbox import Sandbox
from lab.records import Obtained, Syscall

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("needs_bpf")]


SOCKET_CALLS = (
    "socket", "bind", "listen", "connect", "accept4", "sendto", "recvfrom", "shutdown",
)  # fmt: skip


def told(calls: list[Syscall]) -> list[tuple[str, int | None]]:
    return [(call.name, call.result) for call in calls]


def test_the_trace_has_the_calls_that_the_program_made(sandbox: Sandbox) -> None:
    traced = run(sandbox, CONVERSATION)
    ((done, _, _),) = traced.said
    assert told(traced.calls(*SOCKET_CALLS)) == done
    assert all(
        call.exit_ns is not None and call.entry_ns < call.exit_ns for call in traced.trace.syscalls
    )
    assert {(call.pid, call.tid) for call in traced.trace.syscalls} == {(traced.pids[0],) * 2}


def test_the_states_of_both_ends_are_shown(sandbox: Sandbox) -> None:
    traced = run(sandbox, CONVERSATION)
    ((_, server, client),) = traced.said
    pid = traced.pids[0]
    states = traced.trace.states
    assert {state.obtained for state in states} == {Obtained.MEASURED}
    assert [
        (state.old, state.new, state.tid) for state in states
        if state.local_port == client and state.remote_port == server
    ][:2] == [("SYN_SENT", "ESTABLISHED", pid), ("ESTABLISHED", "FIN_WAIT1", pid)]  # fmt: skip
    by_socket = {state.socket for state in states if state.local_port == client}
    assert [
        (state.old, state.new) for state in states
        if state.socket in by_socket and state.new == "SYN_SENT"
    ] == [("CLOSE", "SYN_SENT")]  # fmt: skip
    assert [(state.old, state.new) for state in states if state.local_port == server][:2] == [
        ("CLOSE", "LISTEN"), ("LISTEN", "SYN_RECV"),
    ]  # fmt: skip
    connect = traced.calls("connect")[0]
    (sent,) = [state for state in states if state.new == "SYN_SENT"][:1]
    assert connect.exit_ns is not None
    assert connect.entry_ns < sent.time_ns < connect.exit_ns


def test_lengths_are_given_by_the_kernel_itself(sandbox: Sandbox) -> None:
    traced = run(sandbox, CONVERSATION)
    if any("sock_send_length" in one.text for one in traced.instruments):
        pytest.skip("this kernel does not tell")
    sent = [event for event in traced.trace.events if event.name == "sock:sock_send_length"]
    assert [(event.fields["ret"], event.tid) for event in sent] == [
        (7, traced.pids[0]), (1000, traced.pids[0]),
    ]  # fmt: skip


REFUSED = """
gone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
gone.bind(('127.0.0.1', 0))
to = gone.getsockname()
gone.close()
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b'nobody', to)
"""


def test_a_drop_has_a_reason_and_the_packets_bytes(sandbox: Sandbox) -> None:
    traced = run(sandbox, REFUSED)
    call = next(call for call in traced.calls("sendto") if call.result == 6)
    (drop,) = [drop for drop in traced.trace.drops if drop.reason == "NO_SOCKET"]
    assert (drop.host, drop.interface, drop.length) == ("here", "lo", 20 + 8 + 6)
    assert drop.packet[-6:] == b"nobody"
    assert call.entry_ns < drop.time_ns
    assert call.exit_ns is not None
    assert drop.time_ns < call.exit_ns


NOISE = """
ip link set lo up
for i in $(seq 200); do
    echo noise > /dev/udp/127.0.0.1/9; (: < /dev/tcp/127.0.0.1/9)
done 2> /dev/null
echo done
"""


def test_what_other_namespaces_do_is_left_out(sandbox: Sandbox) -> None:
    command = ["unshare", "--net", "bash", "-c", NOISE]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as others:
        traced = run(sandbox, *[REFUSED] * 10)
        said, _ = others.communicate(timeout=60)
    assert said == b"done\n"
    drops = [drop for drop in traced.trace.drops if drop.reason == "NO_SOCKET"]
    assert [drop.packet[-6:] for drop in drops] == [b"nobody"] * 10
    assert traced.trace.states == ()


FAMILY = """
pair = socket.socketpair()
made = []
def work(number):
    pair[0].send(b'x' * number)
    made.append(threading.get_native_id())
threads = [threading.Thread(target=work, args=(10 + n,)) for n in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
child = os.fork()
if child == 0:
    pair[0].send(b'x' * 20)
    grandchild = os.fork()
    if grandchild == 0:
        thread = threading.Thread(target=lambda: pair[0].send(b'x' * 30))
        thread.start()
        thread.join()
        os._exit(0)
    os.waitpid(grandchild, 0)
    pair[0].send(b'x' * grandchild)
    os._exit(0)
os.waitpid(child, 0)
print((made, child))
"""


def test_threads_and_forks_are_followed(sandbox: Sandbox) -> None:
    traced = run(sandbox, FAMILY)
    ((made, child),) = traced.said
    main = traced.pids[0]
    sent = traced.calls("sendto")
    grandchild = sent[-1].result
    assert grandchild is not None
    assert sorted((call.pid, call.tid) for call in sent[:3]) == sorted((main, tid) for tid in made)
    assert [(call.pid, call.result) for call in sent[3:]] == [
        (child, 20), (grandchild, 30), (child, grandchild),
    ]  # fmt: skip
    tasks = traced.trace.tasks
    starts = {task.tid: (task.pid, task.parent_tid) for task in tasks if task.kind == "start"}
    assert starts[main] == (main, 0)
    assert all(starts[tid] == (main, main) for tid in made)
    assert starts[child] == (child, main)
    assert starts[grandchild] == (grandchild, child)
    assert starts[sent[4].tid] == (grandchild, grandchild)
    assert sorted(task.tid for task in tasks if task.kind == "exit") == sorted(starts)


EXEC_IN_A_THREAD = """
def become():
    os.execv(sys.executable, [sys.executable, '-ISc', 'import os; os.close(0); print(os.getpid())'])
threading.Thread(target=become).start()
threading.Event().wait()
"""


def test_a_thread_that_calls_execve_becomes_its_process(sandbox: Sandbox) -> None:
    traced = run(sandbox, EXEC_IN_A_THREAD)
    pid = traced.pids[0]
    assert traced.said == (pid,)
    assert [call.tid for call in traced.calls("close") if call.arguments == (0,)] == [pid]
    assert [(task.kind, task.tid == pid) for task in traced.trace.tasks] == [
        ("start", True), ("exec", True), ("start", False), ("exit", False), ("exec", True),
        ("exit", True),
    ]  # fmt: skip


INTERRUPTED = """
near, far = socket.socketpair()
class Caught(Exception): pass
def handler(*_):
    if raises: raise Caught
    far.send(b'from the handler')
signal.signal(signal.SIGALRM, handler)
raises = True
signal.siginterrupt(signal.SIGALRM, True)
signal.setitimer(signal.ITIMER_REAL, 0.01)
try: near.recv(5)
except Caught: pass
libc = ctypes.CDLL(None)
if os.fork() == 0:
    os.kill(os.getppid(), signal.SIGSTOP)
    while open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[0] != 'T': pass
    os.kill(os.getppid(), signal.SIGCONT)
    far.send(b'after')
    os._exit(0)
near.recv(6)
os.wait()
"""


def test_interrupted_calls_end_as_the_program_saw_them(sandbox: Sandbox) -> None:
    received = run(sandbox, INTERRUPTED).calls("recvfrom")
    assert told(received) == [("recvfrom", -4), ("recvfrom", 5)]


KILLED = """
near, far = socket.socketpair()
pid = os.fork()
if pid == 0:
    near.recv(1)
    os._exit(1)
while 'recv' not in open(f'/proc/{pid}/wchan').read() and open(
    f'/proc/{pid}/stat').read().rpartition(')')[2].split()[0] != 'S': pass
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
"""


def test_a_call_in_which_its_process_was_killed_never_returned(sandbox: Sandbox) -> None:
    (received,) = run(sandbox, KILLED).calls("recvfrom")
    assert (received.exit_ns, received.result) == (None, None)


def test_steps_are_distinguished(sandbox: Sandbox) -> None:
    one = "pair = socket.socketpair(); pair[0].send(b'x' * {})"
    traced = sandbox.call(
        traced_programs.trace,
        (one.format(1),),
        (one.format(2), one.format(3)),
        (),
        (one.format(4),),
    )
    assert [
        {(call.step, call.result) for call in trace.syscalls if call.name == "sendto"}
        for trace in traced.traces
    ] == [{("step 0", 1)}, {("step 1", 2), ("step 1", 3)}, set(), {("step 3", 4)}]


def test_times_are_on_the_clock_of_the_records(sandbox: Sandbox) -> None:
    text = (
        "a, b = socket.socketpair()\nt = time.time_ns()\na.send(b'1')\nprint((t, time.time_ns()))"
    )
    traced = run(sandbox, text)
    ((before, after),) = traced.said
    (sent,) = traced.calls("sendto")
    assert sent.exit_ns is not None
    assert before < sent.entry_ns < sent.exit_ns < after


def test_a_program_that_cannot_be_started_leaves_nothing(sandbox: Sandbox) -> None:
    trace, failed = sandbox.call(traced_programs.missing_program)
    assert failed
    assert (trace.syscalls, trace.tasks) == ((), ())
