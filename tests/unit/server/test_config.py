"""Settings: where they come from, which goes before which, and what is said about a wrong one."""

from pathlib import Path

import pytest

from seawall.core.errors import SeawallError
from seawall.server.config import load


def test_flags_go_before_variables_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "server.toml").write_text('port = 1\ngateway_port = 2\nnames = ["a", "b"]\n[intervals]\nimages = 7\n')
    config = load(tmp_path, {"SEAWALL_PORT": "3", "SEAWALL_GATEWAY_PORT": "4", "SEAWALL_STATE": "/x"}, port=5)
    assert (config.port, config.gateway_port, config.names, config.intervals.images) == (5, 4, ("a", "b"), 7)
    assert config.state == tmp_path
    assert load(tmp_path, {"SEAWALL_NAMES": "x, y", "SEAWALL_ENFORCE": "true"}).names == ("x", "y")


@pytest.mark.parametrize(
    "text",
    [
        "port = ",
        'port = "many"',
        "port = true",
        "port = 70000",
        "unheard = 1",
        'enforce = "perhaps"',
        "names = 3",
        "state = 'x'",
        "port = 9\ngateway_port = 9",
        "agent_late = 200",
        'log_level = "loud"',
        "[intervals]\nheartbeat = 0",
        "[intervals]\nunheard = 1",
        "intervals = 3",
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "server.toml").write_text(text + "\n")
    with pytest.raises(SeawallError) as caught:
        load(tmp_path, {})
    assert any(word in str(caught.value) for word in ("server.toml", "port", "agent_late", "log_level", "interval"))


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SeawallError, match="cannot read"):
        load(tmp_path, {}, file=tmp_path / "no.toml")


def test_the_reference_names_every_setting() -> None:
    import dataclasses

    from seawall.server.config import Config, Intervals

    text = (Path(__file__).parents[3] / "docs" / "reference" / "configuration.md").read_text()
    for owner in (Config, Intervals):
        for field in dataclasses.fields(owner):
            assert f"`{field.name}`" in text, field.name
