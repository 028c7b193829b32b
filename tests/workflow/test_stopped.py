"""A demo that a gate stopped: what it says is enough to go on."""

import re
from pathlib import Path

import pytest
import yaml

from tests.workflow.test_kill import RUN, finish, start, tiny


@pytest.mark.slow
def test_the_last_lines_say_how_to_go_on(tmp_path: Path) -> None:
    top = tiny(tmp_path / "a demo")
    recipe = top / "config" / "sid.yaml"
    values = yaml.safe_load(recipe.read_text())
    recipe.write_text(yaml.safe_dump({**values, "kimg": 0.5, "gates": {"min_spread": 1e6}}))
    stopped = start(top)
    output, _ = stopped.communicate()
    assert stopped.returncode
    said = re.search(
        r"The demo stopped\.\nerror: .*write `(\w+): null` under `gates:` in (\S+) and run: .*\n"
        r"Finished work is kept\. Mend that and run: make demo BUDGET=tiny\n$",
        output,
    )
    assert said, output
    key, path = said.groups()
    assert key == "min_spread"
    changed = yaml.safe_load((top / path).read_text())
    changed["gates"] = {key: None}
    (top / path).write_text(yaml.safe_dump(changed))
    finish(start(top))
    assert (top / RUN / "done.json").exists()
    assert "Nothing to be done" in finish(start(top))
