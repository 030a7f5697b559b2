"""Build hook: compile kernel.py if there is a C compiler. Otherwise kernel.py runs as plain Python.

`PLANNER_COMPILED=1` makes a failed compilation an error. `PLANNER_COMPILED=0` skips the compilation.
"""

from __future__ import annotations

import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("planner/engine/kernel.py")
# No fused multiply-add: sums must equal those of Python to the bit. No debug symbols: they make a file 5 times larger.
FLAGS = [] if os.name == "nt" else ["-O3", "-g0", "-ffp-contract=off"]


class KernelHook(BuildHookInterface[Any]):
    """Build hook that compiles the kernel. It puts the extension into the wheel or into an editable checkout.

    The extension is next to kernel.py. Its name is `_kernel_<hash of kernel.py>`.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        setting = os.environ.get("PLANNER_COMPILED")
        if setting == "0":
            return
        folder = Path(self.root if version == "editable" else self.temporary.name)
        try:
            built = self.compile(folder)
        except Exception as error:  # no Cython, compiler or headers: any failure means a pure wheel
            if setting == "1":
                raise
            self.app.display_warning(f"The kernel stays uncompiled: {type(error).__name__}: {error}")
            return
        if version != "editable":  # in an editable checkout the extension is next to kernel.py already
            build_data["force_include"][str(built)] = built.relative_to(folder).as_posix()
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self.temporary.cleanup()

    def compile(self, folder: Path) -> Path:
        """Compile the kernel. Return the path of the new extension.

        folder : folder in which to create `planner/engine` with the extension. Older extensions are removed there
        """
        from Cython.Build import cythonize
        from setuptools import Distribution, Extension

        source = Path(self.root, SOURCE)
        stem = "_kernel_" + sha256(source.read_bytes()).hexdigest()[:12]
        module = Extension(f"planner.engine.{stem}", [str(source)], extra_compile_args=FLAGS)
        distribution = Distribution({"ext_modules": cythonize([module], build_dir=self.temporary.name, quiet=True)})
        command = distribution.get_command_obj("build_ext")
        command.build_temp, command.build_lib = self.temporary.name, str(folder)
        command.ensure_finalized()
        command.run()
        for old in (folder / SOURCE.parent).glob("_kernel_*"):
            if not old.name.startswith(stem):
                old.unlink()
        return Path(command.get_ext_fullpath(module.name))
