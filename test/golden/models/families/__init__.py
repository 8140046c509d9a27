"""
All families. A file of this folder is a family: it defines `FAMILY`, a `Family` (see ../family.py), or, where one
file serves several model types, `FAMILIES`, a tuple of them; and nothing else need be told of it.

    from family import Family, Variant
    from parts import Parts, Tap

    class MyParts(Parts): ...       # only where modules or sites differ from Llama's; see ../parts.py
    VARIANTS = (Variant("my-family-default", "my_family", "what it is for", {...}, sites=True), ...)
    FAMILY = Family("my_family", MyConfig, MyModelForCausalLM, VARIANTS, MyParts)

- `Family.capture(model, prompt) -> Sites` may be overridden (masks and labels, source and target); a prompt is
  whatever the family's `prompts` hold, and is written to golden.json as it is.
- `Family.generation` is None where nothing is generated, or a `Generation` with its own prompt and functions.
- `Variant(sites=True)`: every site of the prompt "long" is stored, as `Parts.taps()` and `Parts.attentions()` say.
- A site of two axes more than a vector (q, k, v, z) is viewed as [position, head, headDim]: `view=self.by_head`.
"""

from __future__ import annotations

import importlib
import pkgutil

from family import Family, Variant


def families_of(module_name: str) -> tuple[Family, ...]:
    module = importlib.import_module(f"{__name__}.{module_name}")
    return module.FAMILIES if hasattr(module, "FAMILIES") else (module.FAMILY,)


FAMILIES: dict[str, Family] = {
    family.name: family for info in pkgutil.iter_modules(__path__) for family in families_of(info.name)
}
VARIANTS: tuple[Variant, ...] = tuple(variant for family in FAMILIES.values() for variant in family.variants)
assert len({v.name for v in VARIANTS}) == len(VARIANTS), "two variants of one name"
assert all(v.family in FAMILIES for v in VARIANTS)
