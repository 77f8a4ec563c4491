"""Class hypergraphs and semantic hierarchies of a network's layers (`convsvd`, Section 5).

>>> import torch
>>> table = torch.tensor([[5.0, 1.0, 0.0], [5.0, 1.0, 0.0], [6.0, 0.0, 4.0], [6.0, 0.0, 4.0]])
>>> found = hypergraph(significance(table, torch.tensor([0, 0, 1, 1]), ["zero", "one"], q=0.5, p=75))
>>> found.hyperedges
{'zero': (0,), 'one': (0, 2)}
>>> [one.members for one in semantic_hierarchy(found).classes]
[(0,), (2,)]
"""

from paperlib.hypergraphs.chance import StructureSample, chance_structures, structure_of
from paperlib.hypergraphs.comparison import Comparison, compare
from paperlib.hypergraphs.export import from_hif, hierarchy_to_networkx, to_hif, to_hypernetx
from paperlib.hypergraphs.families import Family, families
from paperlib.hypergraphs.hierarchy import (
    EquivalenceClass,
    SemanticHierarchy,
    equivalence_classes,
    semantic_hierarchy,
    strict_order,
    transitive_reduction,
)
from paperlib.hypergraphs.hypergraph import Hypergraph, hypergraph
from paperlib.hypergraphs.signals import LayerSignals, signal_layers, signal_vectors
from paperlib.hypergraphs.significance import (
    Significance,
    significance,
    significant_directions,
    threshold,
    thresholds,
)

__all__ = [
    "Comparison",
    "EquivalenceClass",
    "Family",
    "Hypergraph",
    "LayerSignals",
    "SemanticHierarchy",
    "Significance",
    "StructureSample",
    "chance_structures",
    "compare",
    "equivalence_classes",
    "families",
    "from_hif",
    "hierarchy_to_networkx",
    "hypergraph",
    "semantic_hierarchy",
    "signal_layers",
    "signal_vectors",
    "significance",
    "significant_directions",
    "strict_order",
    "structure_of",
    "threshold",
    "thresholds",
    "to_hif",
    "to_hypernetx",
    "transitive_reduction",
]
