"""A file or text in, a workflow and the catalogue of its profiles out.

The catalogue is opened only if the caller gives its path, or if a profile is named that the file does not declare.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import InputError, Note, Problem, model_hint
from planner.expansion.supersteps.runtime import on_runtime, runtime_notes
from planner.reading.files import access
from planner.reading.files.text_file import read_text
from planner.workflow.declaration import Workflow
from planner.workflow.reader import read_workflow

if TYPE_CHECKING:
    from planner.catalogue.catalogue import Catalogue


@dataclass(frozen=True)
class Loaded:
    """A workflow as read from a file, and the place of the profiles that it does not declare.

    declared : the workflow, with the profiles of its file only
    folder : folder of the file, where the user's catalogue may be
    catalogue : catalogue of other profiles, or the path of its file; None: found as `Catalogue.of` describes
    only_below : folder outside of which no file is read, but for a catalogue that is named; None: no limit
    """

    declared: Workflow
    folder: Path
    catalogue: Catalogue | Path | None = None
    only_below: Path | None = None

    def serving(
        self, models: Sequence[str] = (), runtime: str | None = None, fast: str | None = None
    ) -> tuple[Workflow, tuple[Note, ...]]:
        """Return the workflow with all profiles that may serve it, and notes on its runtime and its profiles.

        models : names of profiles to use instead of the workflow's model; empty: the workflow's model
        runtime : runtime to assume instead of the workflow's; None: the workflow's runtime
        fast : name of a further profile, to which steps may move; None: no further profile

        Raises InputError for an unknown model, and for every problem of the user's catalogue.
        """
        workflow, notes = self._served([*models, fast] if fast else models, fast)
        workflow = on_runtime(workflow, runtime)
        return workflow, (*runtime_notes(workflow), *notes)

    def _served(self, models: Sequence[str], fast: str | None) -> tuple[Workflow, tuple[Note, ...]]:
        workflow = self.declared
        own = workflow.models
        default = [workflow.model] if workflow.model else []
        of_steps = [step.model for _, step in workflow.walk() if step.model]
        named = isinstance(self.catalogue, Path)  # then it must be a catalogue, even if it is not needed
        if not named and all(name in own for name in _with_bases([*models, *default, *of_steps], workflow)):
            return workflow, ()
        catalogue = _open(self.catalogue, self.folder, self.only_below)
        lazy: Any = catalogue.declared  # reads each profile on first use
        profiles = ChainMap(dict(own), lazy)
        unknown = [name for name in models if name not in profiles]
        if unknown:
            raise InputError(
                Problem(
                    "unknown-model",
                    f"unknown model '{name}'",
                    None,
                    model_hint(name, {*own, *catalogue.offered}),
                    "fast" if name == fast else "model",
                )
                for name in dict.fromkeys(unknown)
            )
        used = _with_bases([*(models or default), *of_steps], workflow)
        caveats = [caveat for name in used if name not in own for caveat in catalogue.caveats(name)]
        notes = tuple(Note("caveat", {"text": caveat}) for caveat in dict.fromkeys(caveats))
        return workflow.model_copy(update={"models": profiles}), notes


def load(
    source: Path | str,
    parameters: Mapping[str, float] | None = None,
    catalogue: Catalogue | Path | None = None,
    file: str = "<text>",
    only_below: Path | None = None,
) -> Loaded:
    """Read a workflow from a file or from a text.

    source : path of the file, or the text. A text may name other files by paths relative to the folder of `file`
    parameters : values of parameters, instead of those in the file
    catalogue, only_below : as in `Loaded`
    file : name of the text in messages; ignored if `source` is a path

    Raises InputError, which lists every problem.
    """
    with access.only_below(only_below):
        text, file = (read_text(source), str(source)) if isinstance(source, Path) else (source, file)
        folder = Path(file).parent
        try:
            return Loaded(read_workflow(text, parameters, (), file), folder, catalogue, only_below)
        except InputError as error:
            if not any(problem.code in ("unknown-model", "bad-profile") for problem in error.problems):
                raise
        offered = _open(catalogue, folder, only_below).offered
        return Loaded(read_workflow(text, parameters, offered, file), folder, catalogue, only_below)


def _open(catalogue: Catalogue | Path | None, folder: Path, only_below: Path | None) -> Catalogue:
    from planner.catalogue.catalogue import Catalogue
    from planner.catalogue.user_file import named_file

    if isinstance(catalogue, Catalogue):
        return catalogue
    named = named_file(catalogue)
    with access.only_below(None if named else only_below):
        return Catalogue.of(named, folder)


def _with_bases(names: Sequence[str], workflow: Workflow) -> list[str]:
    """Return these names of profiles and the names of the profiles that they are based on, each name once.

    Bases are only looked up in the workflow's file.
    """
    used = list(dict.fromkeys(names))
    for name in used:
        base = workflow.models[name].based_on if name in workflow.models else None
        if base is not None and base not in used:
            used.append(base)
    return used


def example_folder() -> Path:
    """Return the folder of the example workflows. A checkout has it next to the package, an installation inside."""
    inside = Path(__file__).with_name("workflows")
    return inside if inside.is_dir() else Path(__file__).resolve().parent.parent / "workflows"
