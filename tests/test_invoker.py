"""Who called sudo, and the users that programs can run as."""

from __future__ import annotations

import os
import pwd

import pytest

from lab.errors import UsageError
from lab.invoker import HIGHEST_ID, invoking_ids, invoking_user, named_user, user_name

FREE_UID = next(
    uid for uid in range(60_000, 0, -1) if uid not in {u.pw_uid for u in pwd.getpwall()}
)
NOBODY = pwd.getpwnam("nobody")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not root: sudo's variables say nothing")


@pytest.fixture(autouse=True)
def without_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    monkeypatch.delenv("SUDO_GID", raising=False)


def test_nobody_called_sudo() -> None:
    assert invoking_ids() is None
    assert invoking_user() is None


@needs_root
def test_the_caller_of_sudo_has_a_home_and_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", str(NOBODY.pw_uid))
    found = invoking_user()
    assert found is not None
    assert (found.name, found.uid, found.gid, found.home) == NOBODY[:1] + NOBODY[2:4] + NOBODY[5:6]
    assert NOBODY.pw_gid in found.groups
    assert found == named_user("nobody") == named_user(str(NOBODY.pw_uid))


@needs_root
def test_root_who_called_sudo_is_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "0")
    assert invoking_user() is None


@needs_root
@pytest.mark.parametrize("value", ["x", "", "-1", str(HIGHEST_ID + 1), "9" * 30, "١"])
def test_a_number_that_no_user_has_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", value)
    with pytest.raises(UsageError, match=f"^SUDO_UID is '{value}', which is no number from 0 to"):
        invoking_user()


@needs_root
def test_a_caller_without_an_entry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", str(FREE_UID))
    with pytest.raises(UsageError, match=f"^SUDO_UID is {FREE_UID}, which no user here has; unset"):
        invoking_user()


@pytest.mark.skipif(os.geteuid() == 0, reason="root: sudo's variables count")
def test_of_an_ordinary_user_the_variables_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "x")
    monkeypatch.setenv("SUDO_GID", "x")
    assert invoking_ids() is invoking_user() is None


@needs_root
@pytest.mark.parametrize("wanted", ["nobdoy", str(FREE_UID), str(HIGHEST_ID + 1), "", "a\0b", "-1"])
def test_a_user_that_does_not_exist_is_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match=r"^--as ") as refused:
        named_user(wanted)
    assert ("did you mean 'nobody'?" in str(refused.value)) == (wanted == "nobdoy")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_only_root_can_name_a_user() -> None:
    with pytest.raises(UsageError, match=r"only root can run programs as another user; use sudo$"):
        named_user("nobody")


def test_a_user_without_an_entry_is_named_by_number() -> None:
    assert (user_name(NOBODY.pw_uid), user_name(FREE_UID)) == ("nobody", str(FREE_UID))
