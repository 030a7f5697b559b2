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
    """A workflow as read from a file, and a catalogue with further profiles.

    declared : the workflow, with the profiles of its own file
    folder : folder of the file, which may contain the user's catalogue
    catalogue : the catalogue, or the path of its file; None means that `Catalogue.of` finds the catalogue
    only_below : folder that must contain all files that are read; None means no limit. The limit does not apply to a
        catalogue that the user names
    """

    declared: Workflow
    folder: Path
    catalogue: Catalogue | Path | None = None
    only_below: Path | None = None

    def serving(
        self, models: Sequence[str] = (), runtime: str | None = None, fast: str | None = None
    ) -> tuple[Workflow, tuple[Note, ...]]:
        """Return the workflow with all profiles that it may use. Also return notes for the user.

        The notes are about the runtime and the profiles.

        models : names of the models to run the workflow on; if empty, the model of the workflow
        runtime : runtime to use; None means the runtime of the workflow
        fast : name of a profile on which some steps may run instead; None means no such profile

        Raises `InputError` if a model is unknown, or if the user's catalogue has problems.
        """
        workflow, notes = self._served([*models, fast] if fast else models, fast)
        workflow = on_runtime(workflow, runtime)
        return workflow, (*runtime_notes(workflow), *notes)

    def faster_tiers(self) -> list[str]:
        """Return the names of the faster tiers of the workflow's default profile, the slowest first.

        To save time, the catalogue is not opened if the workflow's file declares the default profile and its base.
        """
        from planner.catalogue.tiers import faster_tiers

        model, own = self.declared.model, self.declared.models
        if model is None:
            return []
        closed = model in own and (own[model].based_on is None or own[model].based_on in own)
        return faster_tiers(model, own, None if closed else _open(self.catalogue, self.folder, self.only_below))

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
        notes = tuple(caveat.note for caveat in dict.fromkeys(caveats))
        return workflow.model_copy(update={"models": profiles}), notes


def load(
    source: Path | str,
    parameters: Mapping[str, float] | None = None,
    catalogue: Catalogue | Path | None = None,
    file: str = "<text>",
    only_below: Path | None = None,
) -> Loaded:
    """Read a workflow from a file or from a text.

    source : path of the file, or the text of the workflow
    parameters : name → value; these values replace the values in the file
    catalogue : a catalogue, or the path of its file. None: the file named by the environment variable
        `PLANNER_CATALOGUE`, or else `catalogue.yaml` in the workflow's folder
    file : path to show in messages if `source` is a text. Paths in the text are relative to the folder of `file`
    only_below : folder that must contain all files that are read; None: no limit

    Raises `InputError` if there are problems. The error has all problems.
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
    """Return `names` and the names of all their bases, each name once.

    The base of a profile is the profile that `based_on` names. Only profiles in the workflow's file are searched for
    bases.
    """
    used = list(dict.fromkeys(names))
    for name in used:
        base = workflow.models[name].based_on if name in workflow.models else None
        if base is not None and base not in used:
            used.append(base)
    return used


def example_folder() -> Path:
    """Return the folder of the example workflows.

    In an installation, the folder is inside the package. In a checkout, it is next to the package.
    """
    inside = Path(__file__).with_name("workflows")
    return inside if inside.is_dir() else Path(__file__).resolve().parent.parent / "workflows"
