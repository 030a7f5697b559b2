"""Result files of serving benchmarks in, profiles in YAML out.

Formats: ``vllm bench serve``, SGLang's ``bench_serving``, InferenceX, AIPerf, LLMPerf (docs/import-benchmarks.md).
"""

from planner.catalogue.benchmarks.importing import import_results
from planner.catalogue.benchmarks.writing import is_import_output

__all__ = ["import_results", "is_import_output"]
