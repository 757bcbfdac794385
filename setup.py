"""Builds every ext/*.pyx in place; all metadata is in pyproject.toml."""

import os
import re
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

ROOT = Path(__file__).resolve().parent
# -O3 and never -march=native: a build runs on every machine of its architecture.
# -ffp-contract=off: no fused multiply-add, so that x86 and ARM compute the same bits.
# -fno-math-errno: sqrt is one instruction, so that its loops vectorise; the bits are the same.
C_ARGS = [
    "-O3",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-Wno-unused-function",
    "-Wno-unreachable-code",
]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "embedsignature": True,
}


def extension(source: Path) -> Extension:
    """The extension of one .pyx, with numpy's headers only where it asks for them."""
    includes, macros = [], []
    if re.search(
        r"^\s*(cimport numpy|from numpy cimport)", source.read_text("utf-8"), re.MULTILINE
    ):
        import numpy as np

        includes.append(np.get_include())
        macros.append(("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION"))
    return Extension(
        f"ext.{source.stem}",
        [str(source.relative_to(ROOT))],
        include_dirs=includes,
        define_macros=macros,
        extra_compile_args=C_ARGS,
    )


os.chdir(ROOT)
sources = sorted((ROOT / "ext").glob("*.pyx"))
setup(
    ext_modules=cythonize(
        [extension(source) for source in sources],
        build_dir="build/cython",
        compiler_directives=DIRECTIVES,
        quiet=True,
        nthreads=min(len(sources), os.cpu_count() or 1) if sys.platform == "linux" else 0,
    )
)
