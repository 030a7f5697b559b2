"""A file or text in, a workflow with the catalogue that it takes profiles from out.

The catalogue is opened only where something names a profile that the file does not declare.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import InputError, Note, Problem, model_hint
from planner.expansion.supersteps.runtime import on_runtime, runtime_notes
from planner.reading.files.text_file import read_text
from planner.workflow.declaration import Workflow
from planner.workflow.use import parse_workflow

if TYPE_CHECKING:
    from planner.catalogue.catalogue import Catalogue


@dataclass(frozen=True)
class Loaded:
    """A workflow as it is declared.

    declared : with the profiles of its file, and no others
    folder : of the file; the user's catalogue may lie in it
    catalogue : that it takes other profiles from, or the user's file; None: the file is looked for, see `Catalogue.of`
    """

    declared: Workflow
    folder: Path
    catalogue: Catalogue | Path | None = None

    def serving(
        self, models: Sequence[str] = (), runtime: str | None = None, fast: str | None = None
    ) -> tuple[Workflow, tuple[Note, ...]]:
        """The workflow with all profiles that it may be served by, on its runtime, and notes on both: of profiles on
        those of the catalogue that it uses.

        models : profiles in the place of the workflow's; none: its own
        runtime : in the place of the workflow's; None: its own
        fast : a profile that steps may move to, as well

        Raises InputError for a model that nobody declares, or with every problem of the user's catalogue.
        """
        workflow, notes = self._served([*models, fast] if fast else models, fast)
        workflow = on_runtime(workflow, runtime)
        return workflow, (*runtime_notes(workflow), *notes)

    def _served(self, models: Sequence[str], fast: str | None) -> tuple[Workflow, tuple[Note, ...]]:
        workflow = self.declared
        own = workflow.models
        default = [workflow.model] if workflow.model else []
        of_steps = [step.model for _, step in workflow.walk() if step.model]
        asked = isinstance(self.catalogue, Path)  # a file that is named must be one, needed or not
        if not asked and all(name in own for name in _with_bases([*models, *default, *of_steps], workflow)):
            return workflow, ()
        known = _open(self.catalogue, self.folder)
        shipped: Any = known.declared  # each is read when it is asked for
        profiles = ChainMap(dict(own), shipped)
        unknown = [name for name in models if name not in profiles]
        if unknown:
            raise InputError(
                Problem(
                    "unknown-model",
                    f"unknown model '{name}'",
                    None,
                    model_hint(name, {*own, *known.offered}),
                    "fast" if name == fast else "model",
                )
                for name in dict.fromkeys(unknown)
            )
        used = _with_bases([*(models or default), *of_steps], workflow)
        caveats = [caveat for name in used if name not in own for caveat in known.caveats(name)]
        notes = tuple(Note("caveat", {"text": caveat}) for caveat in dict.fromkeys(caveats))
        return workflow.model_copy(update={"models": profiles}), notes


def load(
    source: Path | str,
    parameters: Mapping[str, float] | None = None,
    catalogue: Catalogue | Path | None = None,
    file: str = "<text>",
) -> Loaded:
    """Read a workflow.

    source : its file, or its text, where files that it names are looked for in the current folder
    parameters : values that replace those of the file
    catalogue : see `Loaded`
    file : what a text is called

    Raises InputError with every problem.
    """
    text, file = (read_text(source), str(source)) if isinstance(source, Path) else (source, file)
    folder = Path(file).parent
    try:
        return Loaded(parse_workflow(text, parameters, (), file), folder, catalogue)
    except InputError as error:
        if not any(problem.code in ("unknown-model", "bad-profile") for problem in error.problems):
            raise
    known = _open(catalogue, folder)
    return Loaded(parse_workflow(text, parameters, known.offered, file), folder, catalogue)


def _open(catalogue: Catalogue | Path | None, folder: Path) -> Catalogue:
    from planner.catalogue.catalogue import Catalogue

    return catalogue if isinstance(catalogue, Catalogue) else Catalogue.of(catalogue, folder)


def _with_bases(names: Sequence[str], workflow: Workflow) -> list[str]:
    """Names of profiles, each once, and what those of the file are based on."""
    used = list(dict.fromkeys(names))
    for name in used:
        base = workflow.models[name].based_on if name in workflow.models else None
        if base is not None and base not in used:
            used.append(base)
    return used


def example_folder() -> Path:
    """The folder of the example workflows: in the package where it is installed, beside it in a checkout."""
    inside = Path(__file__).with_name("workflows")
    return inside if inside.is_dir() else Path(__file__).resolve().parent.parent / "workflows"
