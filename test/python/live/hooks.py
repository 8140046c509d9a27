"""Which hooks lie on the modules of a model and on its optimiser, in words."""


def hooks_of(model, optimizer=None):
    owners = [(path or "root", module) for path, module in model.named_modules()]
    owners += [] if optimizer is None else [("the optimiser", optimizer)]
    return ["%s of %s" % (kind, name) for name, owner in owners for kind in _kinds(owner) if getattr(owner, kind)]


def _kinds(owner):
    return sorted(k for k, v in vars(owner).items() if k.endswith("_hooks") and hasattr(v, "__len__"))
