# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What make matrix asks the language server, and what it makes of a server that is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.matrix import editor


def test_marks_are_taken_out_and_tell_where_they_stood() -> None:
    text, places = editor.placed("a:\n  @here@\n  b_@there@c: 1\n")
    assert text == "a:\n  \n  b_c: 1\n"
    assert places == {"here": {"line": 1, "character": 2}, "there": {"line": 2, "character": 4}}


def test_the_playbook_is_one_and_has_a_mark_for_all_that_is_asked() -> None:
    text, places = editor.placed(editor._PLAYBOOK)
    assert len(yaml.safe_load(text)[0]["tasks"]) == 4
    assert set(places) == {*editor.OFFERED, "size"}


@pytest.mark.parametrize(
    ("script", "error"),
    [("exit 0", "has ended"), ("cat > /dev/null", "initialize")],
    ids=["ends", "is silent"],
)
def test_a_server_that_does_not_answer(
    script: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(editor, "_LONGEST", 0.5)
    server = editor.Server(tmp_path)
    try:
        with pytest.raises(editor.NoAnswer, match=error):
            server.ask("initialize")
    finally:
        server.close()


def test_without_node_it_is_left_out_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert editor.main() == 0
    assert "there is no node" in capsys.readouterr().out
