"""What a model was measured to do: result files of benchmarks in, the declaration of a profile out.

Formats: ``vllm bench serve``, SGLang's ``bench_serving``, InferenceX, AIPerf, LLMPerf (docs/import-benchmarks.md).
"""

from planner.catalogue.benchmarks.importing import import_results
from planner.catalogue.benchmarks.writing import imported

__all__ = ["import_results", "imported"]
