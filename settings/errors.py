"""What a wrong setting raises."""

from __future__ import annotations


class SettingError(ValueError):
    """A setting is missing or wrong; ``name`` says which one."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"setting {name}: {problem}")
        self.name = name
